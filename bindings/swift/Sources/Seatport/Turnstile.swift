import Foundation

/// Lets one caller after the other in, in the order they came. One that is cancelled leaves the queue.
final class Turnstile: @unchecked Sendable {
    private let lock = NSLock()
    private var occupied = false
    private var last: UInt64 = 0
    private var queue: [(number: UInt64, caller: CheckedContinuation<Void, any Error>)] = []
    /// Those that were cancelled before they queued.
    private var gone: Set<UInt64> = []

    func enter<T>(_ work: () async throws -> T) async throws -> T {
        try await wait()
        defer { leave() }
        return try await work()
    }

    private func wait() async throws {
        let number = lock.withLock { () -> UInt64? in
            if !occupied {
                occupied = true
                return nil
            }
            last += 1
            return last
        }
        guard let number else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { caller in
                let at_once = lock.withLock { () -> Result<Void, any Error>? in
                    if gone.remove(number) != nil { return .failure(CancellationError()) }
                    if !occupied {
                        occupied = true
                        return .success(())
                    }
                    queue.append((number, caller))
                    return nil
                }
                if let at_once { caller.resume(with: at_once) }
            }
        } onCancel: {
            let caller = lock.withLock { () -> CheckedContinuation<Void, any Error>? in
                guard let place = queue.firstIndex(where: { $0.number == number }) else {
                    gone.insert(number)
                    return nil
                }
                return queue.remove(at: place).caller
            }
            caller?.resume(throwing: CancellationError())
        }
        lock.withLock { _ = gone.remove(number) }
    }

    private func leave() {
        let next = lock.withLock { () -> CheckedContinuation<Void, any Error>? in
            guard !queue.isEmpty else {
                occupied = false
                return nil
            }
            return queue.removeFirst().caller
        }
        next?.resume()
    }
}
