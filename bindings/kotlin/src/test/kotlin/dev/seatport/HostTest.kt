package dev.seatport

import java.time.Duration
import java.time.Instant
import java.util.concurrent.CancellationException
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What a host does wrong, and what it is asked for. */
class HostTest {
    /** No limit that a test could wait for: what ends such a call is not the limit. */
    private fun patient(options: Options) = options.copy(callbackTimeout = Duration.ofMinutes(10))

    private fun hasty(options: Options) = options.copy(callbackTimeout = Duration.ofMillis(200))

    /** Dials with what is thrown until the card shows it; then well. */
    private fun survives(thrown: () -> Throwable, said: String) {
        val ill = AtomicBoolean(true)
        val host = Host(connecting = { if (ill.get()) throw thrown() })
        inHouse({ patient(host.on(it)) }) {
            val session = mei.addAndStart(NewAccount("own"))
            val reason = reach(session) { it.reason != null }.reason!!
            assertEquals(ReasonKind.CONNECTION_LOST, reason.kind)
            assertTrue(said in reason.code.orEmpty(), reason.code)
            ill.set(false)
            reach(session) { it.status == CardStatus.ONLINE }
        }
    }

    @Behaviour("host_exception_in_connect")
    @Test
    fun `an exception in connect is a lost connection`() = survives({ IllegalStateException("no line") }, "no line")

    @Behaviour("host_fatal_error")
    @Test
    fun `an error in connect is a lost connection`() {
        survives({ AssertionError("broken beyond repair") }, "broken beyond repair")
        survives({ StackOverflowError("too deep") }, "too deep")
        survives({ NoClassDefFoundError("gone/Missing") }, "gone/Missing")
    }

    @Behaviour("host_cancels_itself")
    @Test
    fun `a cancellation that nobody asked for is an error like another`() = survives({ CancellationException("given up") }, "given up")

    @Test
    fun `what a transport says becomes of the session`() {
        val host = Host(connecting = { throw TransportException.Rejected(Reason(ReasonKind.BANNED, "403")) })
        inHouse(host::on) {
            val session = mei.addAndStart(NewAccount("own"))
            val card = reach(session) { it.status == CardStatus.BLOCKED }
            assertEquals(Reason(ReasonKind.BANNED, "403"), card.reason)
        }
    }

    @Behaviour("host_exception_in_send")
    @Behaviour("host_fatal_error")
    @Test
    fun `a message that could not be sent is tried again`() {
        val trouble = ConcurrentLinkedQueue<Throwable>(listOf(IllegalStateException("line busy"), AssertionError("broken"), CancellationException("no")))
        val host = Host(sending = { trouble.poll()?.let { throw it } })
        inHouse({ patient(host.on(it)) }) {
            val session = mei.addAndStart(NewAccount("own"))
            reach(session) { it.status == CardStatus.ONLINE }
            val id = mei.sendText(session, "bob@own", "hello")
            while (mei.message(session, "bob@own", id)?.message?.status == MessageStatus.PENDING) delay(10)
            assertEquals(MessageStatus.SENT, mei.message(session, "bob@own", id)?.message?.status)
            assertEquals(0, trouble.size)
            assertEquals(listOf(id), host.sent.map { it.id })
        }
    }

    @Test
    fun `a message that the network never takes has failed`() {
        val host = Host(sending = { throw TransportException.Refused("too rude") })
        inHouse(host::on) {
            val session = mei.addAndStart(NewAccount("own"))
            reach(session) { it.status == CardStatus.ONLINE }
            val id = mei.sendText(session, "bob@own", "hello")
            while (mei.message(session, "bob@own", id)?.failure == null) delay(10)
            assertEquals(SendFailure.Refused("too rude"), mei.message(session, "bob@own", id)?.failure)
        }
    }

    @Behaviour("host_hang_in_connect")
    @Test
    fun `a transport that never answers is given up`() = Blockade().use { blockade ->
        val dials = ConcurrentLinkedQueue<suspend () -> Unit>(listOf({ awaitCancellation() }, { blockade.block() }))
        val host = Host(connecting = { dials.poll()?.invoke() })
        inHouse({ hasty(host.on(it)) }) {
            val session = mei.addAndStart(NewAccount("own"))
            reach(session) { it.status == CardStatus.ONLINE }
            assertEquals(3, host.dials.get())
        }
    }

    @Behaviour("host_hang_in_close")
    @Test
    fun `a stop answers though close hangs`() = Blockade().use { blockade ->
        val host = Host(closing = { blockade.block() })
        inHouse({ hasty(host.on(it)) }) {
            val session = mei.addAndStart(NewAccount("own"))
            reach(session) { it.status == CardStatus.ONLINE }
            assertEquals(CardStatus.OFFLINE, mei.stop(session).status)
            assertEquals(1, host.closed.get())
        }
    }

    @Test
    fun `a call that is given up before it began takes what it was handed`() = Blockade().use { blockade ->
        // More calls that block than there are threads for them: those behind wait in line until they are given up.
        val host = Host(connecting = { blockade.block() })
        inHouse({ hasty(host.on(it)).copy(ports = PortRange(1, 100)) }) {
            repeat(80) { mei.addAndStart(NewAccount("own")) }
            delay(400)
            mei.cards().forEach { mei.stop(it.session) }
        }
        blockade.close()
        runBlocking {
            while (uniffiForeignFutureHandleCount() > 0) delay(10)
        }
    }

    @Behaviour("callback_without_a_loop")
    @Test
    fun `callbacks arrive from any thread on threads that end with the process`() {
        val on = AtomicReference<Thread>()
        val host = Host(connecting = { on.set(Thread.currentThread()) })
        var failure: Throwable? = null
        thread(name = "bare") {
            try {
                inHouse(host::on) {
                    val session = mei.addAndStart(NewAccount("own"))
                    reach(session) { it.status == CardStatus.ONLINE }
                }
            } catch (thrown: Throwable) {
                failure = thrown
            }
        }.join()
        failure?.let { throw it }
        assertNotNull(on.get())
        assertTrue(on.get().isDaemon)
        assertFalse(on.get().name == "bare")
        val attached = Thread.getAllStackTraces().keys.filter { it.name.startsWith("seatport") }
        assertTrue(attached.all { it.isDaemon }, attached.toString())
    }

    @Behaviour("host_clock")
    @Test
    fun `a clock of the host tells the time`() {
        val now = Instant.parse("2031-05-06T07:08:09.123Z")
        inHouse({ it.copy(clock = { now }) }) {
            assertEquals(now, mei.card(mei.addAccount(NewAccount("simulated"))).createdAt)
        }
    }

    @Behaviour("host_clock")
    @Behaviour("host_fatal_error")
    @Test
    fun `a clock that throws or hangs stops nobody`() = Blockade().use { blockade ->
        val clocks = listOf(
            Clock { error("no battery") },
            Clock { throw AssertionError("no hands") },
            Clock {
                blockade.block()
                Instant.EPOCH
            },
        )
        for (clock in clocks) {
            inHouse({ hasty(it).copy(clock = clock) }) {
                val before = Instant.now().minusSeconds(5)
                assertTrue(mei.card(mei.addAccount(NewAccount("simulated"))).createdAt > before)
            }
        }
    }

    @Behaviour("host_key_store")
    @Test
    fun `the key store of the host is asked`() {
        val asked = ConcurrentLinkedQueue<String>()
        val store = object : VaultKeyProvider {
            override suspend fun current(): ByteArray {
                asked += "current"
                return ByteArray(32) { 7 }
            }

            override suspend fun previous(): List<ByteArray> {
                asked += "previous"
                return listOf(ByteArray(32) { 8 })
            }
        }
        inHouse({ it.copy(vaultKey = null, vaultKeyProvider = store) }) { online() }
        assertEquals(listOf("current", "previous"), asked.toList())
        for (length in listOf(0, 31)) {
            val short = object : VaultKeyProvider {
                override suspend fun current() = ByteArray(length)

                override suspend fun previous() = listOf<ByteArray>()
            }
            test { fails<SeatportException.Invalid> { Seatport.open(Options(Storage.Memory, vaultKeyProvider = short)) } }
        }
        val hangs = object : VaultKeyProvider {
            override suspend fun current(): ByteArray = awaitCancellation()

            override suspend fun previous() = listOf<ByteArray>()
        }
        val impatient = Options(Storage.Memory, vaultKeyProvider = hangs, callbackTimeout = Duration.ofMillis(100))
        test { fails<SeatportException.Host> { Seatport.open(impatient) } }
    }

    @Behaviour("host_log")
    @Test
    fun `a sink gets the log until it is removed`() {
        val records = ConcurrentLinkedQueue<LogRecord>()
        val batches = ConcurrentLinkedQueue<Int>()
        setLogSink({
            batches += it.size
            records += it
        }, LogLevel.TRACE)
        try {
            val host = Host(connecting = { throw AssertionError("no line") })
            inHouse(host::on) {
                val session = mei.addAndStart(NewAccount("own"))
                reach(session) { it.attempt > 1 }
            }
            // Whatever is logged is handed over before the sink is replaced.
        } finally {
            setLogSink(null, LogLevel.TRACE)
        }
        assertTrue(records.isNotEmpty())
        assertTrue(records.all { it.target.startsWith("seatport") && it.message.isNotEmpty() }, records.toString())
        assertEquals(records.size, batches.sum())
        inHouse { online() }
        assertEquals(batches.sum(), records.size)
    }
}
