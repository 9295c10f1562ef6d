import Foundation

/// The library that was loaded is not the one that this package was made with. Nothing was called in it.
public struct LibraryMismatch: LocalizedError, CustomStringConvertible, Equatable {
    let found: String

    /// What is wrong, and the way out.
    public var description: String {
        """
        libseatport_ffi is \(found), and this package needs its own, version \(packageVersion); \
        remove the other one from the library path, or build both anew: cargo run -p seatport-bindings -- package swift
        """
    }

    public var errorDescription: String? { description }
}
