import Foundation
import Seatport
import Testing

@Suite struct ValueTests {
    @Test(.proves("unicode"), .patient)
    func everyTextArrivesAsItWas() async throws {
        let texts = [
            "退款吗，谢谢", "👩‍👩‍👧‍👦🏳️‍🌈", "e\u{301}\u{327} a\u{30A}", "مرحبا \u{202E}gnirts", "\u{FEFF}with a mark", "a\nb\tc",
            String(repeating: "字", count: 21_845),
        ]
        try await withOffice { office in
            let (session, phone) = try await office.online()
            let ana = try office.messenger.person(name: "张伟 👍")
            for text in texts {
                let id = try await office.mei.sendText(session: session, chat: ana.address(), text: text)
                try await eventually { try ana.received().contains { $0.id == id } }
                let found = try ana.received().first { $0.id == id }
                let received = try #require(found)
                #expect(Array(received.text.utf8) == Array(text.utf8))
                let answer = try ana.write(to: phone.address(), text: text)
                try await eventually { try await office.mei.message(session: session, chat: ana.address(), id: answer) != nil }
                let stored = try await office.mei.message(session: session, chat: ana.address(), id: answer)
                guard case .text(let kept) = stored?.message.content else { throw CancellationError() }
                #expect(Array(kept.utf8) == Array(text.utf8))
            }
            #expect(try await office.mei.setRemark(session: session, remark: texts[1]).remark == texts[1])
            #expect(try await office.mei.contact(session: session, address: ana.address()).name == "张伟 👍")
        }
    }

    @Test(.proves("nulls"), .patient)
    func whatIsLeftOutIsLeftOut() async throws {
        try await withOffice { office in
            let bare = try await office.mei.card(session: office.mei.addAccount(account: NewAccount(transport: "simulated")))
            #expect(bare.reason == nil && bare.nextTry == nil && bare.account == nil && bare.agent == nil && bare.port == nil)
            #expect(bare.remark == "" && bare.environment.proxy == nil && bare.environment.deviceName == nil)
            #expect(bare.environment.labels.isEmpty && bare.environment.timeZone == nil)
            let full = Environment(
                proxy: Proxy(scheme: .http, host: "p.example", port: 1, username: nil, password: nil), deviceName: "d",
                platform: .ios, locale: "en", timeZone: "UTC", labels: ["a": "b"], runsOn: ["c": "d"])
            let account = NewAccount(
                transport: "simulated", environment: full, agent: "li", remark: "r", login: .pairingCode(phone: "+8613800138000"))
            let card = try await office.mei.card(session: office.mei.addAccount(account: account))
            #expect(card.agent == "li" && card.environment.platform == .ios && card.environment.runsOn == ["c": "d"])
            #expect(card.environment.proxy?.username == nil)
            let filter = SessionFilter(statuses: [], agent: nil, text: nil)
            #expect(try await office.mei.cards(filter: filter, page: .first(5)).count == 2)
            #expect(try await office.mei.cursors().count == 2)
        }
        let none = Options(storage: .memory, networks: [], nodeLabels: [:])
        try await withSeatport(none) { seatport async throws in
            #expect(try await seatport.agents().isEmpty)
            #expect(try await seatport.portUsage().occupied.isEmpty)
        }
    }

    @Test(.proves("times"), .patient)
    func timesAreExactToTheMillisecond() async throws {
        let host = Wilful()
        try await withOffice({ $0.networks = [try host.network()] }) { office in
            let session = try await office.mei.addAndStart(account: NewAccount(transport: "own"))
            try await office.card(session) { $0.status == .online }
            let signals = try #require(host.signals.now)
            let millis: [Int64] = [
                1_700_000_000_123, 1_700_000_000_999, 0, 1, 999, -1_000, -62_135_596_800_000, 253_402_300_799_999,
                1_767_225_599_949, 4_102_444_800_001,
            ]
            for (n, millis) in millis.enumerated() {
                let at = Date(timeIntervalSince1970: Double(millis) / 1000)
                try await signals.messages(messages: [InboundMessage(
                    chat: "bo", kind: .person, id: "\(n)", sender: "bo", content: .text(text: "now"), at: at)])
                let stored = try #require(try await office.mei.message(session: session, chat: "bo", id: "\(n)"))
                #expect(Int64((stored.message.at.timeIntervalSince1970 * 1000).rounded()) == millis)
            }
            for absurd in [Double.nan, .infinity, -.infinity, 1e300, -1e300, 9e12, -9e12] {
                do {
                    try await signals.messages(messages: [InboundMessage(
                        chat: "bo", kind: .person, id: "x", sender: "bo", content: .undecryptable,
                        at: Date(timeIntervalSince1970: absurd))])
                    Issue.record("\(absurd) was taken")
                } catch TransportError.invalid(let problem) {
                    #expect(problem.contains("time"))
                }
            }
        }
    }

    @Test(.proves("bad_input", "error:invalid"), .patient)
    func whatMakesNoSenseIsRefused() async throws {
        try await withOffice { office in
            let session = try await office.mei.addAccount(account: NewAccount(transport: "simulated"))
            let (mei, seatport) = (office.mei, office.seatport)
            let feed = try await mei.events()
            let calls: [(String, @Sendable () async throws -> Any)] = [
                ("session id", { try await mei.card(session: "seat 1") }),
                ("session id", { try await mei.card(session: "") }),
                ("address", { try await mei.chat(session: session, address: "") }),
                ("agent id", { try await seatport.putAgent(agent: Agent(id: "", name: "x", role: .agent)) }),
                ("agent name", { try await seatport.putAgent(agent: Agent(id: "x", name: "a\u{0}b", role: .agent)) }),
                ("page", { try await mei.cards(page: .first(0)) }),
                ("batch", { try await mei.events(batch: 0).next() }),
                ("duration", { try await mei.start(session: session, whenFull: .wait(timeout: -1)) }),
                ("duration", { try await seatport.drain(deadline: -0.001) }),
                ("duration", { try await seatport.drain(deadline: .nan) }),
                ("duration", { try await seatport.shutdown(deadline: -5) }),
                ("place of a message", { try await mei.messages(session: session, chat: "a", page: .after("-1", 10)) }),
                ("port capacity", { try await seatport.resizePorts(capacity: 0) }),
                ("port range", { try await seatport.setPortRange(range: PortRange(first: .max, capacity: .max)) }),
                ("vault key", { try VaultKey.fromBytes(bytes: Data(count: 5)) }),
                ("transport name", { try Network.hosted(name: "", capabilities: Capabilities(), transport: Well()) }),
                ("proxy", { try parseProxy(url: Secret(text: "no proxy")) }),
                ("remark", { try await mei.setRemark(session: session, remark: String(repeating: "x", count: 5000)) }),
            ]
            for (field, call) in calls {
                let refused = try await failure(of: call)
                guard case .invalid(let detail, let named, let problem, let wayOut) = refused else {
                    Issue.record("\(field): \(refused)")
                    continue
                }
                #expect(named == field)
                #expect(!problem.isEmpty && !wayOut.isEmpty && !refused.retry)
                #expect(refused.localizedDescription == detail && "\(refused)" == detail)
            }
            _ = feed
            // Huge, and harmless.
            _ = try await mei.cards(page: .first(.max))
            _ = try await mei.audit(after: .max, limit: .max)
            _ = try await seatport.drain(deadline: 0)
            let far = try await mei.start(session: session, whenFull: .wait(timeout: .infinity))
            #expect(far.port != nil)
            // A refused value does not come up in the next call.
            #expect(try await mei.card(session: session).session == session)
        }
    }

    @Test(.proves("secrets"), .patient)
    func noSecretIsShown() async throws {
        let word = "hunter2-\(UUID())"
        let secret = Secret(text: word)
        let key = try VaultKey.generate()
        let proxy = try parseProxy(url: Secret(text: "http://mei:\(word)@proxy.example:3128"))
        let challenge = LoginChallenge(kind: .qr, code: secret, sequence: 1, expiresAt: Date())
        let options = Options(
            storage: .postgres(url: Secret(text: "postgres://u:\(word)@db/x")), vaultKey: key, previousVaultKeys: [key])
        let media = Media(kind: .image, mimeType: "image/png", reference: secret)
        let refused = try await failure { try parseProxy(url: Secret(text: "ftp://mei:\(word)@proxy.example")) }
        let unreachable = try await failure {
            try await Seatport.open(Options(storage: .postgres(url: Secret(text: "postgres://u:\(word)@127.0.0.1:1/x"))))
        }
        let things: [Any] = [
            secret, key, proxy, Environment(proxy: proxy), challenge, options, options.storage, media, Content.media(media: media),
            refused, unreachable,
        ]
        let bytes = try key.expose().map { String($0) }.joined(separator: ", ")
        for thing in things {
            var dumped = ""
            dump(thing, to: &dumped)
            for text in [dumped, "\(thing)", String(reflecting: thing), String(describing: thing)] {
                #expect(!text.contains(word) && !text.contains(bytes))
            }
        }
        #expect(secret.expose() == word)
    }
}
