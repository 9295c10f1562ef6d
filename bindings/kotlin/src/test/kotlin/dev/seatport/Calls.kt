package dev.seatport

import java.time.Duration
import kotlinx.coroutines.withTimeoutOrNull

/** Every operation of a desk by its name in bindings/permissions.json, called with what makes sense on this session. */
val DESK_CALLS: Map<String, suspend (Desk, String) -> Any?> = buildMap {
    fun call(name: String, call: suspend (Desk, String) -> Any?) = put(name, call)
    val page = Page(Edge.First, 10)
    val query = LeadQuery("2023-11-14", 7, "UTC")
    val picture = Media(MediaKind.IMAGE, "image/png")
    call("agent") { desk, _ -> desk.agent() }
    call("may") { desk, _ -> desk.may(Action.VIEW_DATA_CENTRE) }
    call("card") { desk, session -> desk.card(session) }
    call("cards") { desk, _ -> desk.cards(SessionFilter(), page) }
    call("watch") { desk, session -> desk.watch(session).use { it.next() } }
    call("login_code") { desk, session -> desk.loginCode(session) }
    call("add_account") { desk, _ -> desk.addAccount(NewAccount("simulated")) }
    call("add_and_start") { desk, _ -> desk.addAndStart(NewAccount("simulated")) }
    call("assign") { desk, session -> desk.assign(session, "li") }
    call("set_remark") { desk, session -> desk.setRemark(session, "seen") }
    call("set_environment") { desk, session -> desk.setEnvironment(session, Environment(timeZone = "Asia/Tokyo")) }
    call("delete") { desk, session -> desk.delete(session) }
    call("erase") { desk, session -> desk.erase(session) }
    call("start") { desk, session -> desk.start(session) }
    call("stop") { desk, session -> desk.stop(session) }
    call("restart") { desk, session -> desk.restart(session) }
    call("refresh_login") { desk, session -> desk.refreshLogin(session) }
    call("refresh_login_by") { desk, session -> desk.refreshLoginBy(session, LoginMethod.Qr) }
    call("log_out") { desk, session -> desk.logOut(session) }
    call("contacts") { desk, session -> desk.contacts(session, page) }
    call("contact") { desk, session -> desk.contact(session, "bob") }
    call("chats") { desk, session -> desk.chats(session, page) }
    call("chat") { desk, session -> desk.chat(session, "bob") }
    call("messages") { desk, session -> desk.messages(session, "bob", page) }
    call("message") { desk, session -> desk.message(session, "bob", "1") }
    call("mark_read") { desk, session -> desk.markRead(session, "bob") }
    call("mark_read_up_to") { desk, session -> desk.markReadUpTo(session, "bob", "1") }
    call("send_text") { desk, session -> desk.sendText(session, "bob", "hello") }
    call("send_media") { desk, session -> desk.sendMedia(session, "bob", picture) }
    call("cancel_send") { desk, session -> desk.cancelSend(session, "bob", "1") }
    call("search_messages") { desk, session -> desk.searchMessages(SearchQuery("hello", session), 10) }
    call("search_contacts") { desk, session -> desk.searchContacts(SearchQuery("bob", session), 10) }
    call("leads") { desk, _ -> desk.leads(query) }
    call("export_leads") { desk, _ -> desk.exportLeads(query, CsvOptions()) }
    call("lead_adjustments") { desk, _ -> desk.leadAdjustments(query) }
    call("rebuild_leads") { desk, _ -> desk.rebuildLeads() }
    call("cursors") { desk, _ -> desk.cursors() }
    // Whoever sees nothing waits for ever.
    call("events") { desk, _ -> desk.events().use { feed -> withTimeoutOrNull(50) { feed.next() } } }
    call("consume") { desk, _ -> desk.consume("crm").use { it.name } }
    call("consumers") { desk, _ -> desk.consumers() }
    call("forget_consumer") { desk, _ -> desk.forgetConsumer("crm") }
    call("audit") { desk, _ -> desk.audit(0, 10) }
    call("verify_audit") { desk, _ -> desk.verifyAudit() }
    call("export_session") { desk, session -> desk.exportSession(session).use { it.nextBatch(10) } }
}

/** Every operation of an instance. */
val NODE_CALLS: Map<String, suspend (Seatport) -> Any?> = mapOf(
    "desk" to { it.desk("mei") },
    "put_agent" to { it.putAgent(Agent("bo", "Bo", Role.AGENT)) },
    "agent" to { it.agent("mei") },
    "agents" to { it.agents() },
    "remove_agent" to { it.removeAgent("mei") },
    "port_usage" to { it.portUsage() },
    "resize_ports" to { it.resizePorts(3) },
    "set_port_range" to { it.setPortRange(PortRange(1, 3)) },
    "nodes" to { it.nodes() },
    "drain" to { it.drain(Duration.ofMillis(10)) },
    "rotate_vault" to { it.rotateVault() },
)
