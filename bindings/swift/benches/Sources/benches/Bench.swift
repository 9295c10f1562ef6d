import Foundation
@testable import Seatport

/// A connection that takes everything.
final class Taker: Connection {
    func send(message: OutboundMessage) async throws {}
    func markRead(chat: String, messages: [ReadMessage]) async throws {}
    func logOut() async throws {}
    func close() async throws {}
}

struct Bench: Sendable {
    let seatport: Seatport
    let mei: Desk
    let session: String
    let probe: Probe
    let taker = Taker()
    let message = OutboundMessage(chat: "bo", id: "1", content: .text(text: "a text of some words"), quoted: nil)

    /// Microseconds per call of both, the best of many turns: whatever else runs on the machine only makes them slower.
    func beside(
        calls: Int, _ real: () async throws -> Void, _ empty: () async throws -> Void
    ) async throws -> (real: Double, empty: Double) {
        var best = (real: Double.infinity, empty: Double.infinity)
        for _ in 0..<rounds {
            best.real = min(best.real, try await micros(calls, real))
            best.empty = min(best.empty, try await micros(calls, empty))
        }
        return best
    }

    func micros(_ calls: Int, _ call: () async throws -> Void) async throws -> Double {
        let begun = ContinuousClock.now
        for _ in 0..<calls { try await call() }
        let spent = ContinuousClock.now - begun
        return Double(spent.components.attoseconds) / 1e12 / Double(calls) + Double(spent.components.seconds) * 1e6 / Double(calls)
    }

    func tell(_ what: String, _ cost: (real: Double, empty: Double), core: Double = 0) {
        figure("swift: \(what)", cost.real, "µs")
        figure("swift: \(what), beside an empty one", (cost.real - core) / cost.empty, "times", atMost: 1.15)
    }

    /// The best of several: it is taken away from the best.
    func inCore(_ call: ProbedCall, _ times: UInt32) async throws -> Double {
        var best = Double.infinity
        for _ in 0..<rounds { best = min(best, try await probe.spentInCore(call: call, times: times)) }
        return best * 1e6
    }

    func batches() async throws {
        let (mei, probe) = (mei, probe)
        var events = (real: Double.infinity, empty: Double.infinity)
        for _ in 0..<rounds {
            let feed = try await mei.readEvents(cursors: [:])
            let fetch = {
                let batch = try await feed.next(seen: 0, max: 256)
                precondition(batch.events.count == 256)
            }
            let empty = {
                let batch = try await probe.next(seen: 0, max: 256)
                precondition(batch.events.count == 256)
            }
            events.real = min(events.real, try await micros(1, fetch))
            events.empty = min(events.empty, try await micros(1, empty))
        }
        tell("256 events in a batch", events, core: try await inCore(.next, 1))
    }

    func overhead() async throws {
        let (mei, probe, seatport, session, taker, message) = (mei, probe, seatport, session, taker, message)
        tell("a call", try await beside(calls: 20_000, { _ = try seatport.nodeId() }, { _ = try probe.nodeId() }))
        tell(
            "an asynchronous call",
            try await beside(calls: 1000, { _ = try await mei.may(action: .view) }, { _ = try await probe.may(action: .view) }),
            core: try await inCore(.may, 1000))
        tell(
            "a record",
            try await beside(calls: 1000, { _ = try await mei.card(session: session) }, { _ = try await probe.card(session: session) }),
            core: try await inCore(.card, 1000))
        let all = Page.first(1000)
        tell(
            "a list of 1000 cards",
            try await beside(
                calls: 5, { _ = try await mei.cards(filter: SessionFilter(), page: all) },
                { _ = try await probe.cards(filter: SessionFilter(), page: all) }),
            core: try await inCore(.cards, 5))
        tell(
            "a callback of a transport",
            try await beside(
                calls: 1000, { try await probe.sendLimited(connection: taker, message: message) },
                { try await probe.send(connection: taker, message: message) }))
    }

    /// Memory after many calls of each kind, beside that after a tenth of them.
    func memory() async throws {
        let (few, many) = quick ? (1000, 10_000) : (10_000, 100_000)
        let (mei, probe, seatport, session, taker, message) = (mei, probe, seatport, session, taker, message)
        let kinds: [(String, @Sendable () async throws -> Void)] = [
            ("calls", { _ = try seatport.nodeId() }),
            ("asynchronous calls", { _ = try await mei.may(action: .view) }),
            ("records", { _ = try await mei.card(session: session) }),
            ("lists", { _ = try await mei.cards(page: .first(10)) }),
            ("batches", { _ = try await mei.events(batch: 10).next() }),
            ("callbacks", { try await probe.sendLimited(connection: taker, message: message) }),
            ("errors", { do { _ = try await mei.card(session: "none") } catch is SeatportError {} }),
            ("cancelled calls", {
                let task = Task { try await mei.may(action: .view) }
                task.cancel()
                _ = try? await task.value
            }),
        ]
        for (kind, call) in kinds {
            for _ in 0..<few { try await call() }
            let before = try resident()
            for _ in few..<many { try await call() }
            figure("swift: memory after \(many) \(kind), beside \(few)", try resident() / before, "times", atMost: 1.05)
        }
    }
}
