package dev.seatport

import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue

// What is read bit by bit.

internal fun Operations.events() {
    operation("Desk.cursors") {
        val session = mei.addAccount(NewAccount("simulated"))
        assertEquals(mapOf(session to 1L), mei.cursors())
    }
    operation("Desk.events") {
        val session = mei.addAccount(NewAccount("simulated"))
        mei.events().use { assertEquals(EventBody.Added, it.next().body) }
        mei.setRemark(session, "x")
        mei.events(mapOf(session to 1L)).use { assertEquals(EventBody.RemarkChanged, it.next().body) }
    }
    operation("EventFeed.next") {
        val session = mei.addAccount(NewAccount("simulated"))
        mei.events().use { feed ->
            val event = feed.next()
            assertEquals(session, event.session)
            assertEquals(1L, event.seq)
        }
    }
    operation("EventFeed.nextBatch") {
        repeat(5) { mei.addAccount(NewAccount("simulated")) }
        mei.events().use { feed ->
            val sessions = HashSet<String>()
            while (sessions.size < 5) {
                val batch = feed.nextBatch(2)
                assertTrue(batch.size in 1..2)
                assertTrue(sessions.addAll(batch.map { it.session }))
            }
        }
    }
    operation("EventFeed.asFlow") {
        repeat(3) { mei.addAccount(NewAccount("simulated")) }
        mei.events().use { feed ->
            val first = feed.asFlow().first()
            val second = feed.asFlow().first()
            assertFalse(first.session == second.session)
            feed.close()
            assertEquals(listOf<Event>(), feed.asFlow().toList())
        }
    }
    operation("EventFeed.cursors") {
        val sessions = List(3) { mei.addAccount(NewAccount("simulated")) }
        mei.events().use { feed ->
            val handed = feed.next().session
            val cursors = feed.cursors()
            assertEquals(1L, cursors[handed])
            assertEquals(0L, sessions.filter { it != handed }.sumOf { cursors[it] ?: 0L })
            mei.events(cursors).use { again -> assertFalse(again.next().session == handed) }
        }
    }
    operation("EventFeed.close") {
        val feed = mei.events()
        feed.close()
        feed.close()
        fails<SeatportException.Closed> { feed.next() }
    }
    operation("Desk.consume") { mei.consume("crm").use { assertEquals("crm", it.name) } }
    operation("Desk.consumers") {
        mei.addAccount(NewAccount("simulated"))
        mei.consume("crm").close()
        assertEquals(listOf(ConsumerState("crm", 1L)), mei.consumers())
    }
    operation("Desk.forgetConsumer") {
        mei.consume("crm").close()
        mei.forgetConsumer("crm")
        assertEquals(listOf<ConsumerState>(), mei.consumers())
    }
    operation("Consumer.name") { mei.consume("crm").use { assertEquals("crm", it.name) } }
    operation("Consumer.next") {
        mei.addAccount(NewAccount("simulated"))
        mei.consume("crm").use { assertEquals(EventBody.Added, it.next().body) }
    }
    operation("Consumer.nextBatch") {
        repeat(3) { mei.addAccount(NewAccount("simulated")) }
        mei.consume("crm").use { crm ->
            val sessions = HashSet<String>()
            while (sessions.size < 3) assertTrue(sessions.addAll(crm.nextBatch(10).map { it.session }))
        }
    }
    operation("Consumer.asFlow") {
        mei.addAccount(NewAccount("simulated"))
        mei.consume("crm").use { assertEquals(EventBody.Added, it.asFlow().first().body) }
    }
    operation("Consumer.acknowledge") {
        repeat(3) { mei.addAccount(NewAccount("simulated")) }
        val handled = mei.consume("crm").use { crm ->
            val first = crm.next()
            crm.acknowledge()
            first.session
        }
        // What was fetched along with it, and not handed out, comes again.
        mei.consume("crm").use { crm ->
            val rest = listOf(crm.next(), crm.next())
            assertFalse(rest.any { it.session == handled })
            crm.acknowledge()
        }
        assertEquals(0L, mei.consumers().single().behind)
    }
    operation("Consumer.acknowledgeUpTo") {
        val session = mei.addAccount(NewAccount("simulated"))
        mei.setRemark(session, "x")
        mei.consume("crm").use { crm ->
            crm.nextBatch(10)
            crm.acknowledgeUpTo(mapOf(session to 1L))
        }
        mei.consume("crm").use { assertEquals(2L, it.next().seq) }
    }
    operation("Consumer.close") {
        val consumer = mei.consume("crm")
        consumer.close()
        fails<SeatportException.Closed> { consumer.acknowledge() }
    }
    operation("Desk.watch") {
        val session = mei.addAccount(NewAccount("simulated"))
        mei.watch(session).use { assertEquals(session, it.next().card.session) }
    }
    operation("Watch.next") {
        val session = mei.addAccount(NewAccount("simulated"))
        mei.watch(session).use { watch ->
            assertEquals("", watch.next().card.remark)
            mei.setRemark(session, "x")
            assertEquals("x", watch.next().card.remark)
        }
    }
    operation("Watch.until") {
        val session = mei.addAndStart(NewAccount("simulated"))
        mei.watch(session).use { watch -> assertNotNull(watch.until { it.challenge != null }.challenge) }
    }
    operation("Watch.asFlow") {
        val session = mei.addAndStart(NewAccount("simulated"))
        mei.watch(session).use { watch -> assertNotNull(watch.asFlow().first { it.challenge != null }.challenge) }
    }
    operation("Watch.close") {
        val watch = mei.watch(mei.addAccount(NewAccount("simulated")))
        watch.close()
        fails<SeatportException.Closed> { watch.next() }
    }
}
