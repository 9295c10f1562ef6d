import Foundation

extension Desk {
    /// Follows a session live: its card, and the login code to show, whichever node drives it.
    ///
    /// - Throws: `unknownSession`.
    public func watch(session: String) async throws -> Watch {
        Watch(try await readSession(session: session))
    }
}

/// Follows one session: how it looks now, and then each time that changes. States that lasted shorter than the follower took are
/// passed over; the event feed passes over nothing. It is closed with ``close()``, or else with its last owner.
public final class Watch: AsyncSequence, Sendable {
    private let reader: WatchReader
    private let views: Batches<View>

    init(_ reader: WatchReader) {
        self.reader = reader
        views = Batches { seen in
            let update = try await reader.next(seen: seen)
            return (update.number, [update.view])
        }
    }

    /// How the session looks now, if that was not handed out yet, or else once it looks different.
    ///
    /// - Throws: `unknownSession` once it was deleted; `denied` once the agent lost sight of it; `closed`.
    public func next() async throws -> View {
        while true {
            if let view = try await views.next() { return view }
        }
    }

    /// Waits until the session looks so; answers how it looks then.
    ///
    /// - Throws: what ``next()`` throws, and what `done` does.
    @discardableResult
    public func until(
        isolation: isolated (any Actor)? = #isolation, _ done: (View) throws -> Bool
    ) async throws -> View {
        while true {
            let view = try await next()
            if try done(view) { return view }
        }
    }

    /// Ends it: a call under way throws `closed`, and so do later ones.
    public func close() throws {
        try reader.end()
        views.close()
    }

    public func makeAsyncIterator() -> Iterator { Iterator(watch: self) }

    public struct Iterator: AsyncIteratorProtocol, Sendable {
        let watch: Watch

        public func next() async throws -> View? { try await watch.next() }
    }
}
