import Foundation
import SeatportFFI

/// A value that cannot be handed to Rust. Writing the arguments of a call cannot fail in UniFFI 0.32; it ended the process instead.
enum Refusal: Int32 {
    case duration = 1

    /// Remembers it for the call that is being made on this thread.
    func raise() {
        seatport_refusal().pointee = rawValue
    }

    /// What was refused since the last call, as an error.
    static func take() -> SeatportError? {
        let place = seatport_refusal()!
        guard place.pointee != 0 else { return nil }
        place.pointee = 0
        let (field, problem, wayOut) = ("duration", "negative, or not a number of seconds", "give it in seconds, from 0 on")
        return .invalid(detail: "\(field): \(problem); \(wayOut)", field: field, problem: problem, wayOut: wayOut)
    }
}

/// Times and durations as they cross to Rust: whole seconds, and nanoseconds.
enum Moment {
    private static let farAway: Double = 9e18

    /// A time that no calendar holds is written as one that Rust refuses. Seatport keeps milliseconds and cuts off what is finer, and
    /// a `Date` of a whole one may be a little less than that: so this rounds.
    static func parts(of date: Date) -> (Int64, UInt32) {
        let millis = (date.timeIntervalSince1970 * 1000).rounded()
        guard abs(millis) < farAway else { return (.max, 0) }
        let (seconds, rest) = Int64(millis).quotientAndRemainder(dividingBy: 1000)
        // Less than a second before 1970 could not be told from after it: only the whole seconds have a sign.
        return millis < 0 && seconds == 0 ? (0, 0) : (seconds, UInt32(abs(rest)) * 1_000_000)
    }

    static func parts(lasting duration: TimeInterval) -> (UInt64, UInt32) {
        guard duration >= 0 else {
            Refusal.duration.raise()
            return (0, 0)
        }
        // Longer than the universe has been is as good as for ever.
        return duration < farAway ? split(duration) : (UInt64(farAway), 0)
    }

    /// To the microsecond.
    private static func split(_ distance: Double) -> (UInt64, UInt32) {
        let whole = distance.rounded(.down)
        let micros = ((distance - whole) * 1e6).rounded()
        return micros >= 1e6 ? (UInt64(whole) + 1, 0) : (UInt64(whole), UInt32(micros) * 1000)
    }
}
