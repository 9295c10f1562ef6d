// swift-tools-version: 6.0
import PackageDescription

// On Linux the library is beside this file, in `lib`. A program finds it there, or beside itself where it is installed.
// For Apple's platforms `xcframework.sh` makes a framework of it.
#if os(Linux)
let ffi: [Target] = [.systemLibrary(name: "SeatportFFI")]
let lib = Context.packageDirectory + "/lib"
let linking: [LinkerSetting] = [
    .unsafeFlags(["-L\(lib)", "-Xlinker", "-rpath", "-Xlinker", lib, "-Xlinker", "-rpath", "-Xlinker", "$ORIGIN"])
]
#else
let ffi: [Target] = [.binaryTarget(name: "SeatportFFI", path: "SeatportFFI.xcframework")]
let linking: [LinkerSetting] = []
#endif

let package = Package(
    name: "Seatport",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9)],
    products: [.library(name: "Seatport", targets: ["Seatport"])],
    targets: ffi + [
        .target(
            name: "Seatport",
            dependencies: ["SeatportFFI"],
            // What UniFFI generates is not ready for Swift 6. Those who use the package may be.
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: linking
        )
    ]
)
