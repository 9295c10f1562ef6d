package dev.seatport

import java.nio.file.Path
import java.time.Duration
import java.time.LocalDate
import kotlinx.coroutines.delay
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

/** Every kind of error that a host can provoke. */
class ErrorsTest {
    @TempDir
    lateinit var directory: Path

    /** Those that no test can provoke, and why. */
    private val unprovoked = mapOf(
        "Contended" to "it takes several nodes that change one session again and again at the same moment; core tests it",
        "Internal" to "it takes a fault in Seatport; a panic is tested beside",
    )

    private val kinds = LinkedHashMap<String, () -> Unit>()

    private inline fun <reified E : SeatportException> kind(
        noinline change: (Options) -> Options = { it },
        noinline provoke: suspend House.() -> Any?,
        noinline look: (E) -> Unit = {},
    ) {
        kinds[E::class.simpleName!!] = {
            inHouse(change) {
                val error = failsWith(E::class) { provoke() }
                look(error)
                assertFalse(error.message.isNullOrBlank())
                val again = E::class in setOf(
                    SeatportException.PoolFull::class, SeatportException.PortWaitTimedOut::class, SeatportException.EventsTrimmed::class,
                )
                assertEquals(again, (error as SeatportException).retry)
            }
        }
    }

    @TestFactory
    fun `each kind tells what happened`(): List<DynamicTest> = kinds.map { (kind, provoke) -> dynamicTest("error:$kind", provoke) }

    @Test
    fun `no kind is without a test`() {
        val all = SeatportException::class.java.declaredClasses
            .filter { SeatportException::class.java.isAssignableFrom(it) }.map { it.simpleName }.toSortedSet()
        assertEquals(all, (kinds.keys + unprovoked.keys).toSortedSet())
    }

    @Test
    fun `the message is the text for people`() = inHouse {
        val unknown = fails<SeatportException.UnknownAgent> { seatport.desk("nobody") }
        assertEquals(unknown.detail, unknown.message)
        assertTrue("nobody" in unknown.detail)
    }

    init {
        onValues()
        onState()
        onOptions()
    }

    private fun onValues() {
        kind<SeatportException.Invalid>(provoke = { mei.card("none") }) {
            assertTrue(it.field.isNotEmpty() && it.problem.isNotEmpty() && it.wayOut.isNotEmpty())
        }
        val nowhere = "00000000000000000000000000"
        kind<SeatportException.UnknownSession>(provoke = {
            val session = mei.addAccount(NewAccount("simulated"))
            mei.delete(session)
            mei.card(session)
        }) { assertFalse(it.session == nowhere) }
        kind<SeatportException.UnknownAgent>(provoke = { seatport.desk("nobody") }) { assertEquals("nobody", it.agent) }
        kind<SeatportException.UnknownTransport>(provoke = { mei.addAccount(NewAccount("pigeons")) }) { assertEquals("pigeons", it.name) }
        kind<SeatportException.UnknownChat>(provoke = { mei.chat(mei.addAccount(NewAccount("simulated")), "bob") }) {
            assertEquals("bob", it.chat)
        }
        kind<SeatportException.UnknownContact>(provoke = { mei.contact(mei.addAccount(NewAccount("simulated")), "bob") }) {
            assertEquals("bob", it.address)
        }
        kind<SeatportException.UnknownMessage>(provoke = {
            val said = conversation()
            mei.markReadUpTo(said.session, said.chat, "none")
        })
        kind<SeatportException.UnknownConsumer>(provoke = { mei.forgetConsumer("nobody") }) { assertEquals("nobody", it.name) }
        kind<SeatportException.Denied>(provoke = { li.audit(0, 10) }) {
            assertEquals("li", it.agent)
            assertEquals(Action.READ_AUDIT, it.action)
        }
        kind<SeatportException.KeyReused>(provoke = {
            val said = conversation()
            mei.sendText(said.session, said.chat, "One", SendOptions(key = "k"))
            mei.sendText(said.session, said.chat, "Two", SendOptions(key = "k"))
        }) { assertEquals("k", it.key) }
        kind<SeatportException.AuditBroken>(provoke = { mei.verifyAudit(AuditHead(5000, "00".repeat(32))) })
        kind<SeatportException.NotBuilt>(provoke = { Network.whatsapp() }) { assertEquals("whatsapp", it.feature) }
    }

    private fun onState() {
        kind<SeatportException.IllegalTransition>(provoke = { mei.delete(mei.addAndStart(NewAccount("simulated"))) })
        val onePort = { options: Options -> options.copy(ports = PortRange(8001, 1)) }
        kind<SeatportException.PoolFull>(onePort, {
            mei.addAndStart(NewAccount("simulated"))
            mei.addAndStart(NewAccount("simulated"))
        }) {
            assertEquals(1, it.capacity)
            assertEquals(1, it.occupied)
            assertEquals(0, it.waiting)
            assertEquals(8001, it.holders.single().port)
        }
        kind<SeatportException.PortWaitTimedOut>(onePort, {
            mei.addAndStart(NewAccount("simulated"))
            mei.addAndStart(NewAccount("simulated"), WhenFull.Wait(Duration.ofMillis(20)))
        }) { assertTrue(it.waited >= Duration.ofMillis(20)) }
        kind<SeatportException.NoLoginCode>(provoke = { mei.loginCode(mei.addAccount(NewAccount("simulated"))) })
        kind<SeatportException.Unsupported>({ Host().on(it) }, {
            val session = mei.addAndStart(NewAccount("own"))
            mei.sendMedia(session, "bob", Media(MediaKind.IMAGE, "image/png"))
        }) { assertEquals("own", it.transport) }
        kind<SeatportException.NotSending>(provoke = {
            val said = conversation()
            mei.stop(said.session)
            mei.sendText(said.session, said.chat, "Too late")
        }) { assertEquals(CardStatus.OFFLINE, it.status) }
        kind<SeatportException.AlreadySent>(provoke = {
            val said = conversation()
            val id = mei.sendText(said.session, said.chat, "Sent")
            while (mei.message(said.session, said.chat, id)?.message?.status == MessageStatus.PENDING) delay(10)
            mei.cancelSend(said.session, said.chat, id)
        }) { assertEquals(MessageStatus.SENT, it.status) }
        kind<SeatportException.AgentBound>(provoke = {
            mei.addAccount(NewAccount("simulated", agent = "li"))
            seatport.removeAgent("li")
        }) {
            assertEquals("li", it.agent)
            assertEquals(1L, it.sessions)
        }
        val forgetful = { options: Options ->
            options.copy(retention = Retention(count = 1), timing = House.QUICK.copy(trim = Duration.ofMillis(20)))
        }
        kind<SeatportException.EventsTrimmed>(forgetful, {
            val session = mei.addAccount(NewAccount("simulated"))
            repeat(5) { mei.setRemark(session, "remark $it") }
            while (true) {
                mei.events(mapOf(session to 1L)).use { it.next() }
                delay(20)
            }
        }) {
            assertEquals(1L, it.after)
            assertTrue(it.keptFrom > 2)
        }
        kind<SeatportException.ShutDown>(provoke = {
            seatport.shutdown(Duration.ofSeconds(5))
            mei.cards()
        })
        kind<SeatportException.Closed>(provoke = { mei.events().also { it.close() }.next() })
    }

    private fun onOptions() {
        kind<SeatportException.Vault>(provoke = { Seatport.open(Options(Storage.Memory, networks = listOf(messenger.network()))) })
        kind<SeatportException.Host>(provoke = {
            val broken = object : VaultKeyProvider {
                override suspend fun current(): ByteArray = error("the key store is locked")

                override suspend fun previous() = listOf<ByteArray>()
            }
            Seatport.open(Options(Storage.Memory, vaultKeyProvider = broken))
        }) { assertTrue("the key store is locked" in it.detail, it.detail) }
        kind<SeatportException.Storage>(provoke = {
            val storage = Storage.Sqlite(directory.resolve("in-use.db").toString())
            Seatport.open(Options(storage)).use { Seatport.open(Options(storage)) }
        }) {
            assertEquals("InUse", it.kind)
            assertFalse(it.retry)
        }
    }
}
