package dev.seatport.examples

import dev.seatport.Account
import dev.seatport.PeerProfile
import dev.seatport.ReceivedText
import dev.seatport.Secret
import dev.seatport.TransportPeer
import kotlinx.coroutines.channels.Channel

/** Where echoes come from. */
const val WALL = "wall@echo"

/**
 * The other side of the wire: a network on which everybody hears their own words. Of a real network this is somebody else's, elsewhere.
 */
class EchoNetwork {
    /** What the network says on a connection; the end of it means that the connection was cut. */
    internal sealed interface News {
        /** A phone has scanned the login code. */
        class Linked(val account: Account, val token: String) : News

        /** The account is online. */
        class Online(val account: Account) : News

        /** A text that comes back; said again at every login until it is acknowledged by its number. */
        class Echo(val number: Long, val text: String) : News

        /** The phone has logged this device out. */
        data object LoggedOut : News
    }

    /** A connection. */
    internal class Line {
        val news = Channel<News>(Channel.UNLIMITED)
    }

    private class Device(val account: Account) {
        var line: Line? = null
        val mailbox = LinkedHashMap<Long, News.Echo>()
        val sent = HashSet<String>()
    }

    private var numbers = 0L
    private val lines = HashSet<Line>()
    private val codes = HashMap<String, Line>()

    /** The devices that are linked, by the token that each was given. */
    private val devices = LinkedHashMap<String, Device>()

    // ---- what people do ------------------------------------------------------------------------------------------------

    /** Scans a login code with the phone of this number; answers the address of the account on it. */
    @Synchronized
    fun scan(phone: Int, code: String): String {
        val line = requireNotNull(codes.remove(code)) { "no such login code; scan the one that is shown now" }
        val account = Account("phone$phone@echo")
        val token = "token ${++numbers}"
        devices[token] = Device(account)
        line.news.trySend(News.Linked(account, token))
        return account.address
    }

    /** Logs out every device of an account, as its owner does on the phone. */
    @Synchronized
    fun logOut(account: String) {
        of(account).mapNotNull { it.line }.forEach {
            it.news.trySend(News.LoggedOut)
            close(it)
        }
        devices.values.removeIf { it.account.address == account }
    }

    /** Cuts the connections of an account. */
    @Synchronized
    fun cut(account: String) = of(account).mapNotNull { it.line }.forEach(::close)

    /** How many connections there are. */
    @Synchronized
    fun connections(): Int = lines.size

    /** How many echoes the devices of an account have not acknowledged. */
    @Synchronized
    fun unacknowledged(account: String): Int = of(account).sumOf { it.mailbox.size }

    // ---- what a transport asks for -------------------------------------------------------------------------------------

    /** Opens a connection; logs the device in that has the token, if there is one. Null: the device is not linked any more. */
    @Synchronized
    internal fun dial(token: String?): Line? {
        val line = Line()
        lines += line
        if (token != null && !logIn(line, token)) {
            close(line)
            return null
        }
        return line
    }

    /** A login code for this connection. */
    @Synchronized
    internal fun code(line: Line): String = "echo code ${++numbers}".also { codes[it] = line }

    /** Logs a device in; it hears all that it has not acknowledged. */
    @Synchronized
    internal fun logIn(line: Line, token: String): Boolean {
        val device = devices[token] ?: return false
        // One connection per device: who logs in last has it.
        device.line?.takeIf { it !== line }?.let(::close)
        device.line = line
        line.news.trySend(News.Online(device.account))
        device.mailbox.values.forEach { line.news.trySend(it) }
        return true
    }

    /** Takes a text from a device. The same id again is taken and not echoed. */
    @Synchronized
    internal fun send(token: String, id: String, text: String) {
        val device = devices[token] ?: return
        if (!device.sent.add(id)) return
        val echo = News.Echo(++numbers, text)
        device.mailbox[echo.number] = echo
        device.line?.news?.trySend(echo)
    }

    @Synchronized
    internal fun acknowledge(token: String, number: Long) {
        devices[token]?.mailbox?.remove(number)
    }

    @Synchronized
    internal fun unlink(token: String) {
        devices.remove(token)
    }

    @Synchronized
    internal fun close(line: Line) {
        lines -= line
        line.news.close()
    }

    private fun of(account: String) = devices.values.filter { it.account.address == account }
}

/** The other side of the echo network, as the transport suite asks for it. */
class EchoPeer(private val network: EchoNetwork) : TransportPeer {
    override suspend fun profile() = PeerProfile(
        chat = WALL,
        scan = true,
        twoAccounts = true,
        echo = true,
        redeliver = true,
        countUnacknowledged = true,
        showOnce = true,
        cut = true,
        logOut = true,
        countConnections = true,
    )

    override suspend fun begin() = Unit

    override suspend fun scan(phone: Int, code: Secret): String = network.scan(phone, code.expose())

    override suspend fun unacknowledged(account: String): Int = network.unacknowledged(account)

    override suspend fun cut(account: String) = network.cut(account)

    override suspend fun logOut(account: String) = network.logOut(account)

    override suspend fun connections(): Int = network.connections()

    // What the profile does not name is not asked for.

    override suspend fun enterPairingCode(phone: Int, code: Secret): String = throw UnsupportedOperationException()

    override suspend fun write(account: String, text: String): String? = throw UnsupportedOperationException()

    override suspend fun received(account: String): List<ReceivedText> = throw UnsupportedOperationException()

    override suspend fun setDown(down: Boolean) = throw UnsupportedOperationException()

    override suspend fun setHanging(hanging: Boolean) = throw UnsupportedOperationException()

    override suspend fun setBlocked(account: String, blocked: Boolean) = throw UnsupportedOperationException()
}
