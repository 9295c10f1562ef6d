import Foundation

extension Desk {
    /// Begins to export a session: its card, contacts, chats and messages, to be written to a file, say, before it is deleted. It holds
    /// what people said: keep it as well as the database.
    ///
    /// `batch` is how many lines are fetched from Rust at a time, at most.
    ///
    /// - Throws: `unknownSession`.
    public func exportSession(session: String, batch: UInt32 = 256) async throws -> Export {
        Export(try await readExport(session: session), batch: batch)
    }
}

/// Reads a session's conversations as lines of JSON, each without a line end: a header, contacts, chats with their messages, and an
/// end that says how much there was. It is closed with ``close()``, or else with its last owner.
public final class Export: AsyncSequence, Sendable {
    private let reader: ExportReader
    private let lines: Batches<String>

    init(_ reader: ExportReader, batch: UInt32) {
        self.reader = reader
        lines = Batches { seen in
            let batch = try await reader.next(seen: seen, max: batch)
            return (batch.number, batch.lines)
        }
    }

    /// The next line; none after the last.
    ///
    /// - Throws: `unknownSession` once the session was deleted; `denied` once the agent lost sight of it; `closed`.
    public func next() async throws -> String? { try await lines.next() }

    /// Ends it: a call under way throws `closed`, and so do later ones.
    public func close() throws {
        try reader.end()
        lines.close()
    }

    public func makeAsyncIterator() -> Iterator { Iterator(export: self) }

    public struct Iterator: AsyncIteratorProtocol, Sendable {
        let export: Export

        public func next() async throws -> String? { try await export.next() }
    }
}
