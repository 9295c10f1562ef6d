package dev.seatport.examples

import dev.seatport.ChallengeKind
import dev.seatport.ChatKind
import dev.seatport.Connection
import dev.seatport.Content
import dev.seatport.Dial
import dev.seatport.InboundMessage
import dev.seatport.LoginChallenge
import dev.seatport.OutboundMessage
import dev.seatport.ReadMessage
import dev.seatport.Reason
import dev.seatport.ReasonKind
import dev.seatport.Secret
import dev.seatport.Transport
import dev.seatport.TransportException
import dev.seatport.examples.EchoNetwork.News
import java.time.Duration
import java.time.Instant
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

/** The name of the credentials in the vault. */
private const val CREDENTIALS = "token"

/** How long a login code is good. */
private val CODE = Duration.ofSeconds(60)

/** How often Seatport is told that the network is there. It wants to know once a minute. */
private val ALIVE = Duration.ofSeconds(25)

/** How to write a transport: this one is for a network that has everything a transport must get right, and nothing else. */
class EchoTransport(private val network: EchoNetwork) : Transport {
    override suspend fun connect(dial: Dial): Connection {
        // What the vault throws goes on to Seatport, which knows what it means.
        val token = dial.vault.get(CREDENTIALS)?.decodeToString()
        val line = network.dial(token) ?: throw TransportException.Rejected(Reason(ReasonKind.LOGGED_OUT))
        return EchoConnection(network, line, dial, token)
    }
}

/** One connection: what the network says becomes signals, and what Seatport wants is told to the network. */
private class EchoConnection(
    private val network: EchoNetwork,
    private val line: EchoNetwork.Line,
    private val dial: Dial,
    @Volatile private var token: String?,
) : Connection {
    private val signals = dial.signals
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private var showing: Job? = null

    init {
        scope.launch {
            try {
                if (token == null) showCode()
                launch { stayAlive() }
                for (news in line.news) hear(news)
                // It never dials again by itself: whether and when is Seatport's to decide.
                signals.lost(Reason(ReasonKind.CONNECTION_LOST))
            } catch (_: TransportException.Ended) {
                // Seatport has closed it, or was told its last word.
            } finally {
                network.close(line)
            }
        }
    }

    override suspend fun send(message: OutboundMessage) {
        val token = token ?: throw TransportException.Later("nobody is logged in")
        if (message.chat != WALL) throw TransportException.Refused("nobody is at ${message.chat}")
        val text = message.content as? Content.Text ?: throw TransportException.Refused("only texts come back")
        network.send(token, message.id, text.text)
    }

    // A wall does not care whether it is read.
    override suspend fun markRead(chat: String, messages: List<ReadMessage>) = Unit

    override suspend fun logOut() {
        token?.let(network::unlink)
    }

    override suspend fun close() {
        scope.cancel()
        network.close(line)
    }

    private suspend fun showCode() {
        val code = Secret(network.code(line))
        signals.challenge(LoginChallenge(ChallengeKind.QR, code, 1, Instant.now() + CODE))
        showing = scope.launch {
            delay(CODE.toMillis())
            signals.loginExpired()
            network.close(line)
        }
    }

    private suspend fun stayAlive() {
        try {
            while (true) {
                delay(ALIVE.toMillis())
                signals.alive()
            }
        } catch (_: TransportException.Ended) {
            // Nobody listens any more.
        }
    }

    private suspend fun hear(news: News) {
        when (news) {
            is News.Linked -> {
                showing?.cancel()
                // `paired` says that the credentials are in the vault, so that is what has to happen first.
                try {
                    dial.vault.put(CREDENTIALS, news.token.encodeToByteArray())
                } catch (failed: TransportException) {
                    network.unlink(news.token)
                    return when (failed) {
                        is TransportException.Rejected -> signals.rejected(failed.reason)
                        is TransportException.Lost -> signals.lost(failed.reason)
                        // Another node has the session now.
                        else -> signals.lost(Reason(ReasonKind.CONNECTION_LOST))
                    }
                }
                token = news.token
                signals.paired(news.account, false)
                network.logIn(line, news.token)
            }
            is News.Online -> signals.ready(news.account)
            // The next news do not wait until this is stored, and go on in their order.
            is News.Echo -> scope.launch(start = CoroutineStart.UNDISPATCHED) { pass(news) }
            is News.LoggedOut -> signals.rejected(Reason(ReasonKind.LOGGED_OUT))
        }
    }

    /** Tells an echo, and acknowledges it once it is stored; one that is not is told again at the next login. */
    private suspend fun pass(echo: News.Echo) {
        // The network's number, so that it is the same whenever it comes again.
        val message = InboundMessage(WALL, ChatKind.PERSON, "echo${echo.number}", WALL, Content.Text(echo.text), Instant.now())
        try {
            signals.messages(listOf(message))
            token?.let { network.acknowledge(it, echo.number) }
        } catch (_: TransportException) {
            // It was not stored.
        }
    }
}
