import Foundation

// A peer is asked for nothing that its profile does not name: what it does not write, it has no word for.
extension TransportPeer {
    public func begin() async throws {}
    public func scan(phone: UInt32, code: Secret) async throws -> String { throw NotInTheProfile() }
    public func enterPairingCode(phone: UInt32, code: Secret) async throws -> String { throw NotInTheProfile() }
    public func write(account: String, text: String) async throws -> String? { throw NotInTheProfile() }
    public func received(account: String) async throws -> [ReceivedText] { throw NotInTheProfile() }
    public func unacknowledged(account: String) async throws -> UInt32 { throw NotInTheProfile() }
    public func cut(account: String) async throws { throw NotInTheProfile() }
    public func setDown(down: Bool) async throws { throw NotInTheProfile() }
    public func setHanging(hanging: Bool) async throws { throw NotInTheProfile() }
    public func logOut(account: String) async throws { throw NotInTheProfile() }
    public func setBlocked(account: String, blocked: Bool) async throws { throw NotInTheProfile() }
    public func connections() async throws -> UInt32 { throw NotInTheProfile() }
}

/// The suite asked for what the peer had not said it could do.
private struct NotInTheProfile: Error {}
