//! Arguments that are wrong, and the word on what is right.

use crate::quickstart;

fn refused(arguments: &[&str]) -> String {
    let run = quickstart(arguments);
    assert!(!run.succeeded, "{arguments:?}: {}", run.out);
    run.err
}

#[test]
fn help_says_what_it_does_and_how() {
    let run = quickstart(&["--help"]);
    assert!(run.succeeded);
    for word in ["--transport", "--database", "--key-file", "--pace", "simulated", "whatsapp", "Ctrl-C", "QR code"] {
        assert!(run.out.contains(word), "{word} is not in\n{}", run.out);
    }
}

#[test]
#[cfg(not(feature = "whatsapp"))]
fn whatsapp_in_a_build_without_it_names_the_command() {
    let error = refused(&["--transport", "whatsapp"]);
    assert!(error.contains("cargo run -p seatport-quickstart --features whatsapp -- --transport whatsapp"), "{error}");
}

#[test]
fn an_unknown_transport_names_the_known_ones() {
    let error = refused(&["--transport", "telegram"]);
    assert!(error.contains("'telegram'") && error.contains("[possible values: simulated, whatsapp]"), "{error}");
}

#[test]
fn a_flag_that_is_nearly_right_names_the_right_one() {
    let error = refused(&["--databse", "story.db"]);
    assert!(error.contains("--database"), "{error}");
}

#[test]
fn a_key_needs_its_database() {
    let error = refused(&["--key-file", "story.key"]);
    assert!(error.contains("--database <PATH>"), "{error}");
}

#[test]
fn a_database_that_cannot_be_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").join("story.db");
    let error = refused(&["--database", missing.to_str().unwrap()]);
    assert!(error.contains(missing.to_str().unwrap()) && error.contains("its directory does not exist"), "{error}");
    let directory = folder.path().join("directory");
    std::fs::create_dir(&directory).unwrap();
    let error = refused(&["--database", directory.to_str().unwrap()]);
    assert!(error.contains("it is a directory; name a file in it"), "{error}");
}

#[test]
#[cfg(unix)]
fn a_directory_that_is_read_only_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
    let error = refused(&["--database", folder.path().join("story.db").to_str().unwrap()]);
    assert!(error.contains("is read-only; make both writable"), "{error}");
}

#[test]
fn a_key_that_is_none_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (database, key) = (folder.path().join("story.db"), folder.path().join("story.db.key"));
    std::fs::write(&key, "short").unwrap();
    let error = refused(&["--database", database.to_str().unwrap()]);
    assert!(error.contains("holds 5 bytes and a key has 32"), "{error}");
    assert_eq!(std::fs::read(&key).unwrap(), b"short");
}
