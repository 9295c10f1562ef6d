package dev.seatport

import kotlinx.coroutines.flow.Flow

/**
 * Follows one session: answers how it looks now, and then each time that changes. States that lasted shorter than the follower took are
 * passed over; the event feed passes over nothing.
 */
public class Watch internal constructor(private val native: NativeWatch) : AutoCloseable {
    private val reader = Reader({ native.end(); native.destroy() }) { seen, _ ->
        native.next(seen).let { Reader.Batch(it.number, listOf(it.view)) }
    }

    /**
     * How the session looks now, if that was not answered yet, or else once it looks different.
     *
     * @throws SeatportException.UnknownSession once it was deleted
     * @throws SeatportException.Denied once the agent lost sight of it
     * @throws SeatportException.Closed
     */
    public suspend fun next(): View = reader.next() ?: error("a watch has no end")

    /** The first view that is so; throws as [next] does. */
    public suspend fun until(isSo: (View) -> Boolean): View {
        while (true) {
            val view = next()
            if (isSo(view)) return view
        }
    }

    /** How the session looks from here on, until the watch is closed; throws as [next] does. */
    public fun asFlow(): Flow<View> = flowUntilClosed { next() }

    /** Ends it: a call under way throws [SeatportException.Closed], and so do later ones. */
    override fun close(): Unit = reader.close()

    override fun toString(): String = "Watch"
}
