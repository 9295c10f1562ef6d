import Foundation

/// Hands out one by one what Rust answers in batches, and loses nothing when a task is cancelled: it says which batch arrived last,
/// and one that did not is answered again.
final class Batches<Item: Sendable>: @unchecked Sendable {
    typealias Batch = (number: UInt64, items: [Item])

    private let turnstile = Turnstile()
    private let read: @Sendable (_ seen: UInt64) async throws -> Batch
    private let lock = NSLock()
    private var seen: UInt64 = 0
    /// The last batch, and how many of it were handed out.
    private var items: [Item] = []
    private var handedOut = 0

    init(read: @escaping @Sendable (_ seen: UInt64) async throws -> Batch) {
        self.read = read
    }

    /// The next one; none once a batch is empty.
    func next() async throws -> Item? {
        try await turnstile.enter {
            if let item = lock.withLock({ take() }) { return item }
            let batch = try await read(lock.withLock { seen })
            return lock.withLock { () -> Item? in
                (seen, items, handedOut) = (batch.number, batch.items, 0)
                return take()
            }
        }
    }

    /// Asks Rust about what arrived; `left` is the part of it that was not handed out yet.
    func ask<T>(_ ask: (_ seen: UInt64, _ left: ArraySlice<Item>) async throws -> T) async throws -> T {
        try await turnstile.enter {
            let (number, left) = lock.withLock { (seen, items[handedOut...]) }
            return try await ask(number, left)
        }
    }

    /// Forgets what was not handed out.
    func close() {
        lock.withLock { (items, handedOut) = ([], 0) }
    }

    private func take() -> Item? {
        guard handedOut < items.count else { return nil }
        defer { handedOut += 1 }
        return items[handedOut]
    }
}
