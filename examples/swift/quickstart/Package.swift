// swift-tools-version: 6.0
import PackageDescription

// Made by `cargo run -p seatport-bindings -- package swift`.
let seatport = Context.environment["SEATPORT_SWIFT_PACKAGE"] ?? "../../../target/bindings/swift/Seatport"

let package = Package(
    name: "quickstart",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: seatport)],
    targets: [.executableTarget(name: "quickstart", dependencies: ["Seatport"])]
)
