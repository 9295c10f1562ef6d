//! The suites: one table of what is run, and what each proves.

/// Commands that together prove one thing.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) proves: &'static str,
    /// Tools beyond `cargo` and a C compiler; without them nothing is run, a suite is never left out.
    pub(crate) needs: &'static [Tool],
    pub(crate) steps: &'static [Step],
}

/// One call of cargo, from the root of the repository.
#[derive(Debug)]
pub(crate) struct Step {
    /// The arguments, separated by spaces.
    pub(crate) args: &'static str,
    pub(crate) env: &'static [(&'static str, &'static str)],
}

/// Something that a machine may not have.
#[derive(Debug)]
pub(crate) enum Tool {
    /// A cargo subcommand that does not come with every installation of Rust.
    Subcommand { name: &'static str, install: &'static str },
    /// A PostgreSQL server; the tests start it themselves.
    Postgres,
}

const fn cargo(args: &'static str) -> Step {
    Step { args, env: &[] }
}

const fn rustdoc(args: &'static str) -> Step {
    Step { args, env: &[("RUSTDOCFLAGS", "-D warnings")] }
}

const RUSTFMT: Tool = Tool::Subcommand { name: "fmt", install: "rustup component add rustfmt" };
const CLIPPY: Tool = Tool::Subcommand { name: "clippy", install: "rustup component add clippy" };
const CARGO_DENY: Tool = Tool::Subcommand { name: "deny", install: "cargo install --locked cargo-deny" };

/// The suites of `cargo xtask test`, in the order in which they run. `lint` and `whatsapp` alone build the WhatsApp
/// transport, which takes minutes; the end-to-end tests in `transport-whatsapp/e2e` are a workspace of their own.
pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "lint",
        proves: "rustfmt, clippy and rustdoc find nothing in any package",
        needs: &[RUSTFMT, CLIPPY],
        steps: &[
            cargo("fmt --all --check"),
            cargo("fmt --check --manifest-path transport-whatsapp/e2e/Cargo.toml"),
            // First as a newcomer builds it, then everything: code behind a feature must hold with and without it.
            cargo("clippy --locked --all-targets -- -D warnings"),
            cargo("clippy --locked --workspace --all-features --all-targets -- -D warnings"),
            cargo("clippy --locked --manifest-path transport-whatsapp/e2e/Cargo.toml --all-targets -- -D warnings"),
            rustdoc("doc --locked --no-deps --workspace --all-features"),
            rustdoc("doc --locked --no-deps --manifest-path transport-whatsapp/e2e/Cargo.toml"),
        ],
    },
    Suite {
        name: "core",
        proves: "the domain, the lifecycle, the desk and the runtime, on the memory store; the examples in the docs",
        needs: &[],
        steps: &[cargo("test --locked -p seatport")],
    },
    Suite {
        name: "sqlite",
        proves: "the SQLite storage passes the storage suite and survives crashes",
        needs: &[],
        steps: &[cargo("test --locked -p seatport-sqlite")],
    },
    Suite {
        name: "postgres",
        proves: "the Postgres storage passes the storage suite, on temporary servers that are stopped, killed and promoted",
        needs: &[Tool::Postgres],
        steps: &[cargo("test --locked -p seatport-postgres")],
    },
    Suite {
        name: "migrate",
        proves: "a SQLite database moves to Postgres as a whole, however often the move is killed",
        needs: &[Tool::Postgres],
        steps: &[cargo("test --locked -p seatport-migrate")],
    },
    Suite {
        name: "testkit",
        proves: "the suites catch broken stores and broken transports; the simulated messenger does as it is told",
        needs: &[],
        steps: &[cargo("test --locked -p seatport-testkit")],
    },
    Suite {
        name: "whatsapp",
        proves: "the WhatsApp transport speaks its real protocol with a fake server",
        needs: &[],
        steps: &[
            cargo("test --locked -p seatport-whatsapp"),
            cargo("test --locked --manifest-path transport-whatsapp/e2e/Cargo.toml"),
        ],
    },
    Suite {
        name: "quickstart",
        proves: "the quickstart, run as a program, tells its whole story",
        needs: &[],
        steps: &[cargo("test --locked -p seatport-quickstart")],
    },
    Suite {
        name: "echo",
        proves: "the transport that shows how to write one passes the transport suite",
        needs: &[],
        steps: &[cargo("test --locked -p seatport-echo")],
    },
    Suite {
        name: "cluster",
        proves: "the cluster example, run as a program: a node is killed, one is drained, and nothing is lost",
        needs: &[Tool::Postgres],
        steps: &[cargo("test --locked -p seatport-cluster")],
    },
    Suite {
        name: "ffi",
        proves: "what crosses to other languages: values, errors, and calls into a host that fails or hangs",
        needs: &[],
        steps: &[cargo("test --locked -p seatport-ffi"), cargo("test --locked -p seatport-bindings")],
    },
    Suite {
        name: "python",
        proves: "the Python package, installed into a fresh virtual environment, passes pytest, mypy and pyright there",
        needs: &[],
        steps: &[cargo("run --locked -p seatport-bindings -- test python")],
    },
    Suite {
        name: "kotlin",
        proves: "the Kotlin package, installed into a fresh Maven repository, passes JUnit there, from Kotlin and from Java",
        needs: &[],
        steps: &[cargo("run --locked -p seatport-bindings -- test kotlin")],
    },
    Suite {
        name: "swift",
        proves: "the Swift package, taken by a fresh project, passes swift test there",
        needs: &[],
        steps: &[cargo("run --locked -p seatport-bindings -- test swift")],
    },
    Suite {
        name: "benches",
        proves: "the benchmarks record and repeat exactly what was written; nothing is measured",
        needs: &[],
        steps: &[cargo("test --locked -p seatport-benches")],
    },
    Suite {
        name: "xtask",
        proves: "these commands: every package has a suite, and no failure is lost",
        needs: &[],
        steps: &[cargo("test --locked -p xtask")],
    },
];

/// The suite of `cargo xtask deny`. Apart from the others, for it needs a tool that a newcomer does not have.
pub(crate) const DEPENDENCIES: Suite = Suite {
    name: "deny",
    proves: "every dependency has a licence, a source and a version that deny.toml allows",
    needs: &[CARGO_DENY],
    // `-A …`: deny.toml serves both workspaces, and names packages that only one of them has.
    steps: &[
        cargo("deny --locked check -A unused-wrapper -A unmatched-skip licenses bans sources"),
        cargo(
            "deny --locked --manifest-path transport-whatsapp/e2e/Cargo.toml --config deny.toml \
             check -A unused-wrapper -A unmatched-skip licenses bans sources",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::Cargo;

    /// What cargo says, called at the root of the repository.
    fn ask_cargo(args: &str) -> String {
        let output = Cargo::from_env().unwrap().command(args).output().unwrap();
        assert!(output.status.success(), "cargo {args}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The packages a suite selects with `-p`.
    fn packages(suite: &'static Suite) -> impl Iterator<Item = &'static str> {
        let words = suite.steps.iter().flat_map(|step| step.args.split_whitespace());
        words.clone().zip(words.skip(1)).filter(|(flag, _)| *flag == "-p").map(|(_, package)| package)
    }

    #[test]
    fn names_are_unique() {
        for (index, suite) in SUITES.iter().enumerate() {
            assert!(SUITES[..index].iter().all(|earlier| earlier.name != suite.name), "{} is there twice", suite.name);
        }
    }

    #[test]
    fn every_package_of_the_workspace_has_a_suite() {
        let metadata: serde_json::Value =
            serde_json::from_str(&ask_cargo("metadata --locked --no-deps --format-version 1")).unwrap();
        for package in metadata["packages"].as_array().unwrap() {
            let name = package["name"].as_str().unwrap();
            assert!(
                SUITES.iter().flat_map(packages).any(|tested| tested == name),
                "the tests of `{name}` are run by no suite: add it to the table in xtask/src/suite.rs"
            );
        }
    }

    #[test]
    fn whatsapp_is_built_only_where_it_is_asked_for() {
        for suite in SUITES.iter().filter(|suite| !["lint", "whatsapp"].contains(&suite.name)) {
            for package in packages(suite) {
                let tree = ask_cargo(&format!("tree --locked --prefix none -p {package}"));
                assert!(!tree.contains("wacore"), "`--only {}` builds WhatsApp through `{package}`", suite.name);
            }
        }
    }

    #[test]
    fn whatsapp_is_not_in_the_default_build() {
        let tree = ask_cargo("tree --locked --prefix none");
        assert!(!tree.contains("wacore"), "a plain `cargo build` builds WhatsApp: keep it out of `default-members`");
    }
}
