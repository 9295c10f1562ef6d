import Foundation
import Seatport
import Testing

/// What else a host may bring: clock, key store, log.
@Suite(.serialized) struct ServicesTests {
    final class Fixed: Clock {
        let answer: @Sendable () throws -> Date
        init(_ answer: @escaping @Sendable () throws -> Date) { self.answer = answer }
        func now() throws -> Date { try answer() }
    }

    final class Keys: VaultKeyProvider {
        let answer: @Sendable () async throws -> Data
        init(_ answer: @escaping @Sendable () async throws -> Data) { self.answer = answer }
        func current() async throws -> Data { try await answer() }
        func previous() async throws -> [Data] { [] }
    }

    final class Log: LogSink {
        let records: Shared<[LogRecord]> = Shared([])
        func write(records: [LogRecord]) throws { self.records.with { $0 += records } }
    }

    @Test(.proves("host_clock"), .patient)
    func theClockOfTheHostIsUsed() async throws {
        let then = Date(timeIntervalSince1970: 1_800_000_000.123)
        try await withOffice({ $0.clock = Fixed { then } }) { office in
            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            let card = try await office.mei.card(session: session)
            #expect(abs(card.createdAt.timeIntervalSince(then)) < 0.0005)
        }
    }

    @Test(.proves("host_clock"), .patient)
    func aClockThatFailsOrHangsStopsNothing() async throws {
        let asked = Shared(0)
        let clock = Fixed {
            if asked.with({ $0 += 1; return $0 }) == 3 { Thread.sleep(forTimeInterval: 1.5) }
            throw Trouble()
        }
        try await withOffice({ $0.clock = clock; $0.callbackTimeout = 0.05 }) { office in
            _ = try await office.online()
            #expect(asked.now >= 3)
        }
    }

    @Test(.proves("host_key_store", "error:host"), .patient)
    func theKeyStoreOfTheHostIsAsked() async throws {
        try await withOffice({ $0.vaultKey = nil; $0.vaultKeyProvider = Keys { Data(repeating: 7, count: 32) } }) { office in
            _ = try await office.online()
        }
        for bad: @Sendable () async throws -> Data in [{ throw Trouble() }, { await hang(); return Data() }] {
            let refused = try await failure {
                try await withOffice({ $0.vaultKey = nil; $0.vaultKeyProvider = Keys(bad); $0.callbackTimeout = 0.05 }) { _ in }
            }
            guard case .host = refused else { throw refused }
        }
        let short = try await failure {
            try await withOffice({ $0.vaultKey = nil; $0.vaultKeyProvider = Keys { Data(count: 31) } }) { _ in }
        }
        guard case .invalid(_, "vault key", _, _) = short else { throw short }
    }

    @Test(.proves("host_log", "secrets"), .patient)
    func theLogIsHandedOverInBatchesAndHoldsNoSecret() async throws {
        let log = Log()
        try setLogSink(sink: log, level: .trace)
        let codes: Shared<[String]> = Shared([])
        try await withOffice { office in
            let session = try await office.mei.addAndStart(account: NewAccount(transport: "simulated"))
            let watch = try await office.mei.watch(session: session)
            let code = try await watch.code().code
            codes.with { $0.append(code.expose()) }
            try office.messenger.phone(number: "+8613800138000").scan(code: code)
            try await watch.until { $0.card.status == .online }
        }
        try await eventually { !log.records.now.isEmpty }
        try setLogSink(sink: nil, level: .error)
        let records = log.records.now
        try await withOffice { _ = try await $0.online() }
        #expect(log.records.now.count == records.count, "it was taken away")
        #expect(!codes.now.isEmpty)
        for record in records {
            for code in codes.now { #expect(!"\(record)".contains(code)) }
            #expect(abs(record.at.timeIntervalSinceNow) < 600)
        }
    }
}
