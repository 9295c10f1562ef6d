import Foundation

/// A call that Rust works on, and that may be given up meanwhile. UniFFI 0.32 leaves such a call running.
final class PendingCall: @unchecked Sendable {
    private let lock = NSLock()
    private let future: UInt64
    private let drop: (UInt64) -> Void
    private let free: (UInt64) -> Void
    private var ended = false

    init(
        _ future: UInt64, cancel: @escaping (UInt64) -> Void, free: @escaping (UInt64) -> Void
    ) {
        (self.future, self.drop, self.free) = (future, cancel, free)
    }

    /// Nobody waits any more: Rust drops the call, unless its answer is there already.
    func cancel() {
        lock.withLock {
            // A handle that was given back may by now be that of another call.
            if !ended { drop(future) }
        }
    }

    /// The answer was taken.
    func end() {
        lock.withLock {
            ended = true
            free(future)
        }
    }
}
