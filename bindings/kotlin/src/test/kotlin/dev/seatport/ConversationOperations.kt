package dev.seatport

import java.time.LocalDate
import java.time.ZoneOffset
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue

// Conversations: reading, sending, finding, counting, exporting.

private val query get() = LeadQuery(LocalDate.now(ZoneOffset.UTC).minusDays(1).toString(), 3, "UTC")

internal fun Operations.conversations() {
    operation("Desk.contacts") {
        val said = conversation()
        assertEquals(listOf(said.chat), mei.contacts(said.session).map { it.address })
        assertEquals(listOf<Contact>(), mei.contacts(said.session, Page(Edge.After(said.chat), 10)))
    }
    operation("Desk.contact") {
        val said = conversation()
        assertEquals("Ana", mei.contact(said.session, said.chat).name)
    }
    operation("Desk.chats") {
        val said = conversation()
        val chat = mei.chats(said.session).single()
        assertEquals(said.chat, chat.address)
        assertEquals(1L, chat.unread)
        assertEquals(listOf<Chat>(), mei.chats(said.session, Page(Edge.After(chat.cursor), 10)))
    }
    operation("Desk.chat") {
        val said = conversation()
        val chat = mei.chat(said.session, said.chat)
        assertEquals(ChatKind.PERSON, chat.kind)
        assertEquals("Is the blue kettle in stock?", chat.last?.text)
    }
    operation("Desk.messages") {
        val said = conversation()
        val message = mei.messages(said.session, said.chat).single()
        assertEquals(said.message, message.message.id)
        assertEquals(Direction.INBOUND, message.message.direction)
        assertEquals(listOf<StoredMessage>(), mei.messages(said.session, said.chat, Page(Edge.After(message.seq.toString()), 10)))
    }
    operation("Desk.message") {
        val said = conversation()
        assertEquals("Is the blue kettle in stock?", mei.message(said.session, said.chat, said.message)?.text)
        assertNull(mei.message(said.session, said.chat, "none"))
    }
    operation("Desk.markRead") {
        val said = conversation()
        mei.markRead(said.session, said.chat)
        reach(said.session) { it.unread == 0L }
        while (said.ana.seenBy(said.line.phone.address()) != listOf(said.message)) delay(10)
    }
    operation("Desk.markReadUpTo") {
        val said = conversation()
        said.ana.write(said.line.phone.address(), "Hello?")
        reach(said.session) { it.unread == 2L }
        mei.markReadUpTo(said.session, said.chat, said.message)
        assertEquals(1L, mei.card(said.session).unread)
    }
}

internal fun Operations.sending() {
    operation("Desk.sendText") {
        val said = conversation()
        val plain = mei.sendText(said.session, said.chat, "It is.")
        val answer = mei.sendText(said.session, said.chat, "Two of them.", SendOptions(key = "k1", quoted = said.message))
        assertEquals(answer, mei.sendText(said.session, said.chat, "Two of them.", SendOptions(key = "k1", quoted = said.message)))
        while (said.ana.received().size < 2) delay(10)
        assertEquals(listOf(plain, answer), said.ana.received().map { it.id })
        assertEquals(listOf("It is.", "Two of them."), said.ana.received().map { it.text })
        assertEquals(said.message, said.ana.received().last().quoted)
    }
    operation("Desk.sendMedia") {
        val said = conversation()
        val picture = Media(
            MediaKind.IMAGE, "image/png", 3L, "kettle.png", "Blue", 640, 480, reference = Secret("https://media.example/kettle"),
        )
        mei.sendMedia(said.session, said.chat, picture)
        val id = mei.sendMedia(said.session, said.chat, picture, SendOptions(quoted = said.message))
        val kept = (mei.message(said.session, said.chat, id)!!.message.content as Content.Media).media
        assertEquals(picture.copy(reference = null), kept.copy(reference = null))
    }
    operation("Desk.cancelSend") {
        val said = conversation()
        mei.stop(said.session)
        val queued = mei.sendText(said.session, said.chat, "Later", SendOptions(whenStopped = WhenStopped.QUEUE))
        mei.cancelSend(said.session, said.chat, queued)
        assertEquals(SendFailure.Cancelled, mei.message(said.session, said.chat, queued)?.failure)
    }
}

internal fun Operations.searching() {
    operation("Desk.searchMessages") {
        val said = conversation()
        val hit = mei.searchMessages(SearchQuery("KETTLE"), 10).single()
        assertEquals(said.message, hit.message.message.id)
        assertEquals(listOf<MessageHit>(), mei.searchMessages(SearchQuery("kettle"), 10, hit.cursor))
    }
    operation("Desk.searchContacts") {
        val said = conversation()
        val hit = mei.searchContacts(SearchQuery("ana"), 10).single()
        assertEquals(said.chat, hit.contact.address)
        assertEquals(listOf<ContactHit>(), mei.searchContacts(SearchQuery("ana"), 10, hit.cursor))
    }
}

internal fun Operations.leads() {
    operation("Desk.leads") {
        conversation()
        val report = mei.leads(query.copy(by = listOf(LeadDimension.SESSION), compare = true))
        assertEquals(1L, report.current.total.new)
        assertEquals(1, report.current.rows.size)
        assertEquals(0L, report.before?.total?.new)
    }
    operation("Desk.exportLeads") {
        conversation()
        val csv = mei.exportLeads(query, CsvOptions(bom = true)).decodeToString()
        assertTrue(csv.startsWith("\uFEFF") && csv.lines().size > 2, csv)
    }
    operation("Desk.leadAdjustments") { assertEquals(listOf<VisibleAdjustment>(), mei.leadAdjustments(query)) }
    operation("Desk.rebuildLeads") {
        conversation()
        val before = mei.leads(query)
        mei.rebuildLeads()
        assertEquals(before, mei.leads(query))
    }
}

internal fun Operations.auditAndExport() {
    operation("Desk.audit") {
        val session = mei.addAccount(NewAccount("simulated"))
        val line = mei.audit(0, 10).last()
        assertEquals(session, line.entry.session)
        assertEquals(Action.ADD, line.entry.action)
        assertEquals(Outcome.DONE, line.entry.outcome)
        assertEquals("mei", line.entry.agent)
        assertEquals(listOf<AuditLine>(), mei.audit(line.number, 10))
    }
    operation("Desk.verifyAudit") {
        mei.addAccount(NewAccount("simulated"))
        val head = mei.verifyAudit()
        mei.addAccount(NewAccount("simulated"))
        assertEquals(head.lines + 1, mei.verifyAudit(head).lines)
    }
    operation("Desk.exportSession") {
        val said = conversation()
        mei.exportSession(said.session).use { assertTrue(it.asFlow().toList().any { line -> "blue kettle" in line }) }
    }
    operation("Export.next") {
        val said = conversation()
        mei.exportSession(said.session).use { export ->
            val lines = generateSequence { kotlinx.coroutines.runBlocking { export.next() } }.toList()
            assertTrue(lines.size >= 4, lines.toString())
            assertNull(export.next())
        }
    }
    operation("Export.nextBatch") {
        val said = conversation()
        mei.exportSession(said.session).use { export ->
            assertEquals(2, export.nextBatch(2).size)
            do {
                val lines = export.nextBatch(2)
            } while (lines.isNotEmpty())
        }
    }
    operation("Export.asFlow") {
        val said = conversation()
        mei.exportSession(said.session).use { assertTrue(it.asFlow().first().startsWith("{")) }
    }
    operation("Export.close") {
        val export = mei.exportSession(mei.addAccount(NewAccount("simulated")))
        export.close()
        fails<SeatportException.Closed> { export.next() }
    }
}
