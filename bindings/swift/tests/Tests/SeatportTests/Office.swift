import Foundation
import Seatport
import Testing

/// An instance on a simulated messenger of its own, with a supervisor and an agent.
struct Office {
    let messenger: Messenger
    let seatport: Seatport
    let mei: Desk
    let li: Desk

    /// An account that somebody has scanned, online.
    func online(_ number: String = "+8613800138000", remark: String = "") async throws -> (session: String, phone: Phone) {
        let session = try await mei.addAndStart(account: NewAccount(transport: "simulated", remark: remark))
        let phone = try messenger.phone(number: number)
        try await scan(session, phone)
        return (session, phone)
    }

    /// Scans the code that the session shows, and waits until it is online.
    func scan(_ session: String, _ phone: Phone) async throws {
        let watch = try await mei.watch(session: session)
        let code = try await watch.code()
        try phone.scan(code: code.code)
        try await watch.until { $0.card.status == .online }
    }

    /// Waits until the card of a session looks so.
    @discardableResult
    func card(_ session: String, _ done: (Card) -> Bool) async throws -> Card {
        try await mei.watch(session: session).until { done($0.card) }.card
    }
}

extension Watch {
    /// The next login code that the session shows.
    //
    // No closure stands in `#require` or `#expect`: Swift 6.0 takes it for the next one of the same type outside.
    func code() async throws -> LoginChallenge {
        let view = try await until { $0.challenge != nil }
        return try #require(view.challenge)
    }
}

/// Opens an office, in memory unless said otherwise, and closes it afterwards.
func withOffice<T>(_ change: (inout Options) throws -> Void = { _ in }, _ body: (Office) async throws -> T) async throws -> T {
    let messenger = try Messenger(seed: 7)
    var options = Options(storage: .memory, networks: [try messenger.network()], vaultKey: try VaultKey.generate())
    // Nobody waits for what only spares a real network.
    options.timing = Timing(retryFirst: 0.02, retryMost: 0.1, reconnectsPerSecond: 1000, sendEvery: 0)
    try change(&options)
    return try await withSeatport(options) { seatport in
        try await body(try await staff(seatport, messenger))
    }
}

/// Registers Mei and Li.
func staff(_ seatport: Seatport, _ messenger: Messenger) async throws -> Office {
    try await seatport.putAgent(agent: Agent(id: "mei", name: "Mei Lin", role: .supervisor))
    try await seatport.putAgent(agent: Agent(id: "li", name: "Li Wei", role: .agent))
    let (mei, li) = try await (seatport.desk(agent: "mei"), seatport.desk(agent: "li"))
    return Office(messenger: messenger, seatport: seatport, mei: mei, li: li)
}

/// The error of a call that has to fail.
func failure<T>(
    of call: () async throws -> T, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> SeatportError {
    do {
        _ = try await call()
    } catch let error as SeatportError {
        return error
    }
    Issue.record("the call was to fail and did not", sourceLocation: sourceLocation)
    throw CancellationError()
}

/// A file for a database, removed afterwards.
func withFile<T>(_ body: (String) async throws -> T) async throws -> T {
    let directory = FileManager.default.temporaryDirectory.appending(path: "seatport-tests-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try await body(directory.appending(path: "office.db").path)
}

/// Something that several tasks share.
final class Shared<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func with<T>(_ body: (inout Value) throws -> T) rethrows -> T { try lock.withLock { try body(&value) } }

    var now: Value { with { $0 } }
}

/// A session that nobody has.
let nobody = "00000000-0000-4000-8000-000000000000"

extension Trait where Self == TimeLimitTrait {
    /// A test that hangs is caught, and one that is slow on a busy machine is not.
    static var patient: Self { .timeLimit(.minutes(3)) }
}
