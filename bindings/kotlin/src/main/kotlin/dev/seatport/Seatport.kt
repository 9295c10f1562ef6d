package dev.seatport

import kotlinx.coroutines.runBlocking
import java.time.Duration

/**
 * One node: runs the sessions, and hands out the desks that people work at. It has threads of its own; every `suspend` function may be
 * called from any thread and dispatcher, and ends at once when its coroutine is cancelled.
 *
 * Close it with [close], `use` or [shutdown]. Let go of without, it ends as a crash would: nothing that was acknowledged is lost, and
 * the next start takes everything up again.
 *
 * Every call may throw a [SeatportException].
 */
public class Seatport private constructor(private val native: NativeSeatport) : SeatportOperations by native, AutoCloseable {
    /**
     * The desk of this agent: everything a person does goes through it.
     *
     * @throws SeatportException.UnknownAgent when nobody with this id was registered with [putAgent]
     */
    public suspend fun desk(agent: String): Desk = Desk(native.desk(agent))

    /** Which node this is: fresh at every start. */
    @Throws(SeatportException::class)
    override fun nodeId(): String = native.nodeId()

    /** [shutdown] with five seconds to do it; waits for it on this thread. */
    override fun close() {
        runBlocking { shutdown(GOODBYE) }
    }

    override fun toString(): String = "Seatport"

    public companion object {
        private val GOODBYE = Duration.ofSeconds(5)

        /**
         * Opens for business: from now on sessions that were started before are taken up again, at a bounded rate.
         *
         * @throws SeatportException.Invalid names the option that makes no sense
         * @throws SeatportException.Vault when a key is missing or not the one that the database was sealed with
         * @throws SeatportException.Storage when the storage cannot be opened (kind `InUse` while another process has the file)
         * @throws SeatportException.NotBuilt for a storage that this library was built without
         * @throws SeatportException.Host when the host's own key store fails
         */
        public suspend fun open(options: Options): Seatport = Seatport(NativeSeatport.open(options))
    }
}
