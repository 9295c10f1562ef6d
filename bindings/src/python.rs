//! The package for Python: a wheel that maturin builds, installed into a virtual environment of its own.

mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use self::tools::Tools;
use crate::fresh::{Fresh, fresh};
use crate::library::Library;
use crate::program;

/// Builds the wheel, installs it into a clean environment, and runs there: the tests, the type checkers over the package and over
/// programs that use it, the examples, and the README's program.
pub(crate) fn test(library: &Library) -> anyhow::Result<()> {
    let package = Package::build(library, Build::Quick)?;
    package.install()?;
    package.copy_sources()?;
    package.check_types()?;
    package.run_tests()?;
    package.run_examples()?;
    package.consume()
}

/// Measures calls beside empty ones, and looks whether memory grows.
pub(crate) fn bench(library: &Library, quick: bool) -> anyhow::Result<()> {
    let package = Package::build(library, Build::Probed)?;
    package.install()?;
    let mut bench = package.tools.python(&package.environment());
    bench.current_dir(&package.place).env("PYTHONDONTWRITEBYTECODE", "1").arg(package.source().join("bench/bench.py"));
    if quick {
        bench.arg("--quick");
    }
    program::run(&mut bench)
}

/// Builds the wheel that hosts install.
pub(crate) fn package(library: &Library) -> anyhow::Result<()> {
    let package = Package::build(library, Build::Release)?;
    println!("\nbuilt {}", package.wheel.display());
    Ok(())
}

/// What the library in the wheel is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    Quick,
    Probed,
    Release,
}

impl Build {
    /// What maturin is told.
    fn arguments(self) -> &'static str {
        match self {
            Self::Quick => "--profile dev --locked",
            Self::Probed => "--profile release --locked --features probes",
            Self::Release => "--profile release --locked",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Quick => "test",
            Self::Probed => "bench",
            Self::Release => "package",
        }
    }
}

/// The wheel, and where it is tried.
#[derive(Debug)]
struct Package {
    tools: Tools,
    root: PathBuf,
    /// Where everything goes that is not kept.
    place: PathBuf,
    wheel: PathBuf,
}

impl Package {
    fn build(library: &Library, build: Build) -> anyhow::Result<Self> {
        let place = library.target.join("bindings/python").join(build.name());
        fresh(&place)?;
        let source = library.root.join("bindings/python");
        let tools = Tools::prepare(&library.target.join("bindings/python/tools"), &source.join("requirements.txt"))?;
        let wheels = place.join("wheels");
        let mut pip = tools.pip(tools.place());
        pip.args(["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir"]).arg(&wheels).arg(&source);
        // maturin and what it calls build where the library was built, and find their programs first.
        pip.env("CARGO_TARGET_DIR", &library.target).env("MATURIN_PEP517_ARGS", build.arguments());
        pip.env("PATH", tools.path()?);
        program::run(&mut pip)?;
        let wheel = only(&wheels)?;
        Ok(Self { tools, root: library.root.clone(), place, wheel })
    }

    fn source(&self) -> PathBuf {
        self.root.join("bindings/python")
    }

    /// The environment that the wheel is installed in.
    fn environment(&self) -> PathBuf {
        self.place.join("environment")
    }

    /// Installs the wheel into a clean environment, with what tests it.
    fn install(&self) -> anyhow::Result<()> {
        let environment = self.environment();
        self.tools.environment(&environment)?;
        let mut pip = self.tools.pip(&environment);
        pip.args(["install", "--quiet", "--requirement"]).arg(self.source().join("requirements.txt")).arg(&self.wheel);
        program::run(&mut pip)
    }

    /// Copies what is checked and run to where it may leave something behind.
    fn copy_sources(&self) -> anyhow::Result<()> {
        let sources = [
            ("package/seatport", self.installed()?),
            ("tests", self.source().join("tests")),
            ("bench", self.source().join("bench")),
            ("examples", self.root.join("examples/python")),
        ];
        for (name, source) in sources {
            copy(&source, &self.copies().join(name))?;
        }
        Ok(())
    }

    fn copies(&self) -> PathBuf {
        self.place.join("copies")
    }

    /// The package as it was installed, the tests, the examples: for both checkers, as strict as they are.
    fn check_types(&self) -> anyhow::Result<()> {
        let environment = self.environment();
        let mut mypy = self.tools.program(&environment, "mypy");
        mypy.current_dir(self.copies()).arg("--config-file").arg(self.source().join("pyproject.toml"));
        // The package by its name, as it was installed.
        mypy.arg("--cache-dir").arg(self.place.join("mypy")).args(["-p", "seatport"]);
        program::run(&mut mypy)?;
        for programs in ["tests", "bench", "examples"] {
            let mut mypy = self.tools.program(&environment, "mypy");
            mypy.current_dir(self.copies().join(programs))
                .arg("--config-file")
                .arg(self.source().join("pyproject.toml"));
            program::run(mypy.arg("--cache-dir").arg(self.place.join("mypy")).arg("."))?;
        }
        let settings = serde_json::json!({
            "include": ["package", "tests", "bench", "examples"],
            // Nobody writes what is generated; its types are in the stub beside it.
            "exclude": ["package/seatport/_native"],
            "typeCheckingMode": "strict",
            "reportUnnecessaryTypeIgnoreComment": true,
            "venvPath": self.place,
            "venv": "environment",
        });
        fs::write(self.copies().join("pyrightconfig.json"), settings.to_string())?;
        program::run(self.tools.program(&environment, "pyright").current_dir(self.copies()))
    }

    /// Where the package was installed.
    fn installed(&self) -> anyhow::Result<PathBuf> {
        let mut python = self.tools.python(&self.environment());
        let found = program::output(
            python.current_dir(&self.place).args(["-c", "import seatport; print(seatport.__path__[0])"]),
        )?;
        Ok(PathBuf::from(found.trim()))
    }

    fn run_tests(&self) -> anyhow::Result<()> {
        self.run_pytest("tests")
    }

    fn run_examples(&self) -> anyhow::Result<()> {
        self.run_pytest("examples")
    }

    /// Runs pytest on one of the copies, against the package that is installed.
    fn run_pytest(&self, copy: &str) -> anyhow::Result<()> {
        let directory = self.copies().join(copy);
        let mut pytest = self.tools.program(&self.environment(), "pytest");
        pytest.current_dir(&directory).arg("--config-file").arg(self.source().join("pyproject.toml"));
        pytest.arg("-o").arg(format!("cache_dir={}", self.place.join("pytest").display()));
        pytest.arg("--rootdir").arg(&directory).arg("--basetemp").arg(self.place.join("temporary"));
        program::run(pytest.arg(&directory).env("SEATPORT_REPOSITORY", &self.root))
    }

    /// Runs the README's program in a fresh directory outside of the repository, in an environment with nothing but the wheel.
    fn consume(&self) -> anyhow::Result<()> {
        let readme = fs::read_to_string(self.source().join("README.md"))?;
        let program = readme.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
        let program = program.context("the README of the package begins without a program")?;
        ensure!(
            program.lines().count() <= 25,
            "the README's program has {} lines; 25 are enough",
            program.lines().count()
        );
        let fresh = Fresh::new("python")?;
        let environment = fresh.0.join("environment");
        self.tools.environment(&environment)?;
        program::run(self.tools.pip(&environment).args(["install", "--quiet", "--no-index"]).arg(&self.wheel))?;
        fs::write(fresh.0.join("program.py"), program)?;
        let said = program::output(self.tools.python(&environment).current_dir(&fresh.0).arg("program.py"))?;
        println!("{said}");
        ensure!(said.contains("Ana said: "), "the README's program did not say what Ana wrote");
        // And what a strict checker says of it, from outside.
        let mut mypy = self.tools.program(&self.environment(), "mypy");
        mypy.current_dir(&fresh.0).args(["--strict", "--cache-dir"]).arg(fresh.0.join("mypy"));
        mypy.arg("--python-executable").arg(tools::python_of(&environment));
        program::run(mypy.arg("program.py"))
    }
}

/// Copies a directory, but for compiled code.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let (path, name) = {
            let entry = entry?;
            (entry.path(), entry.file_name())
        };
        let compiled =
            path.extension().is_some_and(|ending| ["so", "dylib", "dll", "pyc"].map(Some).contains(&ending.to_str()));
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else if !compiled {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// The only thing in a directory.
fn only(directory: &Path) -> anyhow::Result<PathBuf> {
    let mut entries = fs::read_dir(directory)?.collect::<Result<Vec<_>, _>>()?;
    ensure!(entries.len() == 1, "{} holds {} things and not one", directory.display(), entries.len());
    Ok(entries.remove(0).path())
}
