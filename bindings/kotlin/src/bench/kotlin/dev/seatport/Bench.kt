package dev.seatport

import java.io.File
import java.time.Duration
import java.util.Locale
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/**
 * What calls from Kotlin cost beside empty ones, how fast lists and events are read, and whether memory grows.
 *
 * Overhead is a real call without what core itself takes for it, beside an empty function of the same signature in the same library.
 * Slices of a few milliseconds of one and of the other take turns, and the median of their ratios counts: a thread that the operating
 * system moves to another processor makes calls several times slower or faster, for longer than a slice, and so weighs on both.
 */
fun main(arguments: Array<String>): Unit = runBlocking { Bench("--quick" in arguments).run() }

private const val BOUND = 1.15
private const val GROWTH = 0.05

private class Bench(private val quick: Boolean) {
    suspend fun run() {
        val (cards, events) = if (quick) 2_000 to 20_000 else 10_000 to 100_000
        val networks = listOf(Messenger(1).network(), Network.hosted("sink", Capabilities(), Sinks()))
        Seatport.open(Options(Storage.Memory, networks = networks, insecurePlaintextVault = true)).use { node ->
            node.putAgent(Agent("mei", "Mei", Role.SUPERVISOR))
            val desk = node.desk("mei")
            val sessions = List(cards) { desk.addAccount(NewAccount("simulated")) }
            for (number in cards until events) desk.setRemark(sessions[number % cards], "remark $number")
            val session = sessions.first()
            val probe = probe(desk, session)
            calls(node, desk, probe, session)
            events()
            reading(desk, cards, events)
            memory(node, desk, probe, session)
        }
    }

    private suspend fun calls(node: Seatport, desk: Desk, probe: Probe, session: String) {
        val page = Page(Edge.First, 1000)
        beside("node_id, synchronous", { node.nodeId() }, { probe.nodeId() }, null, 400)
        beside("may, asynchronous", { desk.may(Action.VIEW) }, { probe.may(Action.VIEW) }, ProbedCall.MAY of probe, 200)
        beside("card, a record", { desk.card(session) }, { probe.card(session) }, ProbedCall.CARD of probe, 200)
        val all = SessionFilter()
        beside("cards, a list of 1,000", { desk.cards(all, page) }, { probe.cards(all, page) }, ProbedCall.CARDS of probe, 20)
        val message = OutboundMessage("a@b", "1", Content.Text("hello"), null)
        beside("send, called by the library", { probe.sendLimited(Sink, message) }, { probe.send(Sink, message) }, null, 100)
    }

    /** On a node with one session, since a batch is of one: each is then as large as the next. */
    private suspend fun events() = Seatport.open(Options(Storage.Memory, listOf(Messenger(1).network()), insecurePlaintextVault = true)).use { node ->
        node.putAgent(Agent("mei", "Mei", Role.SUPERVISOR))
        val desk = node.desk("mei")
        val session = desk.addAccount(NewAccount("simulated"))
        repeat(20_000) { desk.setRemark(session, "remark $it") }
        val probe = probe(desk, session)
        // As many as there are in a batch at most.
        val size = probe.next(0, 1000).events.size
        val batches = 20_000 / size
        // What is read is read once: after so many batches from the beginning again.
        var feed = desk.events()
        var left = batches
        val next: suspend () -> Any? = {
            if (left == 0) {
                feed.close()
                feed = desk.events()
                left = batches
            }
            left--
            feed.nextBatch(1000).also { check(it.size == size) { "a batch of ${it.size}" } }
        }
        beside("next, $size events", next, { probe.next(0, 1000) }, { probe.spentInCore(ProbedCall.NEXT, batches) }, batches)
        feed.close()
    }

    private suspend fun probe(desk: Desk, session: String): Probe {
        val native = Desk::class.java.getDeclaredField("native").apply { isAccessible = true }.get(desk) as NativeDesk
        return Probe.of(native, session)
    }

    private infix fun ProbedCall.of(probe: Probe): suspend () -> Duration = { probe.spentInCore(this, if (this == ProbedCall.CARDS) 20 else 2_000) }

    private suspend fun reading(desk: Desk, cards: Int, events: Int) {
        var begun = System.nanoTime()
        var count = 0
        var edge: Edge = Edge.First
        while (true) {
            val page = desk.cards(SessionFilter(), Page(edge, 1000))
            count += page.size
            edge = Edge.After(page.lastOrNull()?.session ?: break)
        }
        check(count == cards) { "$count cards" }
        tell(String.format(Locale.ROOT, "%,d cards listed, in pages of 1,000", count), (System.nanoTime() - begun) / 1e6, "ms")
        begun = System.nanoTime()
        count = 0
        desk.events().use { while (count < events) count += it.nextBatch(1000).size }
        tell("events read, in batches of 1,000", count * 1e9 / (System.nanoTime() - begun), "/s")
        begun = System.nanoTime()
        desk.events().use { it.asFlow().take(events).collect() }
        tell("events read, one by one", events * 1e9 / (System.nanoTime() - begun), "/s")
    }

    private suspend fun memory(node: Seatport, desk: Desk, probe: Probe, session: String) {
        val few = Page(Edge.First, 1)
        val message = OutboundMessage("a@b", "1", Content.Text("hello"), null)
        grows("node_id") { node.nodeId() }
        grows("may") { desk.may(Action.VIEW) }
        grows("card") { desk.card(session) }
        grows("cards, one of them") { desk.cards(SessionFilter(), few) }
        grows("events, one of them") { probe.next(0, 1) }
        grows("send, called by the library") { probe.sendLimited(Sink, message) }
        grows("an error") {
            try {
                desk.card("nonsense")
                error("it was to be refused")
            } catch (_: SeatportException.Invalid) {
            }
        }
        grows("a cancelled call") {
            coroutineScope { launch(start = CoroutineStart.UNDISPATCHED) { desk.card(session) }.cancelAndJoin() }
        }
        grows("a feed opened and closed") { desk.events().close() }
    }

    /** Measures a call beside an empty one, in slices of so many calls. */
    private suspend fun beside(what: String, real: suspend () -> Any?, empty: suspend () -> Any?, inCore: (suspend () -> Duration)?, slice: Int) {
        val slices = if (quick) 40 else 200
        // Until the compiler of the JVM has seen enough of it.
        repeat(slices) {
            timed(real, slice)
            timed(empty, slice)
        }
        val rounds = List(slices) { round ->
            val core = (inCore?.invoke() ?: Duration.ZERO).toNanos() / 1e3
            // Which of them comes first must not matter.
            val before = if (round % 2 == 0) timed(empty, slice) else null
            val taken = timed(real, slice)
            val beside = before ?: timed(empty, slice)
            Triple(taken, beside, (taken - core) / beside)
        }
        tell("$what: a call", median(rounds.map { it.first }), "µs")
        tell("$what: an empty one", median(rounds.map { it.second }), "µs")
        tell("$what: overhead beside the empty one", median(rounds.map { it.third }), "", BOUND)
    }

    /** What one call takes, in µs. */
    private suspend fun timed(call: suspend () -> Any?, times: Int): Double {
        val begun = System.nanoTime()
        for (time in 0 until times) call()
        return (System.nanoTime() - begun) / 1e3 / times
    }

    /** Looks whether memory grows with the number of calls: all of it, and that of the JVM alone, whose heap is held as a whole from the start. */
    private suspend fun grows(what: String, call: suspend () -> Any?) {
        val (few, many) = if (quick) 1_000 to 10_000 else 10_000 to 100_000
        repeat(few) { call() }
        val heap = heap()
        val resident = resident()
        repeat(many - few) { call() }
        val kept = (heap() - heap) * 1e6 / (many - few)
        val growth = maxOf(0.0, resident() / resident - 1)
        tell(String.format(Locale.ROOT, "%s: resident after %,d calls", what, few), resident, "MB")
        tell(String.format(Locale.ROOT, "%s: growth until %,d calls", what, many), growth, "", GROWTH)
        // Less than any object: none of a call stays.
        tell("$what: what a call leaves on the heap", maxOf(0.0, kept), "bytes", 16.0)
    }

    /** Resident memory in MB. */
    private fun resident(): Double = File("/proc/self/statm").readText().split(' ')[1].toLong() * 4096 / 1e6

    /** What lives on the heap, in MB, once all that is garbage is gone: what cleans up behind the collector has a thread of its own. */
    private fun heap(): Double {
        fun used() = Runtime.getRuntime().run { totalMemory() - freeMemory() } / 1e6
        var least = Double.MAX_VALUE
        var rounds = 0
        while (rounds < 5) {
            System.gc()
            Thread.sleep(100)
            if (used() < least * 0.99) {
                least = used()
                rounds = 0
            } else {
                rounds++
            }
        }
        return least
    }

    /** Prints a figure, and keeps it where that is wanted. */
    private fun tell(what: String, value: Double, unit: String, bound: Double? = null) {
        val said = if (bound == null) "" else String.format(Locale.ROOT, "<= %.4g", bound).trimEnd('0').trimEnd('.')
        val missed = bound != null && value > bound
        println(String.format(Locale.ROOT, "%-64s %,14.3f %-6s %s%s", what, value, unit, said, if (missed) "  MISSED" else ""))
        System.getenv("SEATPORT_FIGURES")?.takeIf { it.isNotEmpty() }?.let {
            File(it).appendText(String.format(Locale.ROOT, "%s\t%.6g\t%s\t%s\n", what, value, unit, said))
        }
    }

    private fun median(values: List<Double>): Double = values.sorted()[values.size / 2]
}

/** Takes every message. */
private object Sink : Connection {
    override suspend fun send(message: OutboundMessage) = Unit

    override suspend fun markRead(chat: String, messages: List<ReadMessage>) = Unit

    override suspend fun logOut() = Unit

    override suspend fun close() = Unit
}

private class Sinks : Transport {
    override suspend fun connect(dial: Dial): Connection {
        dial.signals.ready(Account("me@sink"))
        return Sink
    }
}
