package dev.seatport

import kotlinx.coroutines.flow.Flow

/**
 * Reads the event feed under a name, and says what it has handled: each event comes at least once, in the order of its session, and
 * none is missed, however often the process dies in between. So handle first and acknowledge then.
 */
public class Consumer internal constructor(private val native: NativeConsumer) : AutoCloseable {
    private val reader = Reader({ native.end(); native.destroy() }) { seen, max ->
        native.next(seen, max).let { Reader.Batch(it.number, it.events) }
    }

    /** How far the events that were handed out go, by session. Guarded by the reader's turn. */
    private val handedOut = HashMap<String, Long>()

    /** Its name. */
    public val name: String = native.name()

    /**
     * The next event, once there is one.
     *
     * @throws SeatportException.Denied once the agent does not see all sessions any more
     * @throws SeatportException.EventsTrimmed only if somebody forgot the consumer meanwhile
     * @throws SeatportException.Closed
     */
    public suspend fun next(): Event = reader.next(::note) ?: error("a feed has no end")

    /** The next events, at least one and at most [max]; throws as [next] does. */
    public suspend fun nextBatch(max: Int): List<Event> = reader.batch(max, ::note)

    /** The events from here on, until the consumer is closed. Collected again, it goes on. */
    public fun asFlow(): Flow<Event> = flowUntilClosed { next() }

    /**
     * Acknowledges everything that was handed out so far: it does not come again.
     *
     * @throws SeatportException.UnknownConsumer once somebody forgot it
     * @throws SeatportException.Denied once the agent does not see all sessions any more
     * @throws SeatportException.Closed
     */
    public suspend fun acknowledge(): Unit = reader.ask { seen, pending ->
        if (pending.isEmpty()) native.acknowledge(seen) else native.acknowledgeUpTo(handedOut.toMap())
    }

    /**
     * Acknowledges a part of what was handed out: of each session named, everything up to this number.
     *
     * @throws SeatportException.Invalid when it names an event that was not handed out
     */
    public suspend fun acknowledgeUpTo(handled: Map<String, Long>): Unit = reader.ask { _, pending ->
        val early = pending.find { it.seq <= (handled[it.session] ?: -1) && it.seq > (handedOut[it.session] ?: -1) }
        if (early != null) {
            throw invalid("acknowledgement", "event ${early.seq} of ${early.session} was not handed out", "handle it first")
        }
        native.acknowledgeUpTo(handled)
    }

    /** Ends it: a call under way throws [SeatportException.Closed], and so do later ones. What was not acknowledged comes again. */
    override fun close(): Unit = reader.close()

    override fun toString(): String = "Consumer($name)"

    private fun note(event: Event) {
        handedOut[event.session] = event.seq
    }
}
