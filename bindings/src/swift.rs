//! The package for Swift: SwiftPM takes it by its path.

mod mend;
mod pack;
mod toolchain;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;

use crate::library::Library;
use pack::Package;
use toolchain::Toolchain;

/// Packs it, takes the package into a project of tests, and into a fresh project outside of the repository.
pub(crate) fn test(library: &Library) -> anyhow::Result<()> {
    let toolchain = Toolchain::find()?;
    let package = Package::make(library)?;
    package.beside("echo", &library.root.join("examples/swift/echo"))?;
    let tests = package.beside("tests", &library.root.join("bindings/swift/tests"))?;
    for list in ["behaviours.json", "permissions.json"] {
        fs::copy(library.root.join("bindings").join(list), tests.join(list))?;
    }
    let toolchain = toolchain.with("SEATPORT_SWIFT_PACKAGE", package.path.display());
    toolchain.swift(&package.home, &tests, &["test"])?;
    consume(library, &toolchain, &package)?;
    let quickstart = package.beside("quickstart", &library.root.join("examples/swift/quickstart"))?;
    toolchain.swift(&package.home, &quickstart, &["run"])
}

/// Measures calls beside empty ones.
pub(crate) fn bench(library: &Library, quick: bool) -> anyhow::Result<()> {
    let toolchain = Toolchain::find()?;
    let package = Package::make(library)?;
    let benches = package.beside("benches", &library.root.join("bindings/swift/benches"))?;
    // Batches are inside of the package; tests and this see that.
    let mut arguments = vec!["run", "-c", "release", "-Xswiftc", "-enable-testing", "benches"];
    if quick {
        arguments.push("--quick");
    }
    // What measures may be in a root of its own: its figures are copied out of what both see.
    let figures = package.home.join("figures.tsv");
    fs::write(&figures, "")?;
    toolchain.with("SEATPORT_FIGURES", figures.display()).swift(&package.home, &benches, &arguments)?;
    if let Some(wanted) = std::env::var_os("SEATPORT_FIGURES") {
        fs::File::options().append(true).create(true).open(wanted)?.write_all(&fs::read(&figures)?)?;
    }
    Ok(())
}

/// Makes the package that hosts take.
pub(crate) fn package(library: &Library) -> anyhow::Result<()> {
    let package = Package::make(library)?;
    println!("\nThe package is in {0}: .package(path: \"{0}\")", package.path.display());
    Ok(())
}

/// Runs the program of the README as a host would: in a project of its own, outside of the repository.
fn consume(library: &Library, toolchain: &Toolchain, package: &Package) -> anyhow::Result<()> {
    let project = Elsewhere::make()?;
    let readme = fs::read_to_string(library.root.join("bindings/swift/README.md"))?;
    let program = program_of(&readme)?;
    fs::create_dir_all(project.0.join("Sources/Consumer"))?;
    fs::write(project.0.join("Sources/Consumer/main.swift"), program)?;
    let manifest = format!(
        r#"// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "Consumer",
    platforms: [.macOS(.v13)],
    dependencies: [.package(name: "Seatport", path: "{}")],
    targets: [.executableTarget(name: "Consumer", dependencies: ["Seatport"])]
)
"#,
        package.path.display()
    );
    fs::write(project.0.join("Package.swift"), manifest)?;
    toolchain.also(&project.0).swift(&package.home, &project.0, &["run"])
}

/// The first program of the README.
fn program_of(readme: &str) -> anyhow::Result<&str> {
    let (_, rest) = readme.split_once("```swift\n").context("the README of the Swift package has no program")?;
    let (program, _) = rest.split_once("```").context("the program of the README has no end")?;
    anyhow::ensure!(program.lines().count() <= 25, "the program of the README is longer than 25 lines");
    Ok(program)
}

/// A directory outside of the repository, removed when it is not needed any more.
struct Elsewhere(PathBuf);

impl Elsewhere {
    fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("seatport-consumer-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans the temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}
