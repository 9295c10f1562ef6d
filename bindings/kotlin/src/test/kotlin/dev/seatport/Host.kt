package dev.seatport

import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicInteger

/** A transport of a host that is online at once, and does in each call what a test wants. */
class Host(
    private val connecting: suspend (Dial) -> Unit = {},
    private val sending: suspend (OutboundMessage) -> Unit = {},
    private val closing: suspend () -> Unit = {},
) : Transport {
    val dials = AtomicInteger()
    val sent = ConcurrentLinkedQueue<OutboundMessage>()
    val closed = AtomicInteger()

    override suspend fun connect(dial: Dial): Connection {
        dials.incrementAndGet()
        connecting(dial)
        dial.signals.ready(Account("me@own"))
        return Line()
    }

    private inner class Line : Connection {
        override suspend fun send(message: OutboundMessage) {
            sending(message)
            sent += message
        }

        override suspend fun markRead(chat: String, messages: List<ReadMessage>) = Unit

        override suspend fun logOut() = Unit

        override suspend fun close() {
            closed.incrementAndGet()
            closing()
        }
    }

    /** The options of a house on this network. */
    fun on(options: Options): Options = options.copy(networks = options.networks + Network.hosted("own", Capabilities(), this))
}

/** Blocks its thread until the test is over. */
class Blockade : AutoCloseable {
    private val over = CountDownLatch(1)

    fun block() = over.await()

    override fun close() = over.countDown()
}
