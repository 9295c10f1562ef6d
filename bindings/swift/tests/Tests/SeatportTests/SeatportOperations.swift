import Foundation
import Seatport
import Testing

@Suite struct SeatportOperations {
    @Test(
        .proves(
            "operation:Seatport.putAgent", "operation:Seatport.agent", "operation:Seatport.agents",
            "operation:Seatport.removeAgent", "operation:Seatport.desk", "operation:Desk.agent",
            "error:unknownAgent", "error:agentBound"), .patient)
    func people() async throws {
        try await withOffice { office in
            #expect(try await office.seatport.agents().map(\.id) == ["li", "mei"])
            let li = Agent(id: "li", name: "Li Wei", role: .agent)
            #expect(try await office.seatport.agent(id: "li") == li)
            #expect(try await office.seatport.agent(id: "nobody") == nil)
            #expect(try await office.li.agent() == li)

            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated", agent: "li"))
            let bound = try await failure { try await office.seatport.removeAgent(id: "li") }
            guard case .agentBound(let detail, "li", 1) = bound else { throw bound }
            #expect(detail.contains("li") && !bound.retry)
            _ = try await office.mei.assign(session: session, agent: nil)
            try await office.seatport.removeAgent(id: "li")
            let gone = try await failure { try await office.seatport.desk(agent: "li") }
            guard case .unknownAgent(_, "li") = gone else { throw gone }
        }
    }

    @Test(
        .proves(
            "operation:Seatport.portUsage", "operation:Seatport.resizePorts", "operation:Seatport.setPortRange",
            "operation:Desk.addAndStart", "operation:Desk.start", "error:poolFull", "error:portWaitTimedOut"), .patient)
    func ports() async throws {
        try await withOffice { office in
            try await office.seatport.setPortRange(range: PortRange(first: 8001, capacity: 2))
            try await office.seatport.resizePorts(capacity: 1)
            let first = try await office.mei.addAndStart(account: NewAccount(transport: "simulated"))
            let usage = try await office.seatport.portUsage()
            #expect(usage == PortUsage(
                range: PortRange(first: 8001, capacity: 1), occupied: [Occupied(port: 8001, session: first)], free: 0))

            let second = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            let full = try await failure { try await office.mei.start(session: second) }
            guard case .poolFull(_, 1, 1, 0, let holders) = full else { throw full }
            #expect(holders == usage.occupied && full.retry)
            let late = try await failure { try await office.mei.start(session: second, whenFull: .wait(timeout: 0.02)) }
            guard case .portWaitTimedOut(_, let waited) = late else { throw late }
            #expect(waited >= 0.02 && late.retry)
        }
    }

    @Test(
        .proves(
            "operation:Seatport.nodeId", "operation:Seatport.nodes", "operation:Seatport.drain",
            "operation:Seatport.rotateVault", "operation:Seatport.open", "operation:Seatport.shutdown",
            "error:vault", "error:shutDown"), .patient)
    func node() async throws {
        try await withFile { file in
            let (key, next) = try (VaultKey.generate(), VaultKey.generate())
            let messenger = try Messenger(seed: 3)
            var options = Options(storage: .sqlite(path: file), networks: [try messenger.network()], vaultKey: key)
            let seatport = try await Seatport.open(options)
            let office = try await staff(seatport, messenger)
            let nodes = try await seatport.nodes()
            #expect(try nodes.map(\.id) == [seatport.nodeId()])
            let (session, _) = try await office.online()
            let drained = try await seatport.drain(deadline: 0.1)
            #expect(drained.left == [session], "there is no other node")
            try await seatport.shutdown(deadline: 2)
            let ended = try await failure { try await seatport.nodes() }
            guard case .shutDown = ended else { throw ended }

            options.vaultKey = next
            let wrong = try await failure { try await Seatport.open(options) }
            guard case .vault = wrong else { throw wrong }
            options.previousVaultKeys = [key]
            let sealed = try await withSeatport(options) { try await $0.rotateVault() }
            #expect(sealed > 0)
            options.previousVaultKeys = []
            let left = try await withSeatport(options) { try await $0.rotateVault() }
            #expect(left == 0)
        }
    }

    @Test(.proves("operation:Network.name", "operation:Network.hosted", "operation:Network.whatsapp", "error:notBuilt"))
    func networks() throws {
        #expect(try Network.hosted(name: "own", capabilities: Capabilities(), transport: Well()).name() == "own")
        do {
            #expect(try Network.whatsapp().name() == "whatsapp")
        } catch SeatportError.notBuilt(let detail, "whatsapp") {
            #expect(detail.contains("--features whatsapp"))
        }
    }
}
