import Foundation
import Seatport

/// A messenger network in this process: whoever scans a code is logged in, and whatever an account sends comes back to it.
///
/// It shows how a transport is written: ``connect(dial:)`` dials, an ``EchoLine`` is one connection, and the state of the network
/// is what a real one keeps on its servers.
public actor EchoNetwork: Transport {
    /// The only chat there is.
    public static let chat = "echo@echo"

    private var seats: [String: Seat] = [:]
    /// Which phone has scanned a code.
    private var codes: [String: UInt32?] = [:]
    private var lines: [UInt64: EchoLine] = [:]
    private var down = false
    private var last: UInt64 = 0

    public init() {}

    /// What `Options.networks` takes.
    public nonisolated func network() throws -> Network {
        try Network.hosted(name: "echo", capabilities: Capabilities(storesCredentials: true), transport: self)
    }

    public func connect(dial: Dial) async throws -> any Connection {
        let token = try await dial.vault.get(name: EchoLine.token).map { String(decoding: $0, as: UTF8.self) }
        try Task.checkCancellation()
        if down { throw TransportError.lost(reason: Reason(kind: .connectionLost)) }
        let line = EchoLine(number: number(), network: self)
        lines[line.number] = line
        line.live(dial, token)
        return line
    }

    // What the lines ask the network for.

    func newCode() -> String {
        let code = "code \(number())"
        codes[code] = .some(nil)
        return code
    }

    /// The account that was logged in by this code, and what it logs in with from now on.
    func scanned(_ code: String) -> (account: String, token: String)? {
        guard let phone = codes[code] ?? nil else { return nil }
        codes[code] = nil
        let account = Self.address(of: phone)
        let token = "\(account) \(number())"
        seats[account, default: Seat()].tokens.insert(token)
        return (account, token)
    }

    /// The account behind this token, from now on on this line.
    func logIn(_ token: String, on line: EchoLine) throws -> String {
        let account = token.split(separator: " ").first.map(String.init) ?? ""
        let seat = seats[account] ?? Seat()
        if seat.banned { throw TransportError.rejected(reason: Reason(kind: .banned)) }
        guard seat.tokens.contains(token) else { throw TransportError.rejected(reason: Reason(kind: .loggedOut)) }
        line.belongs(to: account)
        return account
    }

    /// The next message for an account after this one.
    func next(for account: String, after number: UInt64) -> Letter? {
        seats[account]?.waiting.first { $0.number > number }
    }

    /// A message is stored: it is not delivered any more.
    func acknowledge(_ number: UInt64, of account: String) {
        seats[account]?.waiting.removeAll { $0.number == number }
    }

    /// Takes a message from an account, once for each id, and sends it back.
    func take(_ message: ReceivedText, from account: String) {
        var seat = seats[account] ?? Seat()
        guard !seat.received.contains(where: { $0.id == message.id }) else { return }
        seat.received.append(message)
        seat.waiting.append(Letter(number: number(), text: message.text))
        seats[account] = seat
        wake(account)
    }

    func unlink(_ account: String) {
        seats[account]?.tokens.removeAll()
    }

    func closed(_ line: EchoLine) {
        lines[line.number] = nil
    }

    // What happens on the other side: see EchoPeer.

    static func address(of phone: UInt32) -> String { "phone\(phone)@echo" }

    func scan(_ code: String, with phone: UInt32) throws -> String {
        guard codes[code] != nil else { throw NoSuchCode() }
        codes[code] = .some(phone)
        lines.values.forEach { $0.wake() }
        return Self.address(of: phone)
    }

    func say(_ text: String, to account: String) -> String {
        let letter = Letter(number: number(), text: text)
        seats[account, default: Seat()].waiting.append(letter)
        wake(account)
        return String(letter.number)
    }

    func receivedTexts(from account: String) -> [ReceivedText] { seats[account]?.received ?? [] }

    func waiting(for account: String) -> Int { seats[account]?.waiting.count ?? 0 }

    func openLines() -> Int { lines.count }

    func setNetworkDown(_ down: Bool) {
        self.down = down
        if down { end(lines.values.map { $0 }, .connectionLost) }
    }

    func setBanned(_ banned: Bool, _ account: String) {
        seats[account, default: Seat()].banned = banned
        if banned { end(of(account), .banned) }
    }

    func liftBans() {
        for account in seats.keys { seats[account]?.banned = false }
    }

    func logOutEverywhere(_ account: String) {
        unlink(account)
        end(of(account), .loggedOut)
    }

    func cutOff(_ account: String) {
        end(of(account), .connectionLost)
    }

    private func number() -> UInt64 {
        last += 1
        return last
    }

    private func of(_ account: String) -> [EchoLine] { lines.values.filter { $0.account == account } }

    private func wake(_ account: String) { of(account).forEach { $0.wake() } }

    private func end(_ ended: [EchoLine], _ why: ReasonKind) {
        for line in ended {
            lines[line.number] = nil
            line.cut(why)
        }
    }
}

/// What the network keeps for an account.
private struct Seat {
    var tokens: Set<String> = []
    var waiting: [Letter] = []
    var received: [ReceivedText] = []
    var banned = false
}

/// A message for an account.
struct Letter {
    let number: UInt64
    let text: String
}

struct NoSuchCode: Error {}
