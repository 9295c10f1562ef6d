package dev.seatport

import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue

// Networks and keys, and the simulated messenger.

internal fun Operations.network() {
    operation("Messenger.network") { assertEquals("simulated", messenger.network().name()) }
    operation("Messenger.phone") { assertEquals("4915112345678", messenger.phone("+4915112345678").account().phone) }
    operation("Messenger.person") { assertTrue(messenger.person("Ana").address().isNotEmpty()) }
    operation("Messenger.group") {
        val line = online()
        val group = messenger.group("Team", listOf(line.phone))
        messenger.person("Ana").write(group.address(), "Hello all")
        reach(line.session) { it.unread == 1L }
        assertEquals(ChatKind.GROUP, mei.chats(line.session).single().kind)
    }
    operation("Messenger.channel") {
        val line = online()
        val channel = messenger.channel("News", listOf(line.phone))
        messenger.person("Ana").write(channel.address(), "It rains")
        mei.events().use { feed -> feed.asFlow().first { (it.body as? EventBody.MessageStored)?.chat == channel.address() } }
        assertEquals(ChatKind.BROADCAST, mei.chat(line.session, channel.address()).kind)
    }
    operation("Group.address") { assertTrue(messenger.group("Team", listOf()).address().isNotEmpty()) }
    operation("Group.received") {
        val line = online()
        val group = messenger.group("Team", listOf(line.phone))
        mei.sendText(line.session, group.address(), "Good morning")
        while (group.received().isEmpty()) delay(10)
        assertEquals("Good morning", group.received().single().text)
    }
    operation("Messenger.dials") {
        online()
        assertTrue(messenger.dials() >= 1L)
    }
    operation("Messenger.ban") {
        val line = online()
        messenger.ban(line.phone.address())
        assertEquals(ReasonKind.BANNED, reach(line.session) { it.status == CardStatus.BLOCKED }.reason?.kind)
    }
    operation("Messenger.unban") {
        val line = online()
        messenger.ban(line.phone.address())
        reach(line.session) { it.status == CardStatus.BLOCKED }
        messenger.unban(line.phone.address())
        mei.restart(line.session)
        reach(line.session) { it.status == CardStatus.ONLINE }
    }
    operation("Messenger.setConditions") {
        messenger.setConditions(Conditions(down = true))
        val session = mei.addAndStart(NewAccount("simulated"))
        assertEquals(ReasonKind.CONNECTION_LOST, reach(session) { it.attempt > 1 }.reason?.kind)
        messenger.setConditions(Conditions())
        reach(session) { it.status == CardStatus.AWAITING_LOGIN }
    }
    operation("Messenger.setProxyRefusing") {
        val proxy = Proxy(ProxyScheme.HTTP, "proxy.example", 8080)
        messenger.setProxyRefusing(proxy, true)
        val session = mei.addAndStart(NewAccount("simulated", Environment(proxy)))
        assertEquals(ReasonKind.PROXY_REFUSED, reach(session) { it.status == CardStatus.BLOCKED }.reason?.kind)
    }
    operation("Phone.account") { assertEquals("4915112345678", messenger.phone("+4915112345678").account().phone) }
    operation("Phone.address") {
        val phone = messenger.phone("+4915112345678")
        assertEquals(phone.account().address, phone.address())
    }
    operation("Phone.devices") {
        val line = online()
        assertEquals(listOf(line.session), line.phone.devices().map { it.session })
    }
    operation("Phone.scan") {
        val line = online()
        fails<SeatportException.Invalid> { line.phone.scan(Secret("no code")) }
    }
    operation("Phone.enterPairingCode") {
        fails<SeatportException.Invalid> { messenger.phone("+4915112345678").enterPairingCode(Secret("AAAA-BBBB")) }
    }
    operation("Phone.logOut") {
        val line = online()
        line.phone.logOut(line.session)
        assertEquals(ReasonKind.LOGGED_OUT, reach(line.session) { it.status == CardStatus.BLOCKED }.reason?.kind)
    }
    operation("Phone.openElsewhere") {
        val line = online()
        line.phone.openElsewhere()
        assertEquals(ReasonKind.REPLACED, reach(line.session) { it.status == CardStatus.BLOCKED }.reason?.kind)
    }
    operation("Phone.setConditions") {
        val line = online()
        line.phone.setConditions(Conditions(outdated = true))
        mei.restart(line.session)
        reach(line.session) { it.status == CardStatus.BLOCKED }
    }
    operation("Phone.unacknowledged") {
        val line = online()
        mei.stop(line.session)
        messenger.person("Ana").write(line.phone.address(), "Hello")
        assertEquals(1L, line.phone.unacknowledged())
    }
    operation("Network.name") { assertEquals("simulated", messenger.network().name()) }
    operation("Network.hosted") { assertEquals("own", Network.hosted("own", Capabilities(), Host()).name()) }
    operation("Network.whatsapp") { assertEquals("whatsapp", fails<SeatportException.NotBuilt> { Network.whatsapp() }.feature) }
    operation("VaultKey.fromBytes") { assertEquals(32, VaultKey.fromBytes(ByteArray(32) { 7 }).expose().size) }
    operation("VaultKey.generate") { assertFalse(VaultKey.generate().expose().contentEquals(VaultKey.generate().expose())) }
    operation("VaultKey.expose") { assertEquals(7.toByte(), VaultKey.fromBytes(ByteArray(32) { 7 }).expose().first()) }
    operation("Secret.equals") {
        assertEquals(Secret("hush"), Secret("hush"))
        assertEquals(1, setOf(Secret("hush"), Secret("hush")).size)
        assertFalse(Secret("hush") == Secret("psst"))
    }
    operation("Secret.expose") { assertEquals("hush", Secret("hush").expose()) }
}

internal fun Operations.person() {
    operation("Person.address") { assertEquals(messenger.person("Ana").address(), messenger.person("Ana").address()) }
    operation("Person.write") { assertTrue(conversation().message.isNotEmpty()) }
    operation("Person.send") {
        val said = conversation()
        val id = said.ana.send(said.line.phone.address(), Content.Location(Location(48137000, 11575000, "Here")))
        reach(said.session) { it.unread == 2L }
        val content = mei.message(said.session, said.chat, id)!!.message.content
        assertEquals(Content.Location(Location(48137000, 11575000, "Here")), content)
    }
    operation("Person.sendAgain") {
        val said = conversation()
        val id = said.ana.send(said.line.phone.address(), Content.Undecryptable)
        reach(said.session) { it.unread == 2L }
        said.ana.sendAgain(said.line.phone.address(), id, Content.Text("Readable now"))
        until { mei.message(said.session, said.chat, id)?.message?.content == Content.Text("Readable now") }
    }
    operation("Person.reply") {
        val said = conversation()
        val id = said.ana.reply(said.line.phone.address(), said.message, "I mean the big one")
        reach(said.session) { it.unread == 2L }
        assertEquals(said.message, mei.message(said.session, said.chat, id)?.message?.quoted)
    }
    operation("Person.edit") {
        val said = conversation()
        said.ana.edit(said.line.phone.address(), said.message, "Is the red kettle in stock?")
        until { mei.message(said.session, said.chat, said.message)?.editedAt != null }
    }
    operation("Person.delete") {
        val said = conversation()
        said.ana.delete(said.line.phone.address(), said.message)
        until { mei.message(said.session, said.chat, said.message)?.message?.content == Content.Deleted }
    }
    operation("Person.react") {
        val said = conversation()
        said.ana.react(said.line.phone.address(), said.message, "\uD83D\uDC4D")
        until { mei.message(said.session, said.chat, said.message)?.reactions?.map { it.emoji } == listOf("\uD83D\uDC4D") }
    }
    operation("Person.confirm") {
        val said = conversation()
        val id = mei.sendText(said.session, said.chat, "It is.")
        until { said.ana.received().isNotEmpty() }
        said.ana.confirm(said.line.phone.address(), id)
        until { mei.message(said.session, said.chat, id)?.message?.status == MessageStatus.DELIVERED }
    }
    operation("Person.read") {
        val said = conversation()
        val id = mei.sendText(said.session, said.chat, "It is.")
        until { said.ana.received().isNotEmpty() }
        said.ana.read(said.line.phone.address(), id)
        until { mei.message(said.session, said.chat, id)?.message?.status == MessageStatus.READ }
    }
    operation("Person.received") {
        val said = conversation()
        mei.sendText(said.session, said.chat, "It is.")
        until { said.ana.received().isNotEmpty() }
        assertEquals(said.line.phone.address(), said.ana.received().single().sender)
    }
    operation("Person.rename") {
        val said = conversation()
        said.ana.rename("Ana Maria")
        until { mei.contact(said.session, said.chat).name == "Ana Maria" }
    }
    operation("Person.show") {
        val said = conversation()
        said.ana.show("picture-1")
        until { mei.contact(said.session, said.chat).avatar == "picture-1" }
    }
    operation("Person.seenBy") {
        val said = conversation()
        assertEquals(listOf<String>(), said.ana.seenBy(said.line.phone.address()))
    }
    operation("Person.revealNumber") {
        val said = conversation()
        said.ana.revealNumber(said.line.phone.address(), "+351912345678")
        until { mei.contact(said.session, said.chat).phone == "351912345678" }
    }
    operation("Person.isAlso") {
        val said = conversation()
        val other = messenger.person("Ana elsewhere")
        said.ana.isAlso(said.line.phone.address(), other)
        mei.events().use { feed -> feed.asFlow().first { it.body is EventBody.IdentityMerged } }
    }
}
