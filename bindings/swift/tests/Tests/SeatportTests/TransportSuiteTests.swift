import Echo
import Foundation
import Seatport
import Testing

@Suite struct TransportSuiteTests {
    @Test(.proves("transport_suite"), .patient)
    func theEchoNetworkKeepsWhatTransportsPromise() async throws {
        let network = EchoNetwork()
        let outcomes = try await checkTransport(network: try network.network(), peer: network)
        var leftOut: Set<String> = []
        for outcome in outcomes {
            switch outcome.verdict {
            case .passed: break
            case .leftOut: leftOut.insert(outcome.name)
            case .failed(let problem): Issue.record("\(outcome.name): \(problem)")
            }
        }
        #expect(outcomes.count > 20 && leftOut.count < outcomes.count / 2)
    }

    @Test(.proves("transport_suite"), .patient)
    func whoKeepsNothingIsCaught() async throws {
        final class Mute: Transport, Connection {
            func connect(dial: Dial) async throws -> any Connection { self }
            func send(message: OutboundMessage) async throws {}
            func markRead(chat: String, messages: [ReadMessage]) async throws {}
            func logOut() async throws {}
            func close() async throws {}
        }
        final class Peer: TransportPeer {
            func profile() async throws -> PeerProfile { PeerProfile(chat: "echo@echo", patience: 0.1, quiet: 0.01) }
        }
        let network = try Network.hosted(name: "mute", capabilities: Capabilities(), transport: Mute())
        let outcomes = try await checkTransport(network: network, peer: Peer())
        let caught = outcomes.contains { if case .failed = $0.verdict { true } else { false } }
        #expect(caught)
    }
}
