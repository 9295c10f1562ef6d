import Foundation

extension Page {
    /// The first items of a list.
    public static func first(_ limit: UInt32) -> Page { Page(edge: .first, limit: limit) }

    /// The items right after this place.
    public static func after(_ place: String, _ limit: UInt32) -> Page { Page(edge: .after(place: place), limit: limit) }

    /// The items right before this place.
    public static func before(_ place: String, _ limit: UInt32) -> Page { Page(edge: .before(place: place), limit: limit) }

    /// The last items of a list.
    public static func last(_ limit: UInt32) -> Page { Page(edge: .last, limit: limit) }
}

extension Desk {
    /// The cards of all sessions that the agent sees, in the order they were added; a page never holds more than 1000.
    ///
    /// - Throws: `invalid` for a page of zero cards.
    public func cards(page: Page) async throws -> [Card] { try await cards(filter: SessionFilter(), page: page) }

    /// Adds an account and starts it, in one step, or fails when no port is free. Answers the id of its session.
    ///
    /// - Throws: what ``addAndStart(account:whenFull:)`` throws.
    public func addAndStart(account: NewAccount) async throws -> String {
        try await addAndStart(account: account, whenFull: .fail)
    }

    /// Starts a session, or fails when no port is free.
    ///
    /// - Throws: what ``start(session:whenFull:)`` throws.
    public func start(session: String) async throws -> Card { try await start(session: session, whenFull: .fail) }

    /// Sends a text as it is, now. Answers its id.
    ///
    /// - Throws: what ``sendText(session:chat:text:options:)`` throws.
    public func sendText(session: String, chat: String, text: String) async throws -> String {
        try await sendText(session: session, chat: chat, text: text, options: SendOptions())
    }
}
