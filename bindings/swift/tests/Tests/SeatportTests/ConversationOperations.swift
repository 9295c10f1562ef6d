import Foundation
import Seatport
import Testing

@Suite struct ConversationOperations {
    @Test(
        .proves(
            "operation:Messenger.person", "operation:Person.address", "operation:Person.write", "operation:Person.send",
            "operation:Person.reply", "operation:Person.edit", "operation:Person.delete", "operation:Person.react",
            "operation:Person.rename", "operation:Person.show", "operation:Person.received", "operation:Person.sendAgain",
            "operation:Desk.contacts", "operation:Desk.contact", "operation:Desk.chats", "operation:Desk.chat",
            "operation:Desk.messages", "operation:Desk.message", "error:unknownContact", "error:unknownChat"), .patient)
    func reading() async throws {
        try await withOffice { office in
            let (session, phone) = try await office.online()
            let (mei, to) = (office.mei, try phone.address())
            let ana = try office.messenger.person(name: "Ana")
            let chat = try ana.address()
            let first = try ana.write(to: to, text: "one")
            let second = try ana.reply(to: to, quoted: first, text: "two")
            let media = Media(kind: .image, mimeType: "image/png", size: 10, fileName: "a.png", caption: "look", duration: 1.5)
            let third = try ana.send(to: to, content: .media(media: media))
            let place = try ana.send(to: to, content: .location(location: Location(latitude: 1, longitude: -2, name: "here")))
            let riddle = try ana.send(to: to, content: .undecryptable)
            try await office.card(session) { $0.unread == 5 }
            try ana.edit(to: to, id: first, text: "uno")
            try ana.react(to: to, id: second, emoji: "👍")
            try ana.delete(to: to, id: third)
            try ana.sendAgain(to: to, id: riddle, content: .text(text: "solved"))
            try ana.rename(name: "Anna")
            try ana.show(avatar: "a-picture")

            func message(_ id: String) async throws -> StoredMessage {
                try #require(try await mei.message(session: session, chat: chat, id: id))
            }
            try await eventually { try await message(first).message.content == .text(text: "uno") }
            #expect(try await message(first).editedAt != nil)
            try await eventually { try await message(second).reactions.map(\.emoji) == ["👍"] }
            #expect(try await message(second).message.quoted == first)
            try await eventually { try await message(third).message.content == .deleted }
            try await eventually { try await message(riddle).message.content == .text(text: "solved") }
            guard case .location(let location) = try await message(place).message.content else { throw CancellationError() }
            #expect(location == Location(latitude: 1, longitude: -2, name: "here"))
            #expect(try await mei.message(session: session, chat: chat, id: "none") == nil)
            let all = try await mei.messages(session: session, chat: chat, page: .first(10))
            #expect(all.map(\.message.id) == [riddle, place, third, second, first])
            #expect(try await mei.messages(session: session, chat: chat, page: .after("\(all[1].seq)", 1)).map(\.seq) == [all[2].seq])

            try await eventually { try await mei.contact(session: session, address: chat).name == "Anna" }
            try await eventually { try await mei.contact(session: session, address: chat).avatar == "a-picture" }
            #expect(try await mei.contacts(session: session, page: .first(10)).map(\.address) == [chat])
            let chats = try await mei.chats(session: session, page: .first(10))
            #expect(chats.map(\.address) == [chat] && chats[0].kind == .person && chats[0].unread == 5)
            #expect(try await mei.chats(session: session, page: .after(chats[0].cursor, 10)).isEmpty)
            #expect(try await mei.chat(session: session, address: chat).last?.message.id == riddle)
            let contact = try await failure { try await mei.contact(session: session, address: "nobody") }
            guard case .unknownContact(_, "nobody") = contact else { throw contact }
            let unknown = try await failure { try await mei.chat(session: session, address: "nobody") }
            guard case .unknownChat(_, "nobody") = unknown else { throw unknown }
            #expect(try ana.received().isEmpty)
        }
    }

    @Test(
        .proves(
            "operation:Desk.sendText", "operation:Desk.sendMedia", "operation:Desk.cancelSend", "operation:Desk.markRead",
            "operation:Desk.markReadUpTo", "operation:Person.confirm", "operation:Person.read", "operation:Person.seenBy",
            "error:notSending", "error:keyReused", "error:alreadySent", "error:unknownMessage", "error:unsupported"), .patient)
    func writing() async throws {
        try await withOffice { office in
            let (session, phone) = try await office.online()
            let (mei, to) = (office.mei, try phone.address())
            let bo = try office.messenger.person(name: "Bo")
            let chat = try bo.address()
            let options = SendOptions(key: "order-1")
            let id = try await mei.sendText(session: session, chat: chat, text: "hello", options: options)
            #expect(try await mei.sendText(session: session, chat: chat, text: "hello", options: options) == id)
            let reused = try await failure {
                try await mei.sendText(session: session, chat: chat, text: "another", options: options)
            }
            guard case .keyReused(_, "order-1", id) = reused else { throw reused }
            let status = { try await mei.message(session: session, chat: chat, id: id)?.message.status }
            try await eventually { try await status() == .sent }
            try bo.confirm(to: to, id: id)
            try await eventually { try await status() == .delivered }
            try bo.read(to: to, id: id)
            try await eventually { try await status() == .read }
            let sent = try await failure { try await mei.cancelSend(session: session, chat: chat, message: id) }
            guard case .alreadySent(_, id, .read) = sent else { throw sent }

            let one = try bo.write(to: to, text: "one")
            let two = try bo.write(to: to, text: "two")
            try await office.card(session) { $0.unread == 2 }
            try await mei.markReadUpTo(session: session, chat: chat, message: one)
            try await office.card(session) { $0.unread == 1 }
            try await mei.markRead(session: session, chat: chat)
            try await office.card(session) { $0.unread == 0 }
            try await eventually { try bo.seenBy(account: to) == [one, two] }
            let unknown = try await failure { try await mei.markReadUpTo(session: session, chat: chat, message: "none") }
            guard case .unknownMessage(_, "none") = unknown else { throw unknown }

            let media = Media(kind: .document, mimeType: "application/pdf", reference: Secret(text: "where it is"))
            let sentMedia = try await mei.sendMedia(session: session, chat: chat, media: media, options: SendOptions())
            try await eventually { try bo.received().last?.id == sentMedia }
            _ = try await mei.stop(session: session)
            let refused = try await failure { try await mei.sendText(session: session, chat: chat, text: "now?") }
            guard case .notSending(_, session, .offline) = refused else { throw refused }
            let queued = try await mei.sendText(
                session: session, chat: chat, text: "later", options: SendOptions(quoted: one, whenStopped: .queue))
            try await mei.cancelSend(session: session, chat: chat, message: queued)
            let cancelled = try await mei.message(session: session, chat: chat, id: queued)
            #expect(cancelled?.failure == .cancelled && cancelled?.message.status == .failed)
        }
        try await withOffice({ $0.networks.append(try .hosted(name: "own", capabilities: Capabilities(), transport: Well())) }) { office in
            let session = try await office.mei.addAndStart(account: NewAccount(transport: "own"))
            try await office.card(session) { $0.status == .online }
            let media = Media(kind: .image, mimeType: "image/png")
            let unsupported = try await failure {
                try await office.mei.sendMedia(session: session, chat: "bo", media: media, options: SendOptions())
            }
            guard case .unsupported(_, "own") = unsupported else { throw unsupported }
        }
    }

    @Test(
        .proves(
            "operation:Messenger.group", "operation:Messenger.channel", "operation:Group.address", "operation:Group.received",
            "operation:Person.revealNumber", "operation:Person.isAlso", "operation:Desk.searchMessages",
            "operation:Desk.searchContacts"), .patient)
    func findingPeople() async throws {
        try await withOffice { office in
            let (session, phone) = try await office.online()
            let (mei, to) = (office.mei, try phone.address())
            let (ana, bo) = (try office.messenger.person(name: "Ana"), try office.messenger.person(name: "Bo"))
            let team = try office.messenger.group(name: "Team", members: [phone])
            let news = try office.messenger.channel(name: "News", followers: [phone])
            _ = try ana.write(to: to, text: "the blue kettle")
            _ = try bo.write(to: to, text: "a red kettle, 退款吗")
            _ = try ana.write(to: team.address(), text: "kettle of the team")
            _ = try bo.write(to: news.address(), text: "kettle news")
            try await eventually { try await mei.chats(session: session, page: .first(10)).count == 4 }
            #expect(try team.received().map(\.text) == ["kettle of the team"])
            #expect(try await mei.chat(session: session, address: news.address()).kind == .broadcast)
            #expect(try await mei.chat(session: session, address: team.address()).kind == .group)

            let kettles = try await mei.searchMessages(query: SearchQuery(text: "KETTLE"), limit: 1)
            #expect(kettles.count == 1)
            let more = try await mei.searchMessages(query: SearchQuery(text: "kettle"), limit: 10, after: kettles[0].cursor)
            #expect(more.count == 3 && !more.map(\.message.seq).contains(kettles[0].message.seq))
            #expect(try await mei.searchMessages(query: SearchQuery(text: "退款", session: session), limit: 10).count == 1)

            try ana.revealNumber(to: to, number: "+4915112345678")
            try await eventually { try await mei.contact(session: session, address: ana.address()).phone == "4915112345678" }
            let people = try await mei.searchContacts(query: SearchQuery(text: "4915112345678"), limit: 10)
            #expect(try people.map(\.contact.address) == [ana.address()])
            #expect(try await mei.searchContacts(query: SearchQuery(text: "ana"), limit: 10, after: people[0].cursor).isEmpty)

            let feed = try await mei.events(cursors: mei.cursors())
            try bo.isAlso(to: to, other: ana)
            for try await event in feed {
                guard case .identityMerged(let address, let canonical) = event.body else { continue }
                #expect(try Set([address, canonical]) == Set([ana.address(), bo.address()]))
                break
            }
        }
    }
}

/// Waits until it is so.
func eventually(_ done: () async throws -> Bool) async throws {
    while try await !done() { try await Task.sleep(for: .milliseconds(5)) }
}

extension Content {
    static func == (one: Content, other: Content) -> Bool {
        switch (one, other) {
        case (.text(let one), .text(let other)): return one == other
        case (.deleted, .deleted), (.undecryptable, .undecryptable): return true
        default: return false
        }
    }
}
