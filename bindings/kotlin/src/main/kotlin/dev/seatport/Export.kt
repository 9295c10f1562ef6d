package dev.seatport

import kotlinx.coroutines.flow.Flow

/**
 * Reads a session's conversations as lines of JSON: a header, contacts, chats with their messages, and an end that says how much there
 * was.
 */
public class Export internal constructor(private val native: NativeExport) : AutoCloseable {
    private val reader = Reader({ native.end(); native.destroy() }) { seen, max ->
        native.next(seen, max).let { Reader.Batch(it.number, it.lines) }
    }

    /**
     * The next line, a piece of JSON without a line end; null after the last.
     *
     * @throws SeatportException.UnknownSession once the session was deleted
     * @throws SeatportException.Denied once the agent lost sight of it
     * @throws SeatportException.Closed
     */
    public suspend fun next(): String? = reader.next()

    /** The next lines, at most [max]; none after the last. Throws as [next] does. */
    public suspend fun nextBatch(max: Int): List<String> = reader.batch(max)

    /** The lines from here on; throws as [next] does. */
    public fun asFlow(): Flow<String> = flowUntilClosed { next() }

    /** Ends it: a call under way throws [SeatportException.Closed], and so do later ones. */
    override fun close(): Unit = reader.close()

    override fun toString(): String = "Export"
}
