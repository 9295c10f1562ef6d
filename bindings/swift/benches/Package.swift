// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "benches",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../Seatport")],
    targets: [.executableTarget(name: "benches", dependencies: ["Seatport"])]
)
