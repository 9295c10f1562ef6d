import Foundation
import Seatport
import Testing

@Suite struct RecordOperations {
    @Test(
        .proves(
            "operation:Desk.leads", "operation:Desk.exportLeads", "operation:Desk.leadAdjustments", "operation:Desk.rebuildLeads"),
        .patient)
    func leads() async throws {
        try await withOffice { office in
            let (session, phone) = try await office.online()
            for name in ["Ana", "Bo"] {
                _ = try office.messenger.person(name: name).write(to: phone.address(), text: "hello")
            }
            try await office.card(session) { $0.unread == 2 }
            // The day may end meanwhile.
            let begin = Date(timeIntervalSinceNow: -86_400).formatted(.iso8601.year().month().day())
            let query = LeadQuery(fromDay: begin, days: 3, zone: "UTC", window: .lifetime, by: [.session], compare: true)
            let report = try await office.mei.leads(query: query)
            #expect(report.current.total.new == 2 && report.current.rows.map(\.session) == [session])
            #expect(report.before?.total.new == 0 && report.current.total.responses.mean == nil)
            let csv = try await office.mei.exportLeads(query: query, options: CsvOptions(bom: true, sessions: [session: "热线"]))
            let text = String(decoding: csv, as: UTF8.self)
            #expect(csv.starts(with: [0xEF, 0xBB, 0xBF]) && text.contains("热线"))
            try await office.mei.rebuildLeads()
            #expect(try await office.mei.leads(query: query) == report)
            #expect(try await office.mei.leadAdjustments(query: query).isEmpty)
        }
    }

    @Test(.proves("operation:Desk.audit", "operation:Desk.verifyAudit"), .patient)
    func audit() async throws {
        try await withOffice { office in
            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            _ = try? await office.li.assign(session: session, agent: nil)
            let lines = try await office.mei.audit(after: 0, limit: 100)
            let last = try #require(lines.last)
            #expect(last.entry.agent == "li" && last.entry.action == .assign && last.entry.outcome == .denied)
            #expect(last.entry.session == session && abs(last.entry.at.timeIntervalSinceNow) < 600)
            let head = try await office.mei.verifyAudit()
            #expect(head == AuditHead(lines: UInt64(lines.count), hash: last.hash))
            #expect(try await office.mei.verifyAudit(known: head) == head)
            #expect(try await office.mei.audit(after: last.number, limit: 100).isEmpty)
        }
    }
}
