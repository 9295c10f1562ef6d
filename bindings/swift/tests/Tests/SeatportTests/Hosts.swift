import Foundation
import Seatport

/// A transport that is well: everybody is logged in at once, and everything is sent.
final class Well: Transport, Connection {
    /// Who lets go of them lets go of the connection.
    private let signals: Shared<[Signals]> = Shared([])

    func connect(dial: Dial) async throws -> any Connection {
        signals.with { $0.append(dial.signals) }
        try await dial.signals.ready(account: Account(address: "own"))
        return self
    }
    func send(message: OutboundMessage) async throws {}
    func markRead(chat: String, messages: [ReadMessage]) async throws {}
    func logOut() async throws {}
    func close() async throws {}
}

/// A transport that does in each call what a test wants.
final class Wilful: Transport, Connection {
    let connects = Shared(0)
    let sent: Shared<[OutboundMessage]> = Shared([])
    let closes = Shared(0)
    /// Of the last connection. Who lets go of them lets go of the connection.
    let signals: Shared<Signals?> = Shared(nil)
    private let all: Shared<[Signals]> = Shared([])
    private let onConnect: @Sendable (Int, Dial) async throws -> Void
    private let onSend: @Sendable (Int) async throws -> Void
    private let onClose: @Sendable () async throws -> Void

    init(
        connect: @escaping @Sendable (Int, Dial) async throws -> Void = { _, _ in },
        send: @escaping @Sendable (Int) async throws -> Void = { _ in },
        close: @escaping @Sendable () async throws -> Void = {}
    ) {
        (onConnect, onSend, onClose) = (connect, send, close)
    }

    func network() throws -> Network { try .hosted(name: "own", capabilities: Capabilities(), transport: self) }

    func connect(dial: Dial) async throws -> any Connection {
        let count = connects.with { $0 += 1; return $0 }
        try await onConnect(count, dial)
        signals.with { $0 = dial.signals }
        all.with { $0.append(dial.signals) }
        try await dial.signals.ready(account: Account(address: "own"))
        return self
    }

    func send(message: OutboundMessage) async throws {
        let count = sent.with { $0.append(message); return $0.count }
        try await onSend(count)
    }

    func markRead(chat: String, messages: [ReadMessage]) async throws {}
    func logOut() async throws {}

    func close() async throws {
        closes.with { $0 += 1 }
        try await onClose()
    }
}

/// What a host throws that knows nothing of Seatport.
struct Trouble: Error, CustomStringConvertible {
    let description = "the cable is out"
}

/// Waits for ever, even if it is cancelled.
func hang() async {
    await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
}
