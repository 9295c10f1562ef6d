import Foundation

extension Desk {
    /// Goes on where the consumer of this name has got to: gives every event that it has not acknowledged. A new one is registered, and
    /// begins with the oldest event that is kept; from now on no event is trimmed before it acknowledged it.
    ///
    /// `batch` is how many events are fetched from Rust at a time, at most.
    ///
    /// - Throws: `denied`, also for an agent who works only on the sessions bound to them.
    public func consume(name: String, batch: UInt32 = 256) async throws -> Consumer {
        try Consumer(await readAs(name: name), batch: batch)
    }
}

/// Reads the event feed under a name, and says what it has handled: each event comes at least once, in the order of its session, and
/// none is missed, however often the process dies in between. So handle first and acknowledge then.
public final class Consumer: AsyncSequence, Sendable {
    /// Its name.
    public let name: String
    private let reader: ConsumerReader
    private let events: Batches<Event>
    private let handed = Handed()

    init(_ reader: ConsumerReader, batch: UInt32) throws {
        name = try reader.name()
        self.reader = reader
        events = Batches { seen in
            let batch = try await reader.next(seen: seen, max: batch)
            return (batch.number, batch.events)
        }
    }

    /// The next event, once there is one.
    ///
    /// - Throws: `denied` once the agent does not see all sessions any more; `eventsTrimmed` only if somebody forgot the consumer
    ///   meanwhile; `closed`.
    public func next() async throws -> Event {
        while true {
            if let event = try await events.next() {
                handed.note(event)
                return event
            }
        }
    }

    /// Acknowledges everything that was handed out so far: it does not come again.
    ///
    /// - Throws: `unknownConsumer` once somebody forgot it; `denied` once the agent does not see all sessions any more; `closed`.
    public func acknowledge() async throws {
        let cursors = handed.cursors
        try await reader.acknowledgeUpTo(handled: cursors)
        handed.settle(cursors)
    }

    /// Acknowledges a part of what was handed out: of each session named, everything up to this number.
    ///
    /// - Throws: `invalid` when it names an event that was not handed out; and what ``acknowledge()`` does.
    public func acknowledge(upTo cursors: [String: UInt64]) async throws {
        try await reader.acknowledgeUpTo(handled: cursors)
    }

    /// Ends it: a call under way throws `closed`, and so do later ones. What was not acknowledged comes again.
    public func close() throws {
        try reader.end()
        events.close()
    }

    public func makeAsyncIterator() -> Iterator { Iterator(consumer: self) }

    public struct Iterator: AsyncIteratorProtocol, Sendable {
        let consumer: Consumer

        public func next() async throws -> Event? { try await consumer.next() }
    }
}

/// How far the events go that were handed out and not acknowledged yet, by session. What Rust answered may go further.
private final class Handed: @unchecked Sendable {
    private let lock = NSLock()
    private var last: [String: UInt64] = [:]

    var cursors: [String: UInt64] { lock.withLock { last } }

    func note(_ event: Event) {
        lock.withLock { last[event.session] = event.seq }
    }

    func settle(_ cursors: [String: UInt64]) {
        lock.withLock {
            for (session, seq) in cursors where last[session] == seq { last[session] = nil }
        }
    }
}
