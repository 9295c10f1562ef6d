//! The package for Kotlin and Java: a Maven artefact with the native library in it.

mod mend;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use self::tools::Tools;
use crate::fresh::{Fresh, fresh};
use crate::library::Library;
use crate::program;

/// Builds the package, runs its tests, installs it, and runs the examples and the README's program on what was installed.
pub(crate) fn test(library: &Library) -> anyhow::Result<()> {
    let package = Package::generate(library, "test")?;
    package.strip()?;
    package.install(&[])?;
    package.examples()?;
    package.consumer()
}

/// Measures calls, and what becomes of memory.
pub(crate) fn bench(library: &Library, quick: bool) -> anyhow::Result<()> {
    let package = Package::generate(library, "bench")?;
    let mut maven = package.maven(&package.root.join("bindings/kotlin/pom.xml"));
    maven.args(["-Pbench", "-DskipTests", "test-compile", "exec:exec"]);
    if quick {
        maven.arg("-Dseatport.bench.arguments=--quick");
    }
    program::run(&mut maven)
}

/// Builds the package and installs it into the repository that it names.
pub(crate) fn package(library: &Library) -> anyhow::Result<()> {
    let package = Package::generate(library, "package")?;
    package.strip()?;
    package.install(&["-DskipTests"])?;
    println!("\ninstalled dev.seatport:seatport:{} in {}", package.version, package.repository.display());
    Ok(())
}

/// What is built and where.
#[derive(Debug)]
struct Package {
    tools: Tools,
    root: PathBuf,
    /// Where everything goes that is built for this work.
    build: PathBuf,
    /// Where the package is installed, and whatever it needs.
    repository: PathBuf,
    version: String,
}

impl Package {
    /// Generates what belongs to the package and puts the library beside it.
    fn generate(library: &Library, work: &str) -> anyhow::Result<Self> {
        let tools = Tools::find()?;
        let package = Self {
            tools,
            root: library.root.clone(),
            build: library.target.join("bindings/kotlin").join(work),
            repository: library.target.join("bindings/kotlin/repository"),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        package.check_version()?;

        let generated = package.build.join("generated");
        fresh(&generated)?;
        library.generate("kotlin", &generated)?;
        let code = generated.join("dev/seatport/seatport.kt");
        let raw = fs::read_to_string(&code).with_context(|| format!("nothing was generated at {}", code.display()))?;
        fs::write(&code, mend::mend(raw)?)?;
        let version = format!(
            "package dev.seatport\n\n/** The version of this package. */\ninternal const val VERSION = \"{}\"\n",
            package.version
        );
        fs::write(generated.join("dev/seatport/Version.kt"), version)?;

        let resources = package.build.join("resources");
        fresh(&resources)?;
        let native = resources.join(platform());
        fs::create_dir_all(&native)?;
        let name = library.shared.file_name().context("a library without a name")?;
        fs::copy(&library.shared, native.join(name))?;
        Ok(package)
    }

    /// The version stands in each Maven project, since Maven wants it there.
    fn check_version(&self) -> anyhow::Result<()> {
        for pom in ["bindings/kotlin/pom.xml", "bindings/kotlin/consumer/pom.xml", "examples/kotlin/pom.xml"] {
            let text = fs::read_to_string(self.root.join(pom)).with_context(|| format!("cannot read {pom}"))?;
            let said = text
                .split("<artifactId>seatport</artifactId>")
                .nth(1)
                .and_then(|rest| rest.split("<version>").nth(1))
                .and_then(|rest| rest.split("</version>").next());
            ensure!(
                said == Some(&self.version),
                "{pom} says seatport {said:?}, and Cargo.toml {}: make them agree",
                self.version
            );
        }
        Ok(())
    }

    /// Takes what only a debugger reads out of the library: it is most of it.
    fn strip(&self) -> anyhow::Result<()> {
        let directory = self.build.join("resources").join(platform());
        for library in fs::read_dir(directory)? {
            let mut strip = Command::new("strip");
            strip.arg("--strip-debug").arg(library?.path());
            match strip.status() {
                Ok(status) => ensure!(status.success(), "{strip:?}: {status}"),
                // It only saves space.
                Err(_) => println!("no `strip` on this machine: the library keeps what only a debugger reads"),
            }
        }
        Ok(())
    }

    /// Builds the package, tests it unless told not to, and installs it into the repository of its own.
    fn install(&self, options: &[&str]) -> anyhow::Result<()> {
        // What was installed earlier must not be taken for it.
        let installed = self.repository.join("dev/seatport");
        if installed.exists() {
            fs::remove_dir_all(&installed)?;
        }
        let mut maven = self.maven(&self.root.join("bindings/kotlin/pom.xml"));
        program::run(maven.args(options).arg("install"))
    }

    /// Builds the examples on what was installed, and tells the story. The tests of the package test them.
    fn examples(&self) -> anyhow::Result<()> {
        program::run(self.maven(&self.root.join("examples/kotlin/pom.xml")).args(["compile", "exec:exec"]))
    }

    /// Runs the README's program from a fresh project outside of the repository.
    fn consumer(&self) -> anyhow::Result<()> {
        let fresh = Fresh::new("kotlin")?;
        let readme = fs::read_to_string(self.root.join("bindings/kotlin/README.md"))?;
        let program = readme
            .split("```kotlin\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next())
            .context("the README of the package begins without a program")?;
        ensure!(
            program.lines().count() <= 25,
            "the README's program has {} lines; 25 are enough",
            program.lines().count()
        );
        let sources = fresh.0.join("src/main/kotlin");
        fs::create_dir_all(&sources)?;
        fs::write(sources.join("Main.kt"), program)?;
        fs::copy(self.root.join("bindings/kotlin/consumer/pom.xml"), fresh.0.join("pom.xml"))?;
        let pom = fresh.0.join("pom.xml");
        program::run(self.maven(&pom).arg("compile"))?;
        let said = program::output(self.maven(&pom).arg("exec:exec"))?;
        println!("{said}");
        ensure!(
            said.contains("Ana said: Text(text=Is my parcel there?)"),
            "the README's program did not say what Ana wrote:\n{said}"
        );
        Ok(())
    }

    /// Maven on a project, with a local repository of our own.
    fn maven(&self, pom: &Path) -> Command {
        let mut maven = self.tools.maven();
        maven.arg(setting("maven.repo.local", &self.repository));
        maven.arg(setting("seatport.build", &self.build)).arg(setting("seatport.root", &self.root));
        maven.arg("--file").arg(pom);
        maven
    }
}

fn setting(name: &str, path: &Path) -> String {
    format!("-D{name}={}", path.display())
}

/// The directory that JNA looks for the library of this machine in.
fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let machine = std::env::consts::ARCH.replace('_', "-");
    format!("{system}-{machine}")
}
