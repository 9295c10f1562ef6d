package dev.seatport.examples

import dev.seatport.Agent
import dev.seatport.Card
import dev.seatport.CardStatus
import dev.seatport.Content
import dev.seatport.Desk
import dev.seatport.Environment
import dev.seatport.EventBody
import dev.seatport.EventFeed
import dev.seatport.LeadDimension
import dev.seatport.LeadQuery
import dev.seatport.Messenger
import dev.seatport.MessageStatus
import dev.seatport.NewAccount
import dev.seatport.Options
import dev.seatport.Outcome
import dev.seatport.Person
import dev.seatport.Phone
import dev.seatport.PortRange
import dev.seatport.Role
import dev.seatport.Seatport
import dev.seatport.SeatportException
import dev.seatport.SearchQuery
import dev.seatport.Secret
import dev.seatport.Storage
import dev.seatport.VaultKey
import dev.seatport.WhenFull
import dev.seatport.parseProxy
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.time.LocalDate
import java.time.ZoneId
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.deleteRecursively
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking

/** Where the office counts its days. */
private const val ZONE = "Asia/Shanghai"

/** Tells the story of a customer-service team, on a temporary database and the simulated messenger. */
fun main() = runBlocking { tell(::println) }

/** Tells it from the beginning to the end, line by line. */
@OptIn(ExperimentalPathApi::class)
suspend fun tell(say: (String) -> Unit) {
    val directory = Files.createTempDirectory("seatport-story")
    try {
        Story(directory.resolve("story.db"), say).tell()
    } finally {
        directory.deleteRecursively()
    }
}

/** What one process of the host holds. */
private class Office(val seatport: Seatport, val mei: Desk, val li: Desk)

private class Story(private val database: Path, private val say: (String) -> Unit) {
    private val key = VaultKey.generate()

    /** The messenger network, which goes on when the office is closed. */
    private val network = Messenger(7)
    private val phone: Phone = network.phone("+8613800138000")
    private val ana: Person = network.person("Ana")
    private val bo: Person = network.person("Bo")

    suspend fun tell() {
        val session = open().run { seatport.use { firstDay() } }
        say("The host shuts down, and opens Seatport again on the same file.")
        open().run { seatport.use { secondDay(session) } }
        say("The office closes.")
    }

    private suspend fun open(): Office {
        val options = Options(
            Storage.Sqlite(database.toString()),
            networks = listOf(network.network()),
            vaultKey = key,
            ports = PortRange(8001, 2),
        )
        val seatport = Seatport.open(options)
        seatport.putAgent(Agent("mei", "Mei Lin", Role.SUPERVISOR))
        seatport.putAgent(Agent("li", "Li Wei", Role.AGENT))
        return Office(seatport, seatport.desk("mei"), seatport.desk("li"))
    }

    private suspend fun Office.firstDay(): String {
        say("== An account is added, and scanned")
        val environment = Environment(
            proxy = parseProxy(Secret("socks5://desk1:a-password@proxy.example:1080")),
            deviceName = "Front desk 1",
            locale = "zh-CN",
            timeZone = ZONE,
        )
        val hotline = mei.addAndStart(NewAccount("simulated", environment, agent = "li", remark = "hotline"))
        show("It occupies a port from now on, though nobody has logged in yet", mei.card(hotline))
        mei.watch(hotline).use { it.until { view -> view.challenge != null } }
        phone.scan(mei.loginCode(hotline).code)
        show("Somebody scans the code with the phone of the hotline", mei.reach(hotline) { it.status == CardStatus.ONLINE })

        say("== Customers write")
        ana.write(phone.address(), "Is the blue kettle in stock?")
        mei.reach(hotline) { it.unread == 1L }
        bo.write(phone.address(), "My parcel has not come.")
        bo.write(phone.address(), "The number is 4711.")
        show("Ana writes, then Bo twice", mei.reach(hotline) { it.unread == 3L })

        say("== The agents at work")
        refused("Li would like another agent on it") { li.assign(hotline, null) }
        li.markRead(hotline, bo.address())
        show("Everything else agents may do too: Li opens the chat with Bo", mei.reach(hotline) { it.unread == 1L })
        val answer = li.sendText(hotline, bo.address(), "It comes today, before six.")
        li.events().use { feed ->
            feed.await(answer, MessageStatus.SENT)
            bo.confirm(phone.address(), answer)
            feed.await(answer, MessageStatus.DELIVERED)
            bo.read(phone.address(), answer)
            feed.await(answer, MessageStatus.READ)
        }
        conversation(hotline, bo)

        portsRunOut(hotline)
        return hotline
    }

    private suspend fun Office.portsRunOut(hotline: String) {
        say("== Two ports for three accounts")
        val returns = mei.addAndStart(NewAccount("simulated", remark = "returns"))
        val press = li.addAccount(NewAccount("simulated", remark = "press"))
        refused("Li starts a third account") { li.start(press) }
        coroutineScope {
            val patient = async { li.start(press, WhenFull.Wait(Duration.ofSeconds(10))) }
            mei.stop(returns)
            show("So Li waits in line; Mei stops the second one, and its port goes to the third", patient.await())
        }
        val before = li.card(hotline)
        li.restart(hotline)
        val after = li.reach(hotline) { it.status == CardStatus.ONLINE && it.since > before.since }
        check(after.port == before.port) { "a restart keeps the port" }
        show("Li restarts the hotline: same port, no scan", after)

        refused("Mei tries to delete it while it runs") { mei.delete(hotline) }
        show("She stops it", mei.stop(hotline))
        say("Offline, what was said stays readable:")
        conversation(hotline, bo)
        ana.write(phone.address(), "Hello? The blue one?")
        mei.start(hotline)
        show("Ana writes meanwhile; Mei starts it again, and the message comes in", mei.reach(hotline) { it.unread == 2L })
    }

    private suspend fun Office.secondDay(hotline: String) {
        show("What ran is back, on its port and without a scan", mei.reach(hotline) { it.status == CardStatus.ONLINE })

        say("== Found again, and counted")
        for (hit in li.searchMessages(SearchQuery("parcel"), 10)) say("  ${hit.message.message.chat}: ${hit.message.message.words}")
        val query = LeadQuery(LocalDate.now(ZoneId.of(ZONE)).minusDays(6).toString(), 7, ZONE)
        refused("Li would like to know how many new customers there were") { li.leads(query) }
        val leads = mei.leads(query.copy(by = listOf(LeadDimension.AGENT))).current.total
        check(leads.new == 2L) { "Ana and Bo are two" }
        say("Mei, the supervisor, sees it: ${leads.new} new, ${leads.replied} answered")

        say("== What is on record")
        mei.events().use { feed ->
            val first = feed.asFlow().first { it.body is EventBody.LoggedIn }
            say("  event ${first.seq}: logged in")
        }
        for (line in mei.audit(0, 1000).filter { it.entry.outcome != Outcome.DONE }) {
            say("  line ${line.number}: ${line.entry.agent}, ${line.entry.action}: ${line.entry.outcome}")
        }
        val head = mei.verifyAudit()
        say("  ${head.lines} lines, and none was changed")

        say("== Deleted, for good")
        mei.stop(hotline)
        mei.delete(hotline)
        refused("Mei stops the hotline and deletes it") { mei.card(hotline) }
        check(mei.leads(query).current.total.new == 2L) { "what was counted stays" }
        say("What the data centre counted stays, without a trace of who it was.")
    }

    private suspend fun Desk.reach(session: String, isSo: (Card) -> Boolean): Card =
        watch(session).use { it.until { view -> isSo(view.card) }.card }

    private suspend fun EventFeed.await(message: String, status: MessageStatus) {
        asFlow().first { event -> (event.body as? EventBody.MessageStatusChanged)?.let { it.id == message && it.status == status } == true }
        say("  $status")
    }

    private suspend fun Office.conversation(session: String, with: Person) {
        for (stored in mei.messages(session, with.address()).asReversed()) say("  ${stored.message.direction}: ${stored.message.words}")
    }

    private val dev.seatport.Message.words get() = (content as? Content.Text)?.text ?: content.toString()

    private fun show(what: String, card: Card) =
        say("$what:\n  ${card.remark}: ${card.status}, port ${card.port}, ${card.unread} unread, ${card.account?.name ?: "nobody"}")

    private suspend fun refused(what: String, call: suspend () -> Any?) {
        val refusal = try {
            call()
            null
        } catch (refused: SeatportException) {
            refused
        }
        say("$what:\n  ${checkNotNull(refusal) { "this was to be refused" }.message}")
    }
}
