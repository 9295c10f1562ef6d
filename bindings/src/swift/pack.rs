//! Putting the package together.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::mend::mend;
use crate::fresh::fresh;
use crate::library::Library;

/// The package as hosts get it.
#[derive(Debug)]
pub(super) struct Package {
    /// Where everything of Swift is: the package, and the projects that take it.
    pub(super) home: PathBuf,
    /// The package.
    pub(super) path: PathBuf,
}

impl Package {
    /// Generates the side of Swift and puts it together with the hand-written one and the library.
    pub(super) fn make(library: &Library) -> anyhow::Result<Self> {
        let home = library.target.join("bindings/swift");
        let (path, source) = (home.join("Seatport"), library.root.join("bindings/swift"));
        let generated = home.join("generated");
        fresh(&generated)?;
        library.generate("swift", &generated)?;
        let read = |name: &str| fs::read_to_string(generated.join(name)).with_context(|| format!("no {name}"));
        let swift = mend(&read("Seatport.swift")?)?;
        // Only what changed is written, so that only that is compiled again.
        mirror(&source.join("Sources"), &path.join("Sources"), &["Generated", "SeatportFFI.h"])?;
        let generated = path.join("Sources/Seatport/Generated");
        write(&generated.join("Seatport.swift"), swift.as_bytes())?;
        write(&generated.join("Version.swift"), version().as_bytes())?;
        write(&path.join("Sources/SeatportFFI/SeatportFFI.h"), read("SeatportFFI.h")?.as_bytes())?;
        for name in ["Package.swift", "README.md"] {
            write(&path.join(name), &fs::read(source.join(name))?)?;
        }
        write(&path.join("LICENSE"), &fs::read(library.root.join("LICENSE"))?)?;
        let name = library.shared.file_name().context("the library has no name")?;
        write(&path.join("lib").join(name), &fs::read(&library.shared)?)?;
        Ok(Self { home, path })
    }

    /// A project that takes the package from beside it: `.package(path: "../Seatport")`.
    pub(super) fn beside(&self, name: &str, source: &Path) -> anyhow::Result<PathBuf> {
        let project = self.home.join(name);
        mirror(source, &project, &[".build", "Package.resolved", "behaviours.json", "permissions.json"])?;
        Ok(project)
    }
}

/// The version that the library has to have.
fn version() -> String {
    format!(
        "/// The version of this package, and of the library in it.\nlet packageVersion = \"{}\"\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Makes a directory like another one; what the names stand for is left alone.
fn mirror(from: &Path, to: &Path, kept: &[&str]) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    let is_kept =
        |path: &Path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| kept.contains(&name));
    for entry in fs::read_dir(to)? {
        let path = entry?.path();
        if is_kept(&path) || path.file_name().is_some_and(|name| from.join(name).exists()) {
            continue;
        }
        if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
    }
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if is_kept(&path) {
            continue;
        }
        if path.is_dir() {
            mirror(&path, &copy, kept)?;
        } else {
            write(&copy, &fs::read(&path)?)?;
        }
    }
    Ok(())
}

/// Writes a file, unless it is so already.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
