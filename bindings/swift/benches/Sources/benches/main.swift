// What a call costs beside an empty function of the same signature in the same library, and whether memory grows.
import Foundation
// With its inner side: batches are not shown to others.
@testable import Seatport

let quick = CommandLine.arguments.contains("--quick")
let rounds = quick ? 15 : 60

let messenger = try Messenger(seed: 1)
let options = Options(storage: .memory, networks: [try messenger.network()], vaultKey: try VaultKey.generate())
try await Task.detached {
    try await withSeatport(options) { seatport in
        try await seatport.putAgent(agent: Agent(id: "mei", name: "Mei Lin", role: .supervisor))
        let mei = try await seatport.desk(agent: "mei")
        let environment = Environment(deviceName: "Front desk", locale: "zh-CN", timeZone: "Asia/Shanghai")
        let account = NewAccount(transport: "simulated", environment: environment, agent: "mei", remark: "a remark of some words")
        // A batch holds events of one session: with only one there, it is the first.
        let first = try await mei.addAccount(account: account)
        for n in 1..<256 { _ = try await mei.setRemark(session: first, remark: "remark \(n)") }
        let events = Bench(seatport: seatport, mei: mei, session: first, probe: try await Probe.of(desk: mei, session: first))
        try await events.batches()
        for _ in 1..<1000 { _ = try await mei.addAccount(account: account) }
        let bench = Bench(seatport: seatport, mei: mei, session: first, probe: try await Probe.of(desk: mei, session: first))
        try await bench.overhead()
        try await bench.memory()
    }
}.value
