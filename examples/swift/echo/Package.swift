// swift-tools-version: 6.0
import PackageDescription

// Made by `cargo run -p seatport-bindings -- package swift`.
let seatport = Context.environment["SEATPORT_SWIFT_PACKAGE"] ?? "../../../target/bindings/swift/Seatport"

let package = Package(
    name: "echo",
    platforms: [.macOS(.v13)],
    products: [.library(name: "Echo", targets: ["Echo"])],
    dependencies: [.package(path: seatport)],
    targets: [
        .target(name: "Echo", dependencies: ["Seatport"]),
        .executableTarget(name: "echo-check", dependencies: ["Echo"]),
    ]
)
