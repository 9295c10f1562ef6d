//! Who cleans up when the process that started a server is gone, however it ended.

use std::io;
use std::path::Path;
use std::process::{Child, Stdio};

use super::unprivileged::{command, program};

/// A shell that waits for the other end of its standard input to close, and then stops the server and removes its directory.
///
/// A test process does not drop what is in its statics, and one that is killed drops nothing; but the system closes its end of
/// the pipe. No other process has that end: `std` marks it to be closed in children.
#[derive(Debug)]
pub(super) struct Guardian(Child);

/// `$0` is the directory, `$1` is `pg_ctl`. A frozen server has to go on before it can stop. What else still writes to the
/// directory finds that something is missing and ends.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
read -r _
if read -r pid < "$0/data/postmaster.pid"; then
    kill -CONT "$pid"
    "$1" stop -D "$0/data" -m immediate -t 30 || kill -KILL "$pid"
fi
for try in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$0" && break; sleep 1; done
"#;

impl Guardian {
    pub(super) fn of(directory: &Path) -> Self {
        let mut shell = command("/bin/sh");
        shell.args(["-c", SCRIPT]).arg(directory).arg(program("pg_ctl"));
        // Whoever reads what the test writes is not to wait for this shell.
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(shell.spawn().unwrap_or_else(|error| panic!("cannot start {shell:?}: {error}")))
    }

    /// Lets it do its work now, and waits for the end of it.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        drop(self.0.stdin.take());
        self.0.wait().map(drop)
    }
}
