// Ends without closing anything, in the way that it is told. Run by the tests.
import Foundation
import Seatport

let way = CommandLine.arguments.dropFirst().first ?? ""

/// A transport whose calls never come back.
actor Silent: Transport, Connection {
    /// Who lets go of them lets go of the connection.
    private var signals: Signals?

    func connect(dial: Dial) async throws -> any Connection {
        signals = dial.signals
        try await dial.signals.ready(account: Account(address: "silent"))
        return self
    }
    func send(message: OutboundMessage) async throws { try await Task.sleep(for: .seconds(600)) }
    func markRead(chat: String, messages: [ReadMessage]) async throws {}
    func logOut() async throws {}
    func close() async throws { try await Task.sleep(for: .seconds(600)) }
}

final class Log: LogSink {
    func write(records: [LogRecord]) throws {}
}

if way == "version" {
    // For a library that is not the package's own.
    do {
        _ = try await Seatport.open(Options(storage: .memory))
        print("opened")
    } catch {
        print("\(type(of: error)): \(error)")
    }
    exit(0)
}

if way == "panic" {
    // For a library in which the first call of a kind panics.
    let seatport = try await Seatport.open(Options(storage: .memory))
    do { print(try seatport.nodeId()) } catch SeatportError.internal(let detail) { print(detail) }
    do { print(try await seatport.agents()) } catch SeatportError.internal(let detail) { print(detail) }
    print(try seatport.nodeId().isEmpty, try await seatport.agents())
    exit(0)
}

try setLogSink(sink: Log(), level: .trace)
let messenger = try Messenger(seed: 1)
let silent = try Network.hosted(name: "silent", capabilities: Capabilities(), transport: Silent())
let options = Options(
    storage: .memory, networks: [silent, try messenger.network()], vaultKey: try VaultKey.generate())
let seatport = try await Seatport.open(options)
try await seatport.putAgent(agent: Agent(id: "mei", name: "Mei", role: .supervisor))
let mei = try await seatport.desk(agent: "mei")
let session = try await mei.addAndStart(account: NewAccount(transport: "silent"))
_ = try await mei.addAndStart(account: NewAccount(transport: "simulated"))
try await mei.watch(session: session).until { $0.card.status == .online }
// A callback is under way, and a call.
_ = try await mei.sendText(session: session, chat: "somebody", text: "hello")
let feed = try await mei.events(cursors: mei.cursors())
let waiting = Task { try await feed.next() }
try await Task.sleep(for: .milliseconds(100))

switch way {
case "return": break
case "exit": exit(0)
case "throw-away": waiting.cancel()
default: exit(2)
}
