import Foundation

extension Seatport {
    /// Opens for business: from now on sessions that were started before are taken up again, at a bounded rate.
    ///
    /// Close it with ``shutdown(deadline:)``, or use ``withSeatport(_:isolation:_:)``, which does.
    ///
    /// - Throws: `invalid` names the option that makes no sense; `vault` when a key is missing or not the one that the database was
    ///   sealed with; `storage` when the storage cannot be opened (kind `InUse` while another process has the file); `notBuilt` for a
    ///   storage that this library was built without; `host` when the host's own key store fails; ``LibraryMismatch`` when the library
    ///   is not this package's own.
    public static func open(_ options: Options) async throws -> Seatport {
        Leaving.prepare()
        return try await begin(options: options)
    }

    /// Closes every connection and then the storage, within the deadline in seconds, and ends the threads. Desired states and ports
    /// stay as they are: the next start, or another node, takes up what was running. Calls under way and later ones throw `shutDown`;
    /// shutting down twice does nothing more.
    ///
    /// It is done in a cancelled task too.
    ///
    /// - Throws: `invalid` for a negative deadline.
    public func shutdown(deadline: TimeInterval = 5) async throws {
        try await Task.detached { try await self.end(deadline: deadline) }.value
    }
}

/// Opens an instance, hands it to `body`, and shuts it down afterwards, whatever comes of it.
///
/// - Throws: what ``Seatport/open(_:)`` throws, and what `body` does.
public func withSeatport<T>(
    _ options: Options, isolation: isolated (any Actor)? = #isolation, _ body: (Seatport) async throws -> T
) async throws -> T {
    let seatport = try await Seatport.open(options)
    do {
        let answer = try await body(seatport)
        try await seatport.shutdown()
        return answer
    } catch {
        // What went wrong first is what the caller has to know.
        try? await seatport.shutdown()
        throw error
    }
}

/// The end of the process: nothing of the host may be called while it is taken down.
private enum Leaving {
    static func prepare() { _ = hook }

    private static let hook: Int32 = atexit {
        // There is nobody left to tell.
        try? endAll(patience: 1)
    }
}
