import Foundation
import Seatport
import Testing

@Suite struct CancellationTests {
    /// Cancels a call that waits, and answers how it ended.
    func cancelled<T: Sendable>(_ call: @escaping @Sendable () async throws -> T) async throws -> Bool {
        let task = Task { try await call() }
        try await Task.sleep(for: .milliseconds(30))
        task.cancel()
        do {
            _ = try await task.value
            return false
        } catch is CancellationError {
            return true
        }
    }

    @Test(.proves("cancellation_drops_the_call"), .patient)
    func aCallIsDroppedWithItsTask() async throws {
        try await withOffice { office in
            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            let watch = try await office.mei.watch(session: session)
            _ = try await watch.next()
            let given = try await cancelled { try await watch.next() }
            #expect(given)
            // In Rust too: otherwise this one would wait behind it.
            _ = try await office.mei.setRemark(session: session, remark: "seen")
            #expect(try await watch.next().card.remark == "seen")
            let before = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await office.mei.setRemark(session: session, remark: "too late")
            }
            do {
                _ = try await before.value
                Issue.record("the call was made")
            } catch is CancellationError {}
            #expect(try await office.mei.card(session: session).remark == "seen", "the call was not even begun")
        }
    }

    @Test(.proves("cancelled_start_leaves_the_queue"), .patient)
    func aStartThatIsCancelledLeavesTheQueue() async throws {
        try await withOffice({ $0.ports = PortRange(first: 1, capacity: 1) }) { office in
            let mei = office.mei
            let first = try await mei.addAndStart(account: NewAccount(transport: "simulated"))
            let second = try await mei.addAccount(account: NewAccount(transport: "simulated"))
            let given = try await cancelled { try await mei.start(session: second, whenFull: .wait(timeout: 600)) }
            #expect(given)
            try await eventually {
                do {
                    _ = try await mei.start(session: second)
                    return false
                } catch SeatportError.poolFull(_, _, _, let waiting, _) {
                    return waiting == 0
                }
            }
            _ = try await mei.stop(session: first)
            #expect(try await mei.card(session: second).port == nil)
        }
    }

    @Test(.proves("cancelled_reader_loses_no_event"), .patient)
    func twoHundredCancelledReadsLoseNothing() async throws {
        try await withOffice { office in
            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            let feed = try await office.mei.events(batch: 3)
            let writer = Task {
                for n in 1..<600 { _ = try await office.mei.setRemark(session: session, remark: "\(n)") }
            }
            var read: [UInt64] = []
            var given = 0
            while read.count < 600 {
                let task = Task { try await feed.next() }
                if given < 200 {
                    // Before, during and after.
                    for _ in 0..<(given % 7) { await Task.yield() }
                    task.cancel()
                    given += 1
                }
                do {
                    read.append(try await task.value.seq)
                } catch is CancellationError {}
            }
            try await writer.value
            #expect(given == 200 && read == Array(1...600))
        }
    }

    @Test(.patient)
    func severalReadersOfOneFeedShareIt() async throws {
        try await withOffice { office in
            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            let feed = try await office.mei.events(batch: 5)
            let read = Task {
                try await withThrowingTaskGroup(of: [UInt64].self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            var mine: [UInt64] = []
                            for _ in 0..<50 { mine.append(try await feed.next().seq) }
                            return mine
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
            }
            for n in 1..<200 { _ = try await office.mei.setRemark(session: session, remark: "\(n)") }
            #expect(try await read.value.sorted() == Array(1...200))
        }
    }
}
