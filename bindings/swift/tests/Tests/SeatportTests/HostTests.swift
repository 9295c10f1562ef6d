import Foundation
import Seatport
import Testing

/// Calls into the host that fail or hang.
@Suite struct HostTests {
    func withHost<T>(_ host: Wilful, _ change: (inout Options) -> Void = { _ in }, _ body: (Office, String) async throws -> T)
        async throws -> T
    {
        try await withOffice({
            $0.networks = [try host.network()]
            $0.callbackTimeout = 20
            change(&$0)
        }) { office in
            try await body(office, try await office.mei.addAndStart(account: NewAccount(transport: "own")))
        }
    }

    @Test(.proves("host_exception_in_connect"), .patient)
    func whatConnectThrowsIsAReasonToTryAgain() async throws {
        let host = Wilful(connect: { count, _ in
            if count == 1 { throw Trouble() }
            if count == 2 { throw TransportError.lost(reason: Reason(kind: .connectionLost, code: "503")) }
        })
        let unhurried: (inout Options) -> Void = { $0.timing?.retryFirst = 0.2 }
        try await withHost(host, unhurried) { office, session in
            let watch = try await office.mei.watch(session: session)
            let first = try await watch.until { $0.card.reason != nil }.card
            #expect(first.reason?.kind == .connectionLost && first.reason?.code?.contains("the cable is out") == true)
            let second = try await watch.until { $0.card.reason?.code == "503" }.card
            #expect(second.status == .connecting)
            try await watch.until { $0.card.status == .online }
            #expect(host.connects.now == 3)
        }
    }

    @Test(.proves("host_exception_in_connect"), .patient)
    func whatOnlyAPersonCanMendBlocks() async throws {
        let until = Date(timeIntervalSince1970: 4_000_000_000.5)
        let host = Wilful(connect: { _, _ in
            throw TransportError.rejected(reason: Reason(kind: .banned, code: "403", until: until))
        })
        try await withHost(host) { office, session in
            let card = try await office.card(session) { $0.status == .blocked }
            #expect(card.reason == Reason(kind: .banned, code: "403", until: until))
        }
    }

    @Test(.proves("host_exception_in_send"), .patient)
    func aMessageThatCouldNotBeSentIsTriedAgain() async throws {
        let host = Wilful(send: { count in
            if count == 1 { throw Trouble() }
            if count == 2 { throw TransportError.later(problem: "busy") }
            if count == 4 { throw TransportError.refused(problem: "never") }
        })
        try await withHost(host) { office, session in
            try await office.card(session) { $0.status == .online }
            let id = try await office.mei.sendText(session: session, chat: "bo", text: "hello")
            let message = { try await office.mei.message(session: session, chat: "bo", id: $0) }
            try await eventually { try await message(id)?.message.status == .sent }
            #expect(host.sent.now.map(\.id) == [id, id, id])
            let refused = try await office.mei.sendText(session: session, chat: "bo", text: "hello")
            try await eventually { try await message(refused)?.failure == .refused(problem: "never") }
        }
    }

    @Test(.proves("host_hang_in_connect"), .patient)
    func aConnectThatNeverAnswersIsGivenUp() async throws {
        let host = Wilful(connect: { count, _ in if count == 1 { await hang() } })
        try await withHost(host, { $0.callbackTimeout = 0.2 }) { office, session in
            let watch = try await office.mei.watch(session: session)
            let lost = try await watch.until { $0.card.reason != nil }.card
            #expect(lost.reason?.kind == .connectionLost)
            try await watch.until { $0.card.status == .online }
        }
    }

    @Test(.proves("host_hang_in_close"), .patient)
    func aStopIsNotHeldUpByACloseThatHangs() async throws {
        let host = Wilful(close: { await hang() })
        try await withHost(host, { $0.timing?.stop = 0.2 }) { office, session in
            try await office.card(session) { $0.status == .online }
            #expect(try await office.mei.stop(session: session).port == nil)
            #expect(host.closes.now == 1)
        }
    }

    @Test(.proves("host_fatal_error", "host_cancels_itself"), .patient)
    func anErrorOfAnyKindIsAnErrorLikeAnother() async throws {
        let host = Wilful(connect: { count, _ in
            if count == 1 { throw CancellationError() }
            if count == 2 { throw NSError(domain: "host", code: 7) }
            if count == 3 {
                withUnsafeCurrentTask { $0?.cancel() }
                try Task.checkCancellation()
            }
            if count == 4 { throw SeatportError.denied(detail: "not of this kind", agent: "li", action: .add) }
        })
        try await withHost(host) { office, session in
            try await office.card(session) { $0.status == .online }
            #expect(host.connects.now == 5)
        }
    }

    @Test(.proves("callback_without_a_loop"), .patient)
    func callbacksComeOnAnyThread() async throws {
        let host = Wilful(connect: { _, _ in #expect(!Thread.isMainThread) })
        try await withHost(host) { office, _ in
            let sessions = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<5 {
                    group.addTask { try await office.mei.addAndStart(account: NewAccount(transport: "own")) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for session in sessions { try await office.card(session) { $0.status == .online } }
            #expect(host.connects.now == 6)
        }
    }

    @Test(.proves("host_hang_in_connect"), .patient)
    func aCallThatIsGivenUpIsCancelledInTheHost() async throws {
        let cancelled = Shared(false)
        let host = Wilful(connect: { count, _ in
            guard count == 1 else { return }
            do { try await Task.sleep(for: .seconds(600)) } catch { cancelled.with { $0 = true } }
        })
        try await withHost(host, { $0.callbackTimeout = 0.2 }) { office, session in
            try await office.card(session) { $0.status == .online }
            try await eventually { cancelled.now }
        }
    }

    @Test(.patient)
    func whatIsToldAfterTheEndIsNotHeard() async throws {
        let host = Wilful()
        try await withHost(host) { office, session in
            try await office.card(session) { $0.status == .online }
            _ = try await office.mei.stop(session: session)
            let signals = try #require(host.signals.now)
            do {
                try await signals.alive()
                Issue.record("it was heard")
            } catch TransportError.ended {}
        }
    }

    @Test(.patient)
    func messagesAreToldOnceTheyAreStored() async throws {
        let host = Wilful()
        try await withHost(host) { office, session in
            try await office.card(session) { $0.status == .online }
            let signals = try #require(host.signals.now)
            let message = InboundMessage(
                chat: "bo", kind: .person, id: "1", sender: "bo", content: .text(text: "hello"), at: Date(), senderName: "Bo")
            try await signals.messages(messages: [message])
            #expect(try await office.mei.message(session: session, chat: "bo", id: "1") != nil)
            try await signals.history(history: History(messages: [message], progress: 100))
            try await signals.status(chat: "bo", ids: ["1"], status: .read)
            try await signals.read(chat: "bo")
            do {
                try await signals.messages(messages: [InboundMessage(
                    chat: "", kind: .person, id: "1", sender: "bo", content: .undecryptable, at: Date())])
                Issue.record("a chat without an address was taken")
            } catch TransportError.invalid(let problem) {
                #expect(problem.contains("address"))
            }
        }
    }
}
