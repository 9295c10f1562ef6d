#!/bin/sh
# Makes SeatportFFI.xcframework beside Package.swift, for hosts on Apple's platforms. It needs a Mac with Xcode and rustup.
#
# NOT RUN YET: there was no Mac to run it on. The Linux side of the package is tested; whoever runs this first, please tell.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo run --locked -p seatport-bindings -- package swift
target=$(cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
package=$target/bindings/swift/Seatport

# The Mac's two processors in one library, the simulator's two in another, the phone's in a third.
macos="aarch64-apple-darwin x86_64-apple-darwin"
simulator="aarch64-apple-ios-sim x86_64-apple-ios"
phone="aarch64-apple-ios"
for triple in $macos $simulator $phone; do
    rustup target add "$triple"
    cargo rustc --locked --release -p seatport-ffi --lib --crate-type staticlib --target "$triple"
done

work=$target/bindings/swift/xcframework
rm -rf "$work" "$package/SeatportFFI.xcframework"
arguments=
for platform in macos simulator phone; do
    eval "triples=\$$platform"
    mkdir -p "$work/$platform/headers/SeatportFFI"
    libraries=
    for triple in $triples; do libraries="$libraries $target/$triple/release/libseatport_ffi.a"; done
    # shellcheck disable=SC2086
    lipo -create $libraries -output "$work/$platform/libseatport_ffi.a"
    cp "$package"/Sources/SeatportFFI/*.h "$work/$platform/headers/SeatportFFI/"
    # Xcode links what is in the framework; the name of the library says nothing to it.
    grep -v 'link "' "$package/Sources/SeatportFFI/module.modulemap" > "$work/$platform/headers/SeatportFFI/module.modulemap"
    arguments="$arguments -library $work/$platform/libseatport_ffi.a -headers $work/$platform/headers"
done
# shellcheck disable=SC2086
xcodebuild -create-xcframework $arguments -output "$package/SeatportFFI.xcframework"
echo "$package is ready for Apple's platforms"
