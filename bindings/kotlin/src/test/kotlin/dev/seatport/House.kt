package dev.seatport

import java.nio.file.Path
import java.time.Duration
import kotlin.reflect.KClass
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.fail

/** An instance with a supervisor and an agent at their desks, on the simulated messenger and on whatever network a test brings. */
class House(val messenger: Messenger, val seatport: Seatport, val mei: Desk, val li: Desk) : AutoCloseable {
    /** A session that is logged in, and the phone that scanned it. */
    class Line(val session: String, val phone: Phone)

    suspend fun online(number: String = "+4915112345678", remark: String = ""): Line {
        val session = mei.addAndStart(NewAccount("simulated", remark = remark))
        val phone = messenger.phone(number)
        mei.watch(session).use { watch ->
            watch.until { it.challenge != null }
            phone.scan(mei.loginCode(session).code)
            watch.until { it.card.status == CardStatus.ONLINE }
        }
        return Line(session, phone)
    }

    /** Waits until the card is so. */
    suspend fun reach(session: String, isSo: (Card) -> Boolean): Card = mei.watch(session).use { it.until { view -> isSo(view.card) }.card }

    /** A session with a message of Ana's in it, and her answer to it. */
    suspend fun conversation(): Conversation {
        val line = online()
        val ana = messenger.person("Ana")
        val id = ana.write(line.phone.address(), "Is the blue kettle in stock?")
        reach(line.session) { it.unread == 1L }
        return Conversation(line, ana, id)
    }

    class Conversation(val line: Line, val ana: Person, val message: String) {
        val session get() = line.session
        val chat: String = ana.address()
    }

    override fun close() = seatport.close()

    companion object {
        suspend fun open(messenger: Messenger = Messenger(7), change: (Options) -> Options = { it }): House {
            val usual = Options(
                Storage.Memory,
                networks = listOf(messenger.network()),
                vaultKey = VaultKey.generate(),
                timing = QUICK,
                callbackTimeout = Duration.ofSeconds(5),
            )
            val seatport = Seatport.open(change(usual))
            seatport.putAgent(Agent("mei", "Mei Lin", Role.SUPERVISOR))
            seatport.putAgent(Agent("li", "Li Wei", Role.AGENT))
            return House(messenger, seatport, seatport.desk("mei"), seatport.desk("li"))
        }

        /** Waits shortly before it tries again. */
        val QUICK = Timing(retryFirst = Duration.ofMillis(20), retryMost = Duration.ofMillis(100), sendEvery = Duration.ofMillis(20))
    }
}

/** Runs a test in a coroutine; one that takes a minute hangs. */
fun test(body: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(60.seconds) { body() } }

/** Runs a test in a house of its own. */
fun inHouse(change: (Options) -> Options = { it }, body: suspend House.() -> Unit) = test { House.open(change = change).use { it.body() } }

/** The error of a call that must throw one of this kind. */
suspend fun <E : Throwable> failsWith(kind: KClass<E>, call: suspend () -> Any?): E {
    val answer = try {
        call()
    } catch (thrown: Throwable) {
        if (kind.isInstance(thrown)) {
            @Suppress("UNCHECKED_CAST")
            return thrown as E
        }
        throw AssertionError("expected ${kind.simpleName}, got $thrown", thrown)
    }
    fail<Nothing>("expected ${kind.simpleName}, got the answer $answer")
    throw AssertionError()
}

suspend inline fun <reified E : Throwable> fails(noinline call: suspend () -> Any?): E = failsWith(E::class, call)

/** What a text message says. */
val StoredMessage.text: String get() = (message.content as Content.Text).text

/** The root of the repository. */
val ROOT: Path = Path.of(System.getProperty("seatport.root"))
