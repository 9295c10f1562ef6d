// The story of a customer-service team, on the simulated messenger: accounts, a scan, customers, agents, ports, a restart.
import Foundation
import Seatport

let file = FileManager.default.temporaryDirectory.appending(path: "seatport-\(UUID()).db").path
let messenger = try Messenger(seed: 7)
let (phone, ana, bo) = try (
    messenger.phone(number: "+8613800138000"), messenger.person(name: "Ana"), messenger.person(name: "Bo")
)
var options = Options(storage: .sqlite(path: file), networks: [try messenger.network()])
options.vaultKey = try VaultKey.generate()
options.ports = PortRange(first: 8001, capacity: 2)

func show(_ card: Card) {
    let port = card.port.map { "port \($0)" } ?? "no port"
    print("    \(card.remark): \(card.status), \(port), \(card.unread) unread, bound to \(card.agent ?? "nobody")")
}

let hotline = try await withSeatport(options) { seatport in
    print("The office opens. Mei is a supervisor, Li an agent.")
    try await seatport.putAgent(agent: Agent(id: "mei", name: "Mei Lin", role: .supervisor))
    try await seatport.putAgent(agent: Agent(id: "li", name: "Li Wei", role: .agent))
    let (mei, li) = try await (seatport.desk(agent: "mei"), seatport.desk(agent: "li"))

    print("Mei adds an account for the hotline, binds Li to it and starts it, in one step.")
    let environment = Environment(deviceName: "Front desk 1", locale: "zh-CN", timeZone: "Asia/Shanghai")
    let account = NewAccount(transport: "simulated", environment: environment, agent: "li", remark: "hotline")
    let hotline = try await mei.addAndStart(account: account)
    let watch = try await mei.watch(session: hotline)
    let code = try await watch.until { $0.challenge != nil }.challenge!
    print("The network sends a login code, and somebody scans it with the phone of the hotline.")
    try phone.scan(code: code.code)
    show(try await watch.until { $0.card.status == .online }.card)

    print("Ana writes, then Bo twice, and the unread count grows.")
    _ = try ana.write(to: phone.address(), text: "Is the blue kettle in stock?")
    _ = try bo.write(to: phone.address(), text: "My parcel has not come.")
    _ = try bo.write(to: phone.address(), text: "The number is 4711.")
    show(try await watch.until { $0.card.unread == 3 }.card)

    print("Li answers Bo, and the chat counts as read.")
    let events = try await li.events(cursors: li.cursors())
    let answer = try await li.sendText(session: hotline, chat: bo.address(), text: "It comes today, before six.")
    try await li.markRead(session: hotline, chat: bo.address())
    for try await event in events {
        if case .messageStatusChanged(_, answer, .sent) = event.body { break }
    }
    for stored in try await li.messages(session: hotline, chat: bo.address(), page: .first(20)).reversed() {
        guard case .text(let text) = stored.message.content else { continue }
        print("    \(stored.message.direction == .inbound ? "Bo" : "Li"): \(text)")
    }

    print("Li would like to give the account away, and may not:")
    do {
        _ = try await li.assign(session: hotline, agent: nil)
    } catch let error as SeatportError {
        print("    \(error.detail)")
    }

    print("Two more accounts are started, and the ports run out:")
    _ = try await mei.addAndStart(account: NewAccount(transport: "simulated", remark: "press"))
    do {
        _ = try await mei.addAndStart(account: NewAccount(transport: "simulated", remark: "fairs"))
    } catch let error as SeatportError where error.retry {
        print("    \(error.detail)")
    }
    return hotline
}

print("The office closes and opens again. Nobody has to scan.")
try await withSeatport(options) { seatport in
    let mei = try await seatport.desk(agent: "mei")
    show(try await mei.watch(session: hotline).until { $0.card.status == .online }.card)
    let today = Date().formatted(.iso8601.year().month().day())
    let leads = try await mei.leads(query: LeadQuery(fromDay: today, days: 1, zone: "UTC", by: [.session]))
    print("The data centre has counted \(leads.current.total.new) new people today.")
    print("Mei stops the hotline and deletes it.")
    show(try await mei.stop(session: hotline))
    try await mei.delete(session: hotline)
}
for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file + suffix) }
