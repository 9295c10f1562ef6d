import Foundation

extension Desk {
    /// Follows the events of all sessions that the agent sees: everything after the cursors, and then what happens. A session that the
    /// cursors do not name begins with its first event.
    ///
    /// `batch` is how many events are fetched from Rust at a time, at most.
    ///
    /// - Throws: `denied`; `invalid` for a cursor that names no session, or a batch of zero.
    public func events(cursors: [String: UInt64] = [:], batch: UInt32 = 256) async throws -> EventFeed {
        EventFeed(try await readEvents(cursors: cursors), batch: batch)
    }
}

/// Follows the events of all sessions that the agent sees, without an end.
///
/// A loop over it may be left and taken up again, by another loop too, and a task that reads it may be cancelled: each event comes
/// exactly once. It is closed with ``close()``, or else with its last owner.
public final class EventFeed: AsyncSequence, Sendable {
    private let reader: EventReader
    private let events: Batches<Event>

    init(_ reader: EventReader, batch: UInt32) {
        self.reader = reader
        events = Batches { seen in
            let batch = try await reader.next(seen: seen, max: batch)
            return (batch.number, batch.events)
        }
    }

    /// The next event, once there is one.
    ///
    /// - Throws: `eventsTrimmed` when the next events of a session are not kept any more, and then the next call goes on behind them;
    ///   `denied` once the agent may not; `closed`.
    public func next() async throws -> Event {
        while true {
            if let event = try await events.next() { return event }
        }
    }

    /// How far the events that were handed out go, by session: to be kept, and passed to ``Desk/events(cursors:batch:)`` the next
    /// time.
    ///
    /// - Throws: `closed`.
    public func cursors() async throws -> [String: UInt64] {
        try await events.ask { seen, left in
            var cursors = try await reader.cursors(seen: seen)
            for event in left.reversed() { cursors[event.session] = event.seq - 1 }
            return cursors
        }
    }

    /// Ends it: a call under way throws `closed`, and so do later ones.
    public func close() throws {
        try reader.end()
        events.close()
    }

    public func makeAsyncIterator() -> Iterator { Iterator(feed: self) }

    public struct Iterator: AsyncIteratorProtocol, Sendable {
        let feed: EventFeed

        public func next() async throws -> Event? { try await feed.next() }
    }
}
