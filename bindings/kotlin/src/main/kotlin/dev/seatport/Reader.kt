package dev.seatport

import java.util.concurrent.CancellationException
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * Keeps the place in what the library hands out in batches. A batch that arrived is kept until it was handed out as a whole; one that
 * got lost because a coroutine was cancelled is answered again.
 */
internal class Reader<T>(private val end: () -> Unit, private val read: suspend (seen: Long, max: Int) -> Batch<T>) {
    private val turn = Mutex()
    private val closed = AtomicBoolean(false)

    /** The number of the last batch that arrived. */
    private var seen = 0L

    /** What of it was not handed out yet. */
    private val pending = ArrayDeque<T>()

    /** A part of what is handed out, with its number; an empty one is the end. */
    class Batch<T>(val number: Long, val items: List<T>)

    /** The next item, none at the end; [handOut] is told what goes. */
    suspend fun next(handOut: (T) -> Unit = {}): T? = turn.withLock {
        if (pending.isEmpty()) pending.addAll(fetch(AT_ONCE))
        pending.removeFirstOrNull()?.also(handOut)
    }

    /** The next items, at most [max], at least one unless this is the end. */
    suspend fun batch(max: Int, handOut: (T) -> Unit = {}): List<T> = turn.withLock {
        if (max < 1) throw invalid("batch", "a limit of $max", "ask for at least one item")
        if (pending.isEmpty()) {
            val items = fetch(max)
            // A batch that got lost on its way may be longer: it was read for another call.
            if (items.size <= max) return@withLock items.onEach(handOut)
            pending.addAll(items)
        }
        List(minOf(max, pending.size)) { pending.removeFirst() }.onEach(handOut)
    }

    /** Asks the library something between two batches: it is told the number of the last one, and what was not handed out of it. */
    suspend fun <R> ask(ask: suspend (seen: Long, pending: List<T>) -> R): R = turn.withLock { open { ask(seen, pending.toList()) } }

    /** Ends it: who waits and who comes later gets [SeatportException.Closed]. */
    fun close() {
        if (closed.compareAndSet(false, true)) end()
    }

    private suspend fun fetch(max: Int): List<T> = open { read(seen, max) }.also { seen = it.number }.items

    private inline fun <R> open(call: () -> R): R {
        if (closed.get()) throw closed()
        try {
            return call()
        } catch (gone: IllegalStateException) {
            // It was closed between the two.
            if (gone is CancellationException || !closed.get()) throw gone
            throw closed()
        }
    }

    private companion object {
        /** How many items are fetched at once when they are asked for one by one. */
        const val AT_ONCE = 256

        fun closed() = SeatportException.Closed("this was closed; ask the desk for a new one")
    }
}
