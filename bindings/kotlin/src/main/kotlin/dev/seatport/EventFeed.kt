package dev.seatport

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * Follows the events of all sessions that the agent sees, in the order of each session.
 *
 * A call that is cancelled before it answers loses no event. Several coroutines may read one feed: each event goes to one of them.
 */
public class EventFeed internal constructor(private val native: NativeEventFeed) : AutoCloseable {
    private val reader = Reader({ native.end(); native.destroy() }) { seen, max ->
        native.next(seen, max).let { Reader.Batch(it.number, it.events) }
    }

    /**
     * The next event, once there is one.
     *
     * @throws SeatportException.EventsTrimmed when the next events of a session are not kept any more; the next call goes on behind them
     * @throws SeatportException.Closed
     */
    public suspend fun next(): Event = reader.next() ?: error("a feed has no end")

    /** The next events, at least one and at most [max]; throws as [next] does. */
    public suspend fun nextBatch(max: Int): List<Event> = reader.batch(max)

    /**
     * The events from here on, until the feed is closed. Collected again, it goes on where the feed has got to; throws as [next] does,
     * and can then be collected again.
     */
    public fun asFlow(): Flow<Event> = flowUntilClosed { next() }

    /**
     * How far the events that were handed out go, by session: to be kept, and passed to [Desk.events] the next time.
     *
     * @throws SeatportException.Closed
     */
    public suspend fun cursors(): Map<String, Long> = reader.ask { seen, pending ->
        val cursors = native.cursors(seen).toMutableMap()
        // What arrived and was not handed out.
        pending.asReversed().forEach { cursors[it.session] = it.seq - 1 }
        cursors
    }

    /** Ends it: a call under way throws [SeatportException.Closed], and so do later ones. */
    override fun close(): Unit = reader.close()

    override fun toString(): String = "EventFeed"
}

/** What [next] answers, until it throws [SeatportException.Closed] or answers null. */
internal fun <T : Any> flowUntilClosed(next: suspend () -> T?): Flow<T> = flow {
    while (true) {
        val item = try {
            next()
        } catch (_: SeatportException.Closed) {
            null
        }
        emit(item ?: return@flow)
    }
}
