import Foundation
import Seatport
import Testing

@Suite struct SessionOperations {
    @Test(
        .proves(
            "operation:Desk.addAccount", "operation:Desk.card", "operation:Desk.cards", "operation:Desk.assign",
            "operation:Desk.setRemark", "operation:Desk.setEnvironment", "operation:Desk.delete", "operation:Desk.erase",
            "operation:Desk.may", "error:unknownSession", "error:unknownTransport", "error:denied"), .patient)
    func cards() async throws {
        try await withOffice { office in
            let mei = office.mei
            let session = try await mei.addAccount(account: NewAccount(transport: "simulated", remark: "press"))
            let other = try await mei.addAccount(account: NewAccount(transport: "simulated"))
            #expect(try await mei.card(session: session).status == .notStarted)
            #expect(try await mei.assign(session: session, agent: "li").agent == "li")
            #expect(try await mei.setRemark(session: session, remark: "fairs").remark == "fairs")
            let environment = Environment(
                proxy: Proxy(scheme: .socks5, host: "proxy.example", port: 1080, username: "desk", password: Secret(text: "hunter2")),
                deviceName: "Front desk", platform: .linux, locale: "zh-CN", timeZone: "Asia/Shanghai",
                labels: ["shop": "west"], runsOn: ["egress": "hk"])
            let card = try await mei.setEnvironment(session: session, environment: environment)
            #expect(card.environment.proxy?.host == "proxy.example" && card.environment.proxy?.password == nil)
            #expect(card.environment.timeZone == "Asia/Shanghai" && card.environment.labels == ["shop": "west"])

            #expect(try await mei.cards(page: .first(10)).map(\.session) == [session, other])
            #expect(try await mei.cards(page: .after(session, 10)).map(\.session) == [other])
            #expect(try await mei.cards(page: .before(other, 10)).map(\.session) == [session])
            #expect(try await mei.cards(page: .last(1)).map(\.session) == [other])
            let filter = SessionFilter(statuses: [.notStarted], agent: .boundTo(agent: "li"), text: "FAIRS")
            #expect(try await mei.cards(filter: filter, page: .first(10)).map(\.session) == [session])
            let unbound = SessionFilter(agent: .unbound)
            #expect(try await mei.cards(filter: unbound, page: .first(10)).map(\.session) == [other])

            try await mei.delete(session: session)
            try await mei.erase(session: other)
            let gone = try await failure { try await mei.card(session: session) }
            guard case .unknownSession(_, session) = gone else { throw gone }

            #expect(try await mei.may(action: .assign))
            #expect(try await office.li.may(action: .assign) == false)
            let denied = try await failure { try await office.li.assign(session: session, agent: "li") }
            guard case .denied(_, "li", .assign) = denied else { throw denied }
            let unknown = try await failure { try await mei.addAccount(account: NewAccount(transport: "pigeon")) }
            guard case .unknownTransport(_, "pigeon") = unknown else { throw unknown }
        }
    }

    @Test(
        .proves(
            "operation:Desk.stop", "operation:Desk.restart", "operation:Desk.refreshLogin", "operation:Desk.refreshLoginBy",
            "operation:Desk.logOut", "operation:Desk.loginCode", "operation:Desk.watch", "operation:Watch.next",
            "operation:Watch.until", "operation:Watch.close", "operation:Phone.scan", "operation:Phone.enterPairingCode",
            "error:illegalTransition", "error:noLoginCode"), .patient)
    func lifecycle() async throws {
        try await withOffice { office in
            let mei = office.mei
            let session = try await mei.addAccount(account: NewAccount(transport: "simulated"))
            let stopped = try await failure { try await mei.restart(session: session) }
            guard case .illegalTransition = stopped else { throw stopped }
            let none = try await failure { try await mei.loginCode(session: session) }
            guard case .noLoginCode(_, session) = none else { throw none }

            #expect(try await mei.start(session: session).status == .connecting)
            let watch = try await mei.watch(session: session)
            let shown = try await watch.code()
            let asked = try await mei.loginCode(session: session)
            #expect(shown.kind == .qr && asked.code.expose() == shown.code.expose())
            _ = try await mei.refreshLoginBy(session: session, method: .pairingCode(phone: "+8613800138000"))
            let view = try await watch.until { $0.challenge?.kind == .pairingCode }
            let pairing = try #require(view.challenge)
            #expect(pairing.expiresAt > Date())
            let phone = try office.messenger.phone(number: "+8613800138000")
            try phone.enterPairingCode(code: pairing.code)
            let online = try await watch.until { $0.card.status == .online }.card
            #expect(try online.account?.address == phone.address())

            _ = try await mei.restart(session: session)
            try await watch.until { $0.card.status != .online }
            try await watch.until { $0.card.status == .online }
            _ = try await mei.logOut(session: session)
            let out = try await watch.until { $0.card.login == .loggedOut && $0.card.status == .blocked }.card
            #expect(out.reason?.kind == .loggedOutHere)
            _ = try await mei.refreshLogin(session: session)
            let code = try await watch.code()
            try phone.enterOrScan(code)
            try await watch.until { $0.card.status == .online }
            #expect(try await mei.stop(session: session).status == .offline)
            _ = try await watch.next()
            try watch.close()
        }
    }

    @Test(
        .proves(
            "operation:Messenger.network", "operation:Messenger.phone", "operation:Messenger.dials", "operation:Messenger.ban",
            "operation:Messenger.unban", "operation:Messenger.setConditions", "operation:Messenger.setProxyRefusing",
            "operation:Phone.account", "operation:Phone.address", "operation:Phone.devices", "operation:Phone.logOut",
            "operation:Phone.openElsewhere", "operation:Phone.unacknowledged", "operation:Phone.setConditions"), .patient)
    func network() async throws {
        try await withOffice { office in
            let messenger = office.messenger
            #expect(try messenger.network().name() == "simulated")
            let (session, phone) = try await office.online()
            #expect(try phone.account().phone == "8613800138000")
            #expect(try phone.devices().map(\.session) == [session])
            #expect(try phone.unacknowledged() == 0)
            #expect(try messenger.dials() >= 1)

            let until = Date(timeIntervalSince1970: 4_000_000_000)
            try messenger.ban(account: phone.address(), until: until)
            let banned = try await office.card(session) { $0.status == .blocked }
            #expect(banned.reason?.kind == .banned && banned.reason?.until == until)
            try messenger.unban(account: phone.address())
            _ = try await office.mei.refreshLogin(session: session)
            try await office.card(session) { $0.status == .online }

            try phone.openElsewhere()
            let replaced = try await office.card(session) { $0.status == .blocked }
            #expect(replaced.reason?.kind == .replaced)
            _ = try await office.mei.refreshLogin(session: session)
            try await office.card(session) { $0.status == .online }
            try phone.setConditions(conditions: Conditions(down: true))
            try await office.card(session) { $0.status == .connecting }
            try phone.setConditions(conditions: Conditions())
            try await office.card(session) { $0.status == .online }
            try messenger.setConditions(conditions: Conditions(outdated: true))
            _ = try await office.mei.restart(session: session)
            let outdated = try await office.card(session) { $0.status == .blocked }
            #expect(outdated.reason?.kind == .clientOutdated)
            try messenger.setConditions(conditions: Conditions())
            let proxy = try parseProxy(url: Secret(text: "http://mei:hunter2@proxy.example:3128"))
            try messenger.setProxyRefusing(proxy: proxy, refusing: true)
            _ = try await office.mei.setEnvironment(session: session, environment: Environment(proxy: proxy))
            _ = try await office.mei.refreshLogin(session: session)
            let behind = try await office.card(session) { $0.reason?.kind == .proxyRefused }
            #expect(behind.status == .blocked)
            try messenger.setProxyRefusing(proxy: proxy, refusing: false)
            _ = try await office.mei.refreshLogin(session: session)
            try await office.card(session) { $0.status == .online }
            try phone.logOut(session: session)
            let out = try await office.card(session) { $0.status == .blocked }
            #expect(out.reason?.kind == .loggedOut)
        }
    }
}

extension Phone {
    /// Whatever kind of code it is.
    func enterOrScan(_ challenge: LoginChallenge) throws {
        switch challenge.kind {
        case .qr: try scan(code: challenge.code)
        case .pairingCode: try enterPairingCode(code: challenge.code)
        }
    }
}
