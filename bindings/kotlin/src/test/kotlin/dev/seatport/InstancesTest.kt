package dev.seatport

import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executors
import kotlin.concurrent.thread
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class InstancesTest {
    @TempDir
    lateinit var directory: Path

    private fun file(name: String) = Storage.Sqlite(directory.resolve(name).toString())

    @Behaviour("use_after_shutdown")
    @Test
    fun `every call after shutdown says so`() = inHouse {
        val session = mei.addAccount(NewAccount("simulated"))
        val feed = mei.events()
        val consumer = mei.consume("crm")
        val watch = mei.watch(session)
        val export = mei.exportSession(session)
        seatport.shutdown(Duration.ofSeconds(5))
        for ((name, call) in DESK_CALLS) {
            assertTrue(fails<SeatportException> { call(mei, session) } is SeatportException.ShutDown, name)
        }
        for ((name, call) in NODE_CALLS) {
            assertTrue(fails<SeatportException> { call(seatport) } is SeatportException.ShutDown, name)
        }
        val readers = listOf<suspend () -> Any?>(
            { feed.next() }, { feed.cursors() }, { consumer.next() }, { consumer.acknowledge() }, { watch.next() }, { export.next() },
        )
        for (read in readers) fails<SeatportException.ShutDown> { read() }
        listOf(feed, consumer, watch, export).forEach { it.close() }
    }

    @Behaviour("shutdown_twice")
    @Test
    fun `shutting down twice does nothing more and ends the calls under way`() = inHouse {
        val feed = mei.events()
        coroutineScope {
            val waiting = async(start = CoroutineStart.UNDISPATCHED) { fails<SeatportException.ShutDown> { feed.next() } }
            listOf(async { seatport.shutdown(Duration.ofSeconds(5)) }, async { seatport.shutdown(Duration.ofSeconds(5)) }).awaitAll()
            waiting.await()
        }
        seatport.shutdown(Duration.ofSeconds(5))
        seatport.close()
        seatport.close()
    }

    @Behaviour("use_after_close")
    @Test
    fun `a closed reader says so to who waits and to who comes later`() = inHouse {
        val session = mei.addAccount(NewAccount("simulated"))
        val feed = mei.events(mei.cursors())
        val consumer = mei.consume("crm").also { it.next() }
        val watch = mei.watch(session).also { it.next() }
        val readers = listOf<Pair<AutoCloseable, suspend () -> Any?>>(
            feed to { feed.next() }, consumer to { consumer.next() }, watch to { watch.next() },
        )
        for ((reader, read) in readers) {
            coroutineScope {
                val waiting = async(start = CoroutineStart.UNDISPATCHED) { fails<SeatportException.Closed> { read() } }
                launch(Dispatchers.Default) { reader.close() }
                waiting.await()
            }
            fails<SeatportException.Closed> { read() }
        }
        fails<SeatportException.Closed> { feed.cursors() }
    }

    @Test
    fun `an object that was let go of says so`() {
        val secret = Secret("hush")
        secret.close()
        secret.close()
        assertTrue(runCatching { secret.expose() }.exceptionOrNull() is IllegalStateException)
    }

    @Behaviour("two_instances")
    @Test
    fun `two instances do not see each other`() = test {
        House.open().use { memory ->
            House.open { it.copy(storage = file("one.db")) }.use { sqlite ->
                val session = memory.mei.addAccount(NewAccount("simulated"))
                assertEquals(listOf<Card>(), sqlite.mei.cards())
                fails<SeatportException.UnknownSession> { sqlite.mei.card(session) }
                val taken = fails<SeatportException.Storage> { Seatport.open(Options(file("one.db"))) }
                assertEquals("InUse", taken.kind)
            }
            assertEquals(1, memory.mei.cards().size)
        }
    }

    @Behaviour("reopened")
    @Test
    fun `what was kept is there again`() = test {
        val messenger = Messenger(7)
        val key = VaultKey.generate()
        val change = { options: Options -> options.copy(storage = file("kept.db"), vaultKey = key) }
        val said = House.open(messenger, change).use { house -> house.conversation() }
        House.open(messenger, change).use { house ->
            house.reach(said.session) { it.status == CardStatus.ONLINE }
            assertEquals("Is the blue kettle in stock?", house.mei.messages(said.session, said.chat).single().text)
            assertEquals(1L, house.mei.card(said.session).unread)
        }
        val other = change(Options(Storage.Memory, networks = listOf(messenger.network()))).copy(vaultKey = VaultKey.generate())
        fails<SeatportException.Vault> { Seatport.open(other) }
    }

    @Behaviour("threads")
    @Test
    fun `eight threads work at once`() = inHouse {
        val failures = ConcurrentLinkedQueue<Throwable>()
        List(8) { number ->
            thread {
                try {
                    runBlocking {
                        val session = mei.addAccount(NewAccount("simulated", remark = "thread $number"))
                        repeat(50) { mei.setRemark(session, "thread $number, $it") }
                        assertEquals("thread $number, 49", mei.card(session).remark)
                    }
                } catch (thrown: Throwable) {
                    failures += thrown
                }
            }
        }.forEach { it.join() }
        failures.forEach { throw it }
        assertEquals(8, mei.cards().size)
    }

    @Behaviour("threads")
    @Test
    fun `every dispatcher will do`() = inHouse {
        val session = mei.addAccount(NewAccount("simulated"))
        val one = Executors.newSingleThreadExecutor().asCoroutineDispatcher()
        one.use {
            for (dispatcher in listOf(Dispatchers.Default, Dispatchers.IO, Dispatchers.Unconfined, one)) {
                withContext(dispatcher) {
                    repeat(20) { assertEquals(session, mei.card(session).session) }
                    coroutineScope { List(20) { async { mei.card(session) } }.awaitAll() }
                }
            }
        }
    }

    @Behaviour("ten_thousand_events")
    @Test
    fun `ten thousand events arrive once each and in order`() = inHouse {
        val sessions = List(10) { mei.addAccount(NewAccount("simulated")) }
        coroutineScope {
            for (session in sessions) launch(Dispatchers.Default) { repeat(999) { mei.setRemark(session, "remark $it") } }
            val seen = HashMap<String, Long>()
            mei.events().use { feed ->
                while (seen.values.sum() < 10_000) {
                    for (event in feed.nextBatch(500)) {
                        assertEquals((seen[event.session] ?: 0L) + 1, event.seq)
                        seen[event.session] = event.seq
                    }
                }
                assertEquals(seen, feed.cursors())
            }
            assertEquals(sessions.associateWith { 1000L }, seen)
        }
    }

    @Behaviour("panic")
    @Test
    fun `a panic is an error and the instance goes on`() = inHouse {
        // What nobody can send who goes through the package: an action that there is not. Reading it panics below every check.
        val session = mei.addAccount(NewAccount("simulated"))
        val garbage = RustBuffer.alloc(4UL)
        garbage.data!!.setInt(0, -1)
        garbage.writeField("len", 4L)
        val failed = runCatching {
            uniffiRustCallAsync(
                native(mei).callWithHandle { UniffiLib.uniffi_seatport_ffi_fn_method_desk_may(it, garbage) },
                { future, callback, continuation -> UniffiLib.ffi_seatport_ffi_rust_future_poll_i8(future, callback, continuation) },
                { future, status -> UniffiLib.ffi_seatport_ffi_rust_future_complete_i8(future, status) },
                { future -> UniffiLib.ffi_seatport_ffi_rust_future_free_i8(future) },
                { FfiConverterBoolean.lift(it) },
                SeatportException.ErrorHandler,
            )
        }
        assertTrue(failed.exceptionOrNull() is InternalException, failed.toString())
        assertEquals(session, mei.card(session).session)
    }

    private fun native(desk: Desk): NativeDesk =
        Desk::class.java.getDeclaredField("native").apply { isAccessible = true }.get(desk) as NativeDesk
}
