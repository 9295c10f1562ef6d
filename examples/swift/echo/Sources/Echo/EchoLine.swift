import Foundation
import Seatport

/// One connection to the echo network.
final class EchoLine: Connection, @unchecked Sendable {
    /// The name of what a session logs in with, in its vault.
    static let token = "token"

    let number: UInt64
    private let network: EchoNetwork
    private let wakes: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation
    private let lock = NSLock()
    private var life: Task<Void, Never>?
    private var loggedIn: String?
    private var ended: ReasonKind?

    init(number: UInt64, network: EchoNetwork) {
        (self.number, self.network) = (number, network)
        (wakes, waker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// The account on it, once one is logged in.
    var account: String? { lock.withLock { loggedIn } }

    func belongs(to account: String) { lock.withLock { loggedIn = account } }

    /// There may be something to do.
    func wake() { waker.yield() }

    /// The network ends it.
    func cut(_ why: ReasonKind) {
        lock.withLock { ended = why }
        wake()
    }

    // What Seatport asks for.

    func send(message: OutboundMessage) async throws {
        guard case .text(let text) = message.content else { throw TransportError.refused(problem: "texts only") }
        guard let account else { throw TransportError.later(problem: "nobody is logged in") }
        if let why = lock.withLock({ ended }) { throw TransportError.lost(reason: Reason(kind: why)) }
        await network.take(ReceivedText(chat: message.chat, id: message.id, text: text), from: account)
    }

    func markRead(chat: String, messages: [ReadMessage]) async throws {}

    func logOut() async throws {
        if let account { await network.unlink(account) }
    }

    func close() async throws {
        lock.withLock { life }?.cancel()
        await network.closed(self)
    }

    // What it tells Seatport, by a task of its own.

    func live(_ dial: Dial, _ token: String?) {
        let task = Task {
            let breath = Task {
                // A sign of life, well within a minute.
                while true {
                    try await Task.sleep(for: .seconds(20))
                    try await dial.signals.alive()
                }
            }
            defer { breath.cancel() }
            do {
                if let token { try await deliver(dial, token) } else { try await logIn(dial) }
            } catch TransportError.lost(let reason) {
                try? await dial.signals.lost(reason: reason)
            } catch TransportError.rejected(let reason) {
                try? await dial.signals.rejected(reason: reason)
            } catch {
                // Seatport closed it, or was told of the end.
            }
        }
        lock.withLock { life = task }
    }

    /// Until somebody has scanned the code. Seatport dials again then.
    private func logIn(_ dial: Dial) async throws {
        let code = await network.newCode()
        let challenge = LoginChallenge(
            kind: .qr, code: Secret(text: code), sequence: 1, expiresAt: Date(timeIntervalSinceNow: 60))
        try await dial.signals.challenge(challenge: challenge)
        try await untilEnded {
            guard let scanned = await network.scanned(code) else { return false }
            try await dial.vault.put(name: Self.token, bytes: Data(scanned.token.utf8))
            try await dial.signals.paired(account: Account(address: scanned.account), redial: true)
            return true
        }
    }

    /// What waits for the account, and then what comes. It is acknowledged once it is stored.
    private func deliver(_ dial: Dial, _ token: String) async throws {
        let account = try await network.logIn(token, on: self)
        try await dial.signals.ready(account: Account(address: account))
        var told: UInt64 = 0
        try await untilEnded {
            while let letter = await network.next(for: account, after: told) {
                told = letter.number
                let message = InboundMessage(
                    chat: EchoNetwork.chat, kind: .person, id: String(letter.number), sender: EchoNetwork.chat,
                    content: .text(text: letter.text), at: Date())
                do {
                    try await dial.signals.messages(messages: [message])
                    await network.acknowledge(letter.number, of: account)
                } catch TransportError.notStored {
                    // It stays on the network, for the next connection.
                }
            }
            return false
        }
    }

    /// Tries again whenever something may have changed, until it is done or the network has ended the line.
    private func untilEnded(_ done: () async throws -> Bool) async throws {
        if try await done() { return }
        for await _ in wakes {
            if let why = lock.withLock({ ended }) {
                let reason = Reason(kind: why)
                throw why == .connectionLost ? TransportError.lost(reason: reason) : .rejected(reason: reason)
            }
            if try await done() { return }
        }
    }
}
