import Foundation
import Seatport

/// The other side of the echo network, for the transport suite. What is not here, the suite is told not to ask for.
extension EchoNetwork: TransportPeer {
    public func profile() async throws -> PeerProfile {
        PeerProfile(
            chat: Self.chat, scan: true, twoAccounts: true, write: true, echo: true, redeliver: true,
            countUnacknowledged: true, receive: true, showOnce: true, cut: true, goDown: true, logOut: true, block: true,
            countConnections: true, quiet: 0.05)
    }

    public func begin() async throws {
        setNetworkDown(false)
        liftBans()
    }

    public func scan(phone: UInt32, code: Secret) async throws -> String { try scan(code.expose(), with: phone) }

    public func write(account: String, text: String) async throws -> String? { say(text, to: account) }

    public func received(account: String) async throws -> [ReceivedText] { receivedTexts(from: account) }

    public func unacknowledged(account: String) async throws -> UInt32 { UInt32(waiting(for: account)) }

    public func cut(account: String) async throws { cutOff(account) }

    public func setDown(down: Bool) async throws { setNetworkDown(down) }

    public func logOut(account: String) async throws { logOutEverywhere(account) }

    public func setBlocked(account: String, blocked: Bool) async throws { setBanned(blocked, account) }

    public func connections() async throws -> UInt32 { UInt32(openLines()) }
}
