package dev.seatport

import java.time.Duration
import java.time.Instant
import java.time.temporal.ChronoUnit
import java.util.concurrent.ConcurrentLinkedQueue
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class ValuesTest {
    private val texts = listOf(
        "你好，蓝色的水壶",
        "\uD83D\uDC68\u200D\uD83D\uDC69\u200D\uD83D\uDC67 \uD83C\uDDE9\uD83C\uDDEA",
        "e\u0301 u\u0308",
        "\u05E9\u05DC\u05D5\u05DD \u0645\u0631\u062D\u0628\u0627",
        "a\nb\tc",
        "\uFFFF\uDBFF\uDFFD",
        "x".repeat(64 * 1024),
    )

    @Behaviour("unicode")
    @Test
    fun `texts arrive as they were written`() = inHouse {
        val said = conversation()
        for (text in texts) {
            val id = said.ana.write(said.line.phone.address(), text)
            mei.events().use { feed ->
                do {
                    val body = feed.next().body
                } while ((body as? EventBody.MessageStored)?.id != id)
            }
            assertEquals(text, mei.message(said.session, said.chat, id)?.text)
            val answer = mei.sendText(said.session, said.chat, text)
            while (said.ana.received().none { it.id == answer }) kotlinx.coroutines.delay(5)
            assertEquals(text, said.ana.received().last().text)
        }
        for (text in texts.filterNot { it.length > 4000 || '\n' in it || '\uFFFF' in it }) {
            assertEquals(text, mei.setRemark(said.session, text).remark)
            seatport.putAgent(Agent("bo", text, Role.AGENT))
            assertEquals(text, seatport.agent("bo")?.name)
        }
        assertEquals("", mei.setRemark(said.session, "").remark)
    }

    @Behaviour("nulls")
    @Test
    fun `what is left out is left out and what is there is there`() = inHouse {
        val bare = mei.card(mei.addAccount(NewAccount("simulated")))
        assertNull(bare.reason)
        assertNull(bare.nextTry)
        assertNull(bare.account)
        assertNull(bare.agent)
        assertNull(bare.port)
        assertEquals(Environment(), bare.environment)
        val environment = Environment(
            Proxy(ProxyScheme.SOCKS5, "proxy.example", 1080, "desk"), "Front desk", Platform.WINDOWS, "de-DE", "Europe/Berlin",
            mapOf("a" to "b", "c" to ""), mapOf("site" to "berlin"),
        )
        val full = mei.card(mei.addAccount(NewAccount("simulated", environment, "li", "remark", LoginMethod.PairingCode("+4915112345678"))))
        assertEquals(environment, full.environment)
        assertEquals("li", full.agent)
        assertEquals(listOf<Card>(), mei.cards(SessionFilter(listOf(CardStatus.ONLINE), AgentFilter.Unbound, "nothing")))
        assertEquals(listOf(full.session), mei.cards(SessionFilter(agent = AgentFilter.BoundTo("li"))).map { it.session })
        assertEquals(mapOf<String, Long>(), House.open().use { it.mei.cursors() })
        val said = conversation()
        val media = Media(MediaKind.VIDEO, "video/mp4", 9L, "a.mp4", "caption", 1, 2, Duration.ofMillis(1500), Secret("ref"))
        for (content in listOf<Content>(
            Content.Media(media), Content.Media(Media(MediaKind.AUDIO, "audio/ogg")), Content.Contact(ContactCard("Bo", listOf())),
            Content.Location(Location(-1, 1)), Content.Contact(ContactCard("Bo", listOf("+1", "+2"))), Content.Undecryptable,
        )) {
            val id = said.ana.send(said.line.phone.address(), content)
            while (mei.message(said.session, said.chat, id) == null) kotlinx.coroutines.delay(5)
            assertEquals(content, mei.message(said.session, said.chat, id)?.message?.content)
        }
    }

    @Behaviour("times")
    @Test
    fun `times are instants to the millisecond`() = inHouse {
        val before = Instant.now().truncatedTo(ChronoUnit.MILLIS)
        val session = mei.addAccount(NewAccount("simulated"))
        val made = mei.card(session).createdAt
        assertTrue(made in before..Instant.now(), made.toString())
        assertEquals(made, made.truncatedTo(ChronoUnit.MILLIS))
        val line = online()
        val until = Instant.parse("2041-01-02T03:04:05.678Z")
        messenger.ban(line.phone.address(), until)
        assertEquals(until, reach(line.session) { it.status == CardStatus.BLOCKED }.reason?.until)
        for (absurd in listOf(Instant.MAX, Instant.MIN, Instant.parse("+12345-01-01T00:00:00Z"))) {
            fails<SeatportException.Invalid> { messenger.ban(line.phone.address(), absurd) }
        }
        fails<SeatportException.Invalid> { seatport.drain(Duration.ofMillis(-1)) }
        fails<SeatportException.Invalid> { mei.start(session, WhenFull.Wait(Duration.ofSeconds(-1))) }
    }

    @Behaviour("bad_input")
    @Test
    fun `what makes no sense is refused by kind`() = inHouse {
        val session = mei.addAccount(NewAccount("simulated"))
        val calls = listOf<suspend () -> Any?>(
            { mei.card("") },
            { mei.card("x".repeat(100_000)) },
            { mei.card("\u0000") },
            { mei.setRemark(session, "\uD800") },
            { mei.setRemark(session, "x".repeat(5000)) },
            { mei.setRemark(session, "\u0007") },
            { mei.cards(limit = 0) },
            { mei.cards(limit = -1) },
            { mei.cards(SessionFilter(), Page(Edge.After("nothing"), 10)) },
            { mei.chats(session, Page(Edge.Before("x"), 10)) },
            { mei.messages(session, "bob", Page(Edge.After("-1"), 10)) },
            { mei.audit(-1, 10) },
            { mei.audit(0, 0) },
            { mei.events(mapOf(session to -1L)) },
            { mei.events(mapOf("nobody" to 1L)) },
            { mei.events().use { it.nextBatch(0) } },
            { mei.events().use { it.nextBatch(-1) } },
            { mei.consume("") },
            { mei.searchMessages(SearchQuery(""), 10) },
            { mei.leads(LeadQuery("yesterday", 1, "UTC")) },
            { mei.leads(LeadQuery("2024-01-01", 0, "UTC")) },
            { mei.leads(LeadQuery("2024-01-01", 1, "Mars/Olympus")) },
            { mei.verifyAudit(AuditHead(1, "not hex")) },
            { seatport.putAgent(Agent("", "", Role.AGENT)) },
            { seatport.resizePorts(0) },
            { parseProxy(Secret("ftp://somewhere")) },
            { mei.addAccount(NewAccount("simulated", Environment(Proxy(ProxyScheme.HTTP, "", 70_000)))) },
            { VaultKey.fromBytes(ByteArray(31)) },
            { Network.hosted("", Capabilities(), Host()) },
            { messenger.phone("nobody") },
        )
        for ((number, call) in calls.withIndex()) {
            val answer = runCatching { call() }
            assertTrue(answer.exceptionOrNull() is SeatportException.Invalid, "$number: $answer")
        }
        assertTrue(mei.cards(limit = Int.MAX_VALUE).isNotEmpty())
        assertEquals(listOf<AuditLine>(), mei.audit(Long.MAX_VALUE, 10))
        assertEquals("", mei.card(session).remark)
    }

    @Behaviour("secrets")
    @Test
    fun `no text shows a secret`() {
        val shown = ConcurrentLinkedQueue<String>()
        setLogSink({ records -> records.forEach { shown += it.toString() } }, LogLevel.TRACE)
        val password = "hunter2-password"
        val key = VaultKey.fromBytes(ByteArray(32) { 77 })
        val secrets = ArrayList(listOf(password, "hush-reference", "4d4d4d4d", "77, 77"))
        try {
            val host = Host(connecting = { shown += it.toString(); throw IllegalStateException("no") })
            inHouse({ host.on(it).copy(vaultKey = key).also { options -> shown += options.toString() } }) {
                val proxy = parseProxy(Secret("socks5://desk:$password@proxy.example:1080"))
                shown += listOf(proxy, Secret(password), key, messenger.network()).map { it.toString() }
                val session = mei.addAndStart(NewAccount("simulated", Environment(proxy)))
                val view = mei.watch(session).use { it.until { view -> view.challenge != null } }
                secrets += view.challenge!!.code.expose()
                shown += listOf(view, mei.loginCode(session), mei.card(session), mei, seatport).map { it.toString() }
                val media = Media(MediaKind.IMAGE, "image/png", reference = Secret("hush-reference"))
                shown += listOf(media, OutboundMessage("a", "b", Content.Media(media), null)).map { it.toString() }
                shown += fails<SeatportException> { parseProxy(Secret("ftp://desk:$password@x")) }.toString()
                val postgres = Storage.Postgres(Secret("postgres://desk:$password@127.0.0.1:1/none"))
                shown += postgres.toString()
                shown += fails<SeatportException> { Seatport.open(Options(postgres)) }.toString()
                mei.exportSession(session).use { export -> while (true) shown += export.next() ?: break }
                reach(mei.addAndStart(NewAccount("own", Environment()))) { it.attempt > 1 }
            }
        } finally {
            setLogSink(null, LogLevel.TRACE)
        }
        assertTrue(shown.size > 15)
        for (secret in secrets) assertFalse(shown.any { secret in it }, "shown: $secret in ${shown.find { secret in it }}")
    }
}
