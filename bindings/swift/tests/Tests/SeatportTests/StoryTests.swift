import Foundation
import Seatport
import Testing

@Suite struct StoryTests {
    @Test(.proves("story"), .patient)
    func fromTheFirstAccountToTheLast() async throws {
        try await withOffice({ $0.ports = PortRange(first: 8001, capacity: 2) }) { office in
            let session = try await office.mei.addAndStart(
                account: NewAccount(transport: "simulated", agent: "li", remark: "hotline"))
            let phone = try office.messenger.phone(number: "+8613800138000")
            #expect(try await office.mei.card(session: session).port == 8001)
            try await office.scan(session, phone)

            let ana = try office.messenger.person(name: "Ana")
            let question = try ana.write(to: phone.address(), text: "Is the kettle in stock?")
            try await office.card(session) { $0.unread == 1 }
            let stored = try #require(try await office.li.message(session: session, chat: ana.address(), id: question))
            #expect(stored.message.direction == .inbound)

            _ = try await office.li.sendText(session: session, chat: ana.address(), text: "It is.")
            try await office.li.markRead(session: session, chat: ana.address())
            try await office.card(session) { $0.unread == 0 }
            while try ana.received().isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try ana.received().map(\.text) == ["It is."])

            let stopped = try await office.mei.stop(session: session)
            #expect(stopped.status == .offline && stopped.port == nil)
            #expect(try await office.mei.messages(session: session, chat: ana.address(), page: .first(10)).count == 2)
            try await office.mei.delete(session: session)
            guard case .unknownSession(_, session) = try await failure(of: { try await office.mei.card(session: session) })
            else { return #expect(Bool(false), "the session is still there") }
        }
    }
}
