import Foundation

extension SeatportError: LocalizedError, CustomStringConvertible {
    /// The whole text for people: it names the thing and the way out, and never holds a secret.
    public var detail: String {
        switch self {
        case .invalid(let detail, _, _, _), .unknownSession(let detail, _), .unknownAgent(let detail, _),
            .unknownTransport(let detail, _), .unknownChat(let detail, _), .unknownContact(let detail, _),
            .unknownMessage(let detail, _), .unknownConsumer(let detail, _), .denied(let detail, _, _),
            .illegalTransition(let detail), .poolFull(let detail, _, _, _, _), .portWaitTimedOut(let detail, _),
            .noLoginCode(let detail, _), .unsupported(let detail, _), .notSending(let detail, _, _),
            .keyReused(let detail, _, _), .alreadySent(let detail, _, _), .agentBound(let detail, _, _),
            .eventsTrimmed(let detail, _, _, _), .auditBroken(let detail, _, _), .contended(let detail, _),
            .vault(let detail), .storage(let detail, _, _), .shutDown(let detail), .closed(let detail),
            .host(let detail), .notBuilt(let detail, _), .internal(let detail):
            return detail
        }
    }

    /// Whether the same call may succeed later.
    public var retry: Bool {
        switch self {
        case .poolFull, .portWaitTimedOut, .contended, .eventsTrimmed: return true
        case .storage(_, _, let retry): return retry
        default: return false
        }
    }

    public var description: String { detail }
    public var errorDescription: String? { detail }
}

extension TransportError: LocalizedError, CustomStringConvertible {
    /// The text for people.
    public var description: String {
        switch self {
        case .lost(let reason), .rejected(let reason):
            return reason.code.map { "\(reason.kind): \($0)" } ?? "\(reason.kind)"
        case .refused(let problem), .later(let problem), .ended(let problem), .notStored(let problem),
            .invalid(let problem), .unexpected(let problem):
            return problem
        }
    }

    public var errorDescription: String? { description }
}

extension Secret: CustomStringConvertible, CustomReflectable {
    /// Never the text itself.
    public var description: String { "Secret" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
