import Foundation
import Seatport
import Testing

@Suite struct EventOperations {
    @Test(
        .proves(
            "operation:Desk.cursors", "operation:Desk.events", "operation:EventFeed.next", "operation:EventFeed.cursors",
            "operation:EventFeed.close"), .patient)
    func feed() async throws {
        try await withOffice { office in
            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            for n in 1...9 { _ = try await office.mei.setRemark(session: session, remark: "\(n)") }
            let feed = try await office.mei.events(batch: 4)
            var read: [Event] = []
            // A loop may be left in the middle of a batch, and what was handed out counts, not what was fetched.
            for try await event in feed {
                read.append(event)
                if read.count == 3 { break }
            }
            #expect(try await feed.cursors() == [session: 3])
            for try await event in feed {
                read.append(event)
                if read.count == 10 { break }
            }
            #expect(read.map(\.seq) == Array(1...10) && read[0].body == .added)
            #expect(try await feed.cursors() == [session: 10])
            #expect(try await office.mei.cursors() == [session: 10])
            let later = try await office.mei.events(cursors: [session: 9])
            #expect(try await later.next() == read[9])
            try feed.close()
        }
    }

    @Test(
        .proves(
            "operation:Desk.consume", "operation:Desk.consumers", "operation:Desk.forgetConsumer", "operation:Consumer.next",
            "operation:Consumer.acknowledge", "operation:Consumer.close", "error:unknownConsumer"), .patient)
    func consumer() async throws {
        try await withOffice { office in
            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            for n in 1...5 { _ = try await office.mei.setRemark(session: session, remark: "\(n)") }
            let crm = try await office.mei.consume(name: "crm")
            #expect(crm.name == "crm")
            var read: [UInt64] = []
            for try await event in crm {
                read.append(event.seq)
                if read.count == 2 { break }
            }
            // Four more were fetched, and not handed out: they come again.
            try await crm.acknowledge()
            try crm.close()
            #expect(try await office.mei.consumers() == [ConsumerState(name: "crm", behind: 4)])
            let again = try await office.mei.consume(name: "crm", batch: 2)
            #expect(try await again.next().seq == 3)
            #expect(try await again.next().seq == 4)
            try await again.acknowledge(upTo: [session: 3])
            #expect(try await office.mei.consumers() == [ConsumerState(name: "crm", behind: 3)])
            try await office.mei.forgetConsumer(name: "crm")
            let forgotten = try await failure { try await again.acknowledge() }
            guard case .unknownConsumer(_, "crm") = forgotten else { throw forgotten }
        }
    }

    @Test(.proves("error:eventsTrimmed"), .patient)
    func trimmedEventsAreToldOnce() async throws {
        let trims: (inout Options) -> Void = {
            $0.retention = Retention(count: 3)
            $0.timing?.trim = 0.02
        }
        try await withOffice(trims) { office in
            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            for n in 1...20 { _ = try await office.mei.setRemark(session: session, remark: "\(n)") }
            var keptFrom: UInt64 = 0
            try await eventually {
                do {
                    return try await office.mei.events(cursors: [session: 1]).next().seq == 0
                } catch SeatportError.eventsTrimmed(_, session, 1, let from) {
                    keptFrom = from
                    return true
                }
            }
            let feed = try await office.mei.events(cursors: [session: 1])
            let trimmed = try await failure { try await feed.next() }
            #expect(trimmed.retry)
            #expect(try await feed.next().seq >= keptFrom)
        }
    }

    @Test(.proves("operation:Desk.exportSession", "operation:Export.next", "operation:Export.close"), .patient)
    func export() async throws {
        try await withOffice { office in
            let (session, phone) = try await office.online()
            let ana = try office.messenger.person(name: "Ana")
            for n in 1...5 { _ = try ana.write(to: phone.address(), text: "number \(n)") }
            try await office.card(session) { $0.unread == 5 }
            let export = try await office.mei.exportSession(session: session, batch: 2)
            let header = try #require(try await export.next())
            var lines = [header]
            for try await line in export { lines.append(line) }
            let said = lines.filter { $0.contains("number ") }
            #expect(said.count == 5)
            for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
            #expect(try await export.next() == nil)
            try export.close()
            let closed = try await failure { try await export.next() }
            guard case .closed = closed else { throw closed }
        }
    }
}
