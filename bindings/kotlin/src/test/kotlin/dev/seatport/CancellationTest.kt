package dev.seatport

import java.time.Duration
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class CancellationTest {
    private val onePort = { options: Options -> options.copy(ports = PortRange(1, 1)) }

    @Behaviour("cancellation_drops_the_call")
    @Test
    fun `a call that is cancelled ends and the instance goes on`() = inHouse {
        val feed = mei.events()
        coroutineScope {
            val waiting = launch(start = CoroutineStart.UNDISPATCHED) { feed.next() }
            waiting.cancelAndJoin()
        }
        // Nothing waits in Rust any more, and nobody here for Rust.
        while (uniffiContinuationHandleMap.size > 0) delay(10)
        val session = mei.addAccount(NewAccount("simulated"))
        assertEquals(session, feed.next().session)
    }

    @Behaviour("cancelled_start_leaves_the_queue")
    @Test
    fun `a cancelled wait for a port gives its place up`() = inHouse(onePort) {
        val holder = mei.addAndStart(NewAccount("simulated"))
        val (first, second) = List(2) { mei.addAccount(NewAccount("simulated")) }
        suspend fun waiting() = fails<SeatportException.PoolFull> { mei.start(second) }.waiting
        coroutineScope {
            val start = launch(start = CoroutineStart.UNDISPATCHED) { mei.start(first, WhenFull.Wait(Duration.ofHours(1))) }
            while (waiting() != 1) delay(10)
            start.cancelAndJoin()
        }
        while (waiting() != 0) delay(10)
        mei.stop(holder)
        assertEquals(1, mei.start(second).port)
        assertEquals(CardStatus.NOT_STARTED, mei.card(first).status)
    }

    @Behaviour("cancelled_reader_loses_no_event")
    @Test
    fun `reads that are cancelled lose no event`() = inHouse {
        val session = mei.addAccount(NewAccount("simulated"))
        val total = 301L
        val seen = ArrayList<Long>()
        mei.events().use { feed ->
            coroutineScope {
                launch(Dispatchers.Default) { repeat(300) { mei.setRemark(session, "remark $it") } }
                val random = Random(7)
                var given = 0
                while (seen.size < total) {
                    val patience = if (given++ < 200) random.nextLong(1, 2000).microseconds else 30.seconds
                    // Noted inside: the answer of the timeout itself may come too late.
                    withTimeoutOrNull(patience) { seen += feed.next().seq }
                }
            }
        }
        assertEquals((1..total).toList(), seen)
    }

    @Test
    fun `a cancelled collector leaves the rest to the next one`() = inHouse {
        val session = mei.addAccount(NewAccount("simulated"))
        repeat(20) { mei.setRemark(session, "remark $it") }
        val seen = ArrayList<Long>()
        mei.events().use { feed ->
            repeat(3) {
                coroutineScope {
                    val collector = async {
                        feed.asFlow().collect { event ->
                            seen += event.seq
                            if (event.seq % 7 == 0L) throw kotlin.coroutines.cancellation.CancellationException("enough")
                        }
                    }
                    collector.join()
                }
            }
        }
        assertTrue(seen == (1L..21L).toList(), seen.toString())
    }
}
