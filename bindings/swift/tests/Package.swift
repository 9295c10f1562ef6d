// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "tests",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../Seatport"), .package(path: "../echo")],
    targets: [
        .executableTarget(name: "leaver", dependencies: ["Seatport"]),
        .testTarget(
            name: "SeatportTests",
            dependencies: ["Seatport", "leaver", .product(name: "Echo", package: "echo")]
        ),
    ]
)
