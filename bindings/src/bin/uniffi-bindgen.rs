//! Writes the foreign side of `seatport-ffi`: the generator of the very version that the crate is built with.

fn main() {
    uniffi::uniffi_bindgen_main();
}
