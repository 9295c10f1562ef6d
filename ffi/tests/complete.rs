//! Nothing of core's desk is left out. A method that was added to core alone fails here.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The public methods of a type, read from the sources below a directory.
fn methods(directory: &Path, type_name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let mut inside = false;
        for line in fs::read_to_string(&path).unwrap().lines() {
            // An `impl` block begins and ends at the start of a line.
            if line.starts_with("impl") {
                inside = line == format!("impl {type_name} {{");
            }
            let method = line.strip_prefix("    pub async fn ").or_else(|| line.strip_prefix("    pub fn "));
            if let (true, Some(method)) = (inside, method) {
                found.insert(method.split(['(', '<']).next().unwrap().to_owned());
            }
        }
    }
    found
}

fn sources(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn every_method_of_the_desk_crosses_under_its_own_name() {
    let core = methods(&sources("../core/src/runtime/desk"), "Desk");
    assert!(core.contains("send_text") && core.len() > 40, "the sources were not read: {core:?}");
    assert_eq!(methods(&sources("src/desk"), "Desk"), core);
}

#[test]
fn every_reader_has_a_next() {
    for reader in ["EventFeed", "Consumer", "Watch", "Export"] {
        assert!(methods(&sources("src/desk"), reader).contains("next"), "{reader}");
    }
}
