package dev.seatport

/**
 * What one agent sees and may do. Every call looks the agent's role up: who is demoted or removed loses the desk at once. A refused
 * call changes nothing and is written to the audit trail.
 *
 * Every call may throw [SeatportException.UnknownAgent] once the agent was removed, [SeatportException.ShutDown] once the instance ends
 * and [SeatportException.Storage] when the storage fails. One on a session may throw [SeatportException.UnknownSession],
 * [SeatportException.Denied] when the agent may not do this or does not see the session, [SeatportException.Invalid] for an id that is
 * none, and, if it changes the session, [SeatportException.Contended]. The errors listed with each call come on top of these.
 *
 * A call whose coroutine is cancelled is dropped; if its change was already on its way to the storage, it lands as a whole.
 */
public class Desk internal constructor(private val native: NativeDesk) : DeskOperations by native {
    /**
     * Follows the events of all sessions that the agent sees: everything after the cursors, and then what happens. A session that the
     * cursors do not name begins with its first event.
     *
     * @throws SeatportException.Invalid for a cursor that names no session
     */
    public suspend fun events(cursors: Map<String, Long> = emptyMap()): EventFeed = EventFeed(native.events(cursors))

    /**
     * Goes on where the consumer of this name has got to: gives every event that it has not acknowledged. A new one is registered, and
     * begins with the oldest event that is kept; from now on no event is trimmed before it acknowledged it.
     *
     * @throws SeatportException.Denied also for an agent who works only on the sessions bound to them
     */
    public suspend fun consume(name: String): Consumer = Consumer(native.consume(name))

    /**
     * Follows a session live: its card, and the login code to show, whichever node drives it.
     *
     * @throws SeatportException.UnknownSession
     */
    public suspend fun watch(session: String): Watch = Watch(native.watch(session))

    /**
     * Begins to export a session: its card, contacts, chats and messages, to be written to a file, say, before it is deleted. It holds
     * what people said: keep it as well as the database.
     *
     * @throws SeatportException.UnknownSession
     */
    public suspend fun exportSession(session: String): Export = Export(native.exportSession(session))

    /** The first cards that pass the filter, at most [limit]. */
    public suspend fun cards(filter: SessionFilter = SessionFilter(), limit: Int = MOST): List<Card> =
        cards(filter, Page(Edge.First, limit))

    /** The first contacts, at most [limit]. */
    public suspend fun contacts(session: String, limit: Int = MOST): List<Contact> = contacts(session, Page(Edge.First, limit))

    /** The chats with the newest messages, at most [limit]. */
    public suspend fun chats(session: String, limit: Int = MOST): List<Chat> = chats(session, Page(Edge.First, limit))

    /** The newest messages of a chat, at most [limit], newest first. */
    public suspend fun messages(session: String, chat: String, limit: Int = MOST): List<StoredMessage> =
        messages(session, chat, Page(Edge.First, limit))

    /** Starts a session; fails with [SeatportException.PoolFull] when no port is free. */
    public suspend fun start(session: String): Card = start(session, WhenFull.Fail)

    /** Adds an account and starts it; fails with [SeatportException.PoolFull] when no port is free. */
    public suspend fun addAndStart(account: NewAccount): String = addAndStart(account, WhenFull.Fail)

    /** Sends a text as it is. */
    public suspend fun sendText(session: String, chat: String, text: String): String = sendText(session, chat, text, SendOptions())

    /** Sends media as it is. */
    public suspend fun sendMedia(session: String, chat: String, media: Media): String = sendMedia(session, chat, media, SendOptions())

    override fun toString(): String = "Desk"

    private companion object {
        /** As many as a page can hold. */
        const val MOST = 1000
    }
}
