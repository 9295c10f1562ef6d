import Foundation
import Seatport
import Testing

@Suite struct LifeTests {
    @Test(.proves("use_after_shutdown", "shutdown_twice"), .patient)
    func whatWasShutDownDoesNothingMore() async throws {
        let messenger = try Messenger(seed: 1)
        let options = Options(storage: .memory, networks: [try messenger.network()], vaultKey: try VaultKey.generate())
        let seatport = try await Seatport.open(options)
        let office = try await staff(seatport, messenger)
        let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
        let feed = try await office.mei.events(cursors: office.mei.cursors())
        let waiting = Task { try await feed.next() }
        try await Task.sleep(for: .milliseconds(20))
        async let first: Void = seatport.shutdown()
        async let second: Void = seatport.shutdown()
        _ = try await (first, second)
        try await seatport.shutdown()

        let calls: [@Sendable () async throws -> Any] = [
            { try await waiting.value }, { try await feed.next() }, { try await feed.cursors() },
            { try await seatport.agents() }, { try await seatport.desk(agent: "mei") }, { try await seatport.drain(deadline: 1) },
            { try await office.mei.card(session: session) }, { try await office.mei.watch(session: session) },
            { try await office.mei.cards(page: .first(1)) }, { try await office.mei.consume(name: "crm") },
        ]
        for call in calls {
            let ended = try await failure(of: call)
            guard case .shutDown(let detail) = ended else { throw ended }
            #expect(!detail.isEmpty && !ended.retry)
        }
    }

    @Test(.proves("shutdown_twice"), .patient)
    func aShutdownIsDoneInACancelledTaskToo() async throws {
        let seatport = try await Seatport.open(Options(storage: .memory))
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try? await seatport.shutdown()
        }.value
        let ended = try await failure { try await seatport.agents() }
        guard case .shutDown = ended else { throw ended }
    }

    @Test(.proves("use_after_close", "error:closed"), .patient)
    func aClosedReaderSaysSo() async throws {
        try await withOffice { office in
            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            let feed = try await office.mei.events(cursors: office.mei.cursors())
            let crm = try await office.mei.consume(name: "crm")
            _ = try await crm.next()
            let watch = try await office.mei.watch(session: session)
            _ = try await watch.next()
            let export = try await office.mei.exportSession(session: session)
            let waits: [Task<Void, any Error>] = [
                Task { _ = try await feed.next() }, Task { _ = try await crm.next() }, Task { _ = try await watch.next() },
            ]
            try await Task.sleep(for: .milliseconds(20))
            try feed.close()
            try crm.close()
            try watch.close()
            try export.close()
            try export.close()
            var calls: [@Sendable () async throws -> Any] = waits.map { wait in { try await wait.value } }
            calls += [
                { try await feed.next() }, { try await feed.cursors() }, { try await crm.next() },
                { try await crm.acknowledge() }, { try await watch.next() }, { try await export.next() },
            ]
            for call in calls {
                let closed = try await failure(of: call)
                guard case .closed = closed else { throw closed }
            }
        }
    }

    @Test(.proves("two_instances", "error:storage"), .patient)
    func twoInstancesDoNotSeeEachOther() async throws {
        try await withFile { file in
            try await withOffice { memory in
                try await withOffice({ $0.storage = .sqlite(path: file) }) { sqlite in
                    _ = try await memory.mei.addAccount(account: NewAccount(transport: "simulated"))
                    #expect(try await sqlite.mei.cards(page: .first(10)).isEmpty)
                    let taken = try await failure { try await Seatport.open(Options(storage: .sqlite(path: file))) }
                    guard case .storage(let detail, "InUse", let retry) = taken else { throw taken }
                    #expect(detail.contains("office.db") && retry == taken.retry)
                }
            }
        }
    }

    @Test(.proves("reopened"), .patient)
    func whatWasKeptIsThereAgain() async throws {
        try await withFile { file in
            let (messenger, key) = (try Messenger(seed: 5), try VaultKey.generate())
            let same: (inout Options) throws -> Void = {
                ($0.storage, $0.vaultKey, $0.networks) = (.sqlite(path: file, durable: false), key, [try messenger.network()])
            }
            let phone = try messenger.phone(number: "+8613800138000")
            let session = try await withOffice(same) { office in
                let session = try await office.mei.addAndStart(account: NewAccount(transport: "simulated", remark: "kept"))
                let watch = try await office.mei.watch(session: session)
                try phone.scan(code: try await watch.code().code)
                try await watch.until { $0.card.status == .online }
                return session
            }
            try await withOffice(same) { office in
                let online = try await office.card(session) { $0.status == .online }
                #expect(online.remark == "kept")
            }
        }
    }

    @Test(.proves("threads"), .patient)
    func eightThreadsAtOnce() async throws {
        try await withOffice { office in
            await withTaskGroup(of: Void.self) { group in
                for n in 0..<8 {
                    group.addTask {
                        await withCheckedContinuation { done in
                            // Real threads, each with calls of its own that wait for it.
                            Thread {
                                let ready = DispatchSemaphore(value: 0)
                                Task.detached {
                                    do {
                                        let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
                                        for m in 0..<50 {
                                            let card = try await office.mei.setRemark(session: session, remark: "\(n) \(m)")
                                            #expect(card.remark == "\(n) \(m)")
                                        }
                                    } catch {
                                        Issue.record(error)
                                    }
                                    ready.signal()
                                }
                                ready.wait()
                                _ = try? office.seatport.nodeId()
                                done.resume()
                            }.start()
                        }
                    }
                }
            }
            let cards = try await office.mei.cards(page: .first(10))
            #expect(cards.count == 8)
        }
    }

    @Test(.proves("ten_thousand_events"), .patient)
    func tenThousandEventsInOrder() async throws {
        try await withOffice { office in
            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for n in 1..<10_000 { _ = try await office.mei.setRemark(session: session, remark: "\(n)") }
                }
                group.addTask {
                    var last: UInt64 = 0
                    for try await event in try await office.mei.events() {
                        last += 1
                        try #require(event.seq == last && event.session == session)
                        if last == 10_000 { break }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
