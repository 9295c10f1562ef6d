import Foundation
import Seatport
import Testing

/// The policy at the door: every call of a desk, for every role, in both scopes.
@Suite struct PermissionTests {
    struct Rule: Decodable {
        let operation: String
        let action: String
        let supervisor: Bool
        let agent: Bool
        let needs_all: Bool
    }

    typealias Call = @Sendable (Desk, String) async throws -> Any

    static let query = LeadQuery(fromDay: "2023-11-14", days: 7, zone: "UTC")

    /// By the name that the table gives it.
    static let calls: [String: Call] = [
        "agent": { desk, _ in try await desk.agent() },
        "may": { desk, _ in try await desk.may(action: .view) },
        "card": { try await $0.card(session: $1) },
        "cards": { desk, _ in try await desk.cards(page: .first(10)) },
        "watch": { try await $0.watch(session: $1).next() },
        "login_code": { try await $0.loginCode(session: $1) },
        "add_account": { desk, _ in try await desk.addAccount(account: NewAccount(transport: "simulated")) },
        "add_and_start": { desk, _ in try await desk.addAndStart(account: NewAccount(transport: "simulated")) },
        "assign": { try await $0.assign(session: $1, agent: "li") },
        "set_remark": { try await $0.setRemark(session: $1, remark: "seen") },
        "set_environment": { try await $0.setEnvironment(session: $1, environment: Environment(timeZone: "Asia/Tokyo")) },
        "delete": { try await $0.delete(session: $1) },
        "erase": { try await $0.erase(session: $1) },
        "start": { try await $0.start(session: $1) },
        "stop": { try await $0.stop(session: $1) },
        "restart": { try await $0.restart(session: $1) },
        "refresh_login": { try await $0.refreshLogin(session: $1) },
        "refresh_login_by": { try await $0.refreshLoginBy(session: $1, method: .qr) },
        "log_out": { try await $0.logOut(session: $1) },
        "contacts": { try await $0.contacts(session: $1, page: .first(10)) },
        "contact": { try await $0.contact(session: $1, address: "bob") },
        "chats": { try await $0.chats(session: $1, page: .first(10)) },
        "chat": { try await $0.chat(session: $1, address: "bob") },
        "messages": { try await $0.messages(session: $1, chat: "bob", page: .first(10)) },
        "message": { try await $0.message(session: $1, chat: "bob", id: "1") as Any },
        "search_messages": { try await $0.searchMessages(query: SearchQuery(text: "hello", session: $1), limit: 10) },
        "search_contacts": { try await $0.searchContacts(query: SearchQuery(text: "bob", session: $1), limit: 10) },
        "export_session": { try await $0.exportSession(session: $1).next() as Any },
        "mark_read": { try await $0.markRead(session: $1, chat: "bob") },
        "mark_read_up_to": { try await $0.markReadUpTo(session: $1, chat: "bob", message: "1") },
        "send_text": { try await $0.sendText(session: $1, chat: "bob", text: "hello") },
        "send_media": {
            let media = Media(kind: .image, mimeType: "image/png")
            return try await $0.sendMedia(session: $1, chat: "bob", media: media, options: SendOptions())
        },
        "cancel_send": { try await $0.cancelSend(session: $1, chat: "bob", message: "1") },
        "leads": { desk, _ in try await desk.leads(query: query) },
        "export_leads": { desk, _ in try await desk.exportLeads(query: query, options: CsvOptions()) },
        "lead_adjustments": { desk, _ in try await desk.leadAdjustments(query: query) },
        "rebuild_leads": { desk, _ in try await desk.rebuildLeads() },
        "audit": { desk, _ in try await desk.audit(after: 0, limit: 10) },
        "verify_audit": { desk, _ in try await desk.verifyAudit() },
        "cursors": { desk, _ in try await desk.cursors() },
        "events": { desk, _ in try await desk.events() },
        "consume": { desk, _ in try await desk.consume(name: "crm") },
        "consumers": { desk, _ in try await desk.consumers() },
        "forget_consumer": { desk, _ in try await desk.forgetConsumer(name: "crm") },
    ]

    /// What a call that may be made may answer is not looked at here; whether it was denied is.
    func denied(_ call: Call, _ desk: Desk, _ session: String) async throws -> Action? {
        do {
            _ = try await call(desk, session)
        } catch SeatportError.denied(_, _, let action) {
            return action
        } catch is SeatportError {}
        return nil
    }

    func withHouse(_ scope: AgentScope, _ body: (Office, String) async throws -> Void) async throws {
        try await withOffice({ $0.agentScope = scope }) { office in
            try await body(office, try await office.mei.addAccount(account: NewAccount(transport: "simulated")))
        }
    }

    @Test(.proves("permissions"), .patient)
    func theTableNamesEveryOperation() throws {
        let rules = try Beside.list("permissions.json", of: Rule.self)
        #expect(Set(rules.map(\.operation)) == Set(Self.calls.keys))
        let camel = Set(rules.map { rule in
            let words = rule.operation.split(separator: "_")
            return "Desk." + words[0] + words.dropFirst().map(\.capitalized).joined()
        })
        let ofDesks = try BehavioursTests.operations().filter { $0.hasPrefix("Desk.") }
        #expect(camel == ofDesks)
    }

    @Test(.proves("permissions"), .patient)
    func everyCallIsAllowedOrDeniedAsTheTableSays() async throws {
        for rule in try Beside.list("permissions.json", of: Rule.self) {
            let call = try #require(Self.calls[rule.operation])
            for scope in AgentScope.allCases {
                try await withHouse(scope) { office, session in
                    let bySupervisor = try await denied(call, office.mei, session)
                    #expect((bySupervisor == nil) == rule.supervisor, "\(rule.operation) by a supervisor")
                }
            }
            try await withHouse(.all) { office, session in
                let byAgent = try await denied(call, office.li, session)
                #expect((byAgent == nil) == rule.agent, "\(rule.operation) by an agent")
                if let byAgent { #expect("\(byAgent)".lowercased() == rule.action.lowercased()) }
            }
            try await withHouse(.boundOnly) { office, session in
                let beside = ["agent", "may", "cards", "events", "cursors"].contains(rule.operation)
                // Of another's session nothing; of one's own, what needs no view of all.
                if !beside { #expect(try await denied(call, office.li, session) != nil, "\(rule.operation) beside the bound ones") }
                _ = try await office.mei.assign(session: session, agent: "li")
                let byBound = try await denied(call, office.li, session)
                #expect((byBound == nil) == (rule.agent && !rule.needs_all), "\(rule.operation) by the bound agent")
            }
        }
    }

    @Test(.proves("permissions"), .patient)
    func anAgentWhoIsBoundSeesOnlyThat() async throws {
        try await withHouse(.boundOnly) { office, session in
            #expect(try await office.li.cards(page: .first(10)).isEmpty)
            _ = try await office.mei.assign(session: session, agent: "li")
            #expect(try await office.li.cards(page: .first(10)).map(\.session) == [session])
            #expect(try await office.li.events().next().session == session)
        }
    }
}
