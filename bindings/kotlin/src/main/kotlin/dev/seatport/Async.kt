package dev.seatport

import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import kotlin.coroutines.Continuation
import kotlin.coroutines.intrinsics.suspendCoroutineUninterceptedOrReturn
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.future.await
import kotlinx.coroutines.future.future

/**
 * Seatport for Java: makes a future of any call that suspends.
 *
 * ```java
 * CompletableFuture<Card> card = Async.call(done -> desk.card(session, done));
 * ```
 *
 * Cancelling the future drops the call. An error is the cause of the future's `CompletionException`, a [SeatportException].
 */
public object Async {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    /** A call that suspends, as Java writes it: `done -> desk.card(session, done)`. */
    public fun interface Call<T> {
        /** Makes the call, with this as its last argument. */
        @Throws(Exception::class)
        public fun with(done: @JvmSuppressWildcards Continuation<T>): Any?
    }

    /** Makes the call now, on threads of the coroutines. */
    @JvmStatic
    public fun <T> call(call: Call<T>): CompletableFuture<T> = scope.future { suspendCoroutineUninterceptedOrReturn { call.with(it) } }

    /** [Seatport.open] for Java. */
    @JvmStatic
    public fun open(options: Options): CompletableFuture<Seatport> = scope.future { Seatport.open(options) }

    /** A transport that is written in Java. */
    @JvmStatic
    public fun transport(transport: AsyncTransport): Transport = object : Transport {
        override suspend fun connect(dial: Dial): Connection = connection(transport.connect(dial).await())
    }

    private fun connection(connection: AsyncConnection): Connection = object : Connection {
        override suspend fun send(message: OutboundMessage) {
            connection.send(message).await()
        }

        override suspend fun markRead(chat: String, messages: List<ReadMessage>) {
            connection.markRead(chat, messages).await()
        }

        override suspend fun logOut() {
            connection.logOut().await()
        }

        override suspend fun close() {
            connection.close().await()
        }
    }
}

/** [Transport] for Java: a messenger network that answers with futures. A [TransportException] that one fails with says what became of the call. */
public fun interface AsyncTransport {
    /** Dials; as [Transport.connect]. */
    public fun connect(dial: Dial): CompletionStage<out AsyncConnection>
}

/** [Connection] for Java. */
public interface AsyncConnection {
    /** Sends a message; as [Connection.send]. */
    public fun send(message: OutboundMessage): CompletionStage<*>

    /** Tells the network that messages were read; as [Connection.markRead]. */
    public fun markRead(chat: String, messages: List<ReadMessage>): CompletionStage<*>

    /** Unlinks this device; as [Connection.logOut]. */
    public fun logOut(): CompletionStage<*>

    /** Ends what belongs to this connection; as [Connection.close]. */
    public fun close(): CompletionStage<*>
}
