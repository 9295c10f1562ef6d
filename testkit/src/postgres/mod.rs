//! A temporary Postgres server, for tests.
//!
//! ```no_run
//! use seatport_testkit::postgres::Cluster;
//!
//! let cluster = Cluster::shared();
//! cluster.sql("CREATE TABLE seat (port int)");
//! assert!(cluster.url().starts_with("postgresql://"));
//! ```
//!
//! It needs the programs of Postgres on this machine, and says how to get them where they are missing. As root it runs as another
//! user, for Postgres refuses to run as root. Its data are in a temporary directory; server and directory are gone when the
//! process that started them is, also if that is killed.

mod guardian;
mod programs;
mod server;
mod unprivileged;

use std::fmt::Write;
use std::fs::{self, DirBuilder};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use seatport::Random;

use guardian::Guardian;
use server::Server;
use unprivileged::{command, program, run};

/// How often a server is started that ends at once: another one may have taken its TCP port, or what a killed one left behind is
/// not gone yet.
const STARTS: u32 = 20;

/// The password of the role `guarded`, see [`Cluster::guarded_url`].
pub const PASSWORD: &str = "opens-only-tests";

/// A server of its own with its data. Stopped and removed when dropped, and when this process ends.
///
/// Everything blocks, and panics where something fails.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    port: u16,
    server: Mutex<Option<Server>>,
    guardian: Guardian,
    schemas: AtomicU32,
}

impl Cluster {
    /// The one that all tests of this process share, each with a [schema](Self::fresh_schema) of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A new one. It survives its own death, but not that of the machine: nothing waits for the disk.
    pub fn start() -> Self {
        Self::with(&[("fsync", "off"), ("full_page_writes", "off")])
    }

    /// A new one as Postgres is by default, for measurements: what is committed is on the disk.
    pub fn durable() -> Self {
        Self::with(&[])
    }

    /// A new one with these settings.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        Self::prepared(settings, "host", |_| {})
    }

    /// A new one that takes connections over TCP only with TLS, and shows this certificate. Both are PEM.
    pub fn tls(certificate: &str, key: &str) -> Self {
        Self::prepared(&[("fsync", "off"), ("ssl", "on")], "hostssl", |data| {
            write_owned(&data.join("server.crt"), certificate);
            write_owned(&data.join("server.key"), key);
        })
    }

    fn prepared(settings: &[(&str, &str)], over_tcp: &str, more: impl FnOnce(&Path)) -> Self {
        let mut cluster = Self::empty();
        let data = cluster.data();
        let mut initdb = command(program("initdb"));
        initdb.arg("-D").arg(&data);
        run(initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "--no-instructions"]));
        let mut rules = "local all,replication all trust\n".to_owned();
        for (databases, role, how) in [("all", "guarded", "scram-sha-256"), ("all,replication", "all", "trust")] {
            writeln!(rules, "{over_tcp} {databases} {role} 127.0.0.1/32 {how}").expect("a String takes everything");
        }
        write_owned(&data.join("pg_hba.conf"), &rules);
        more(&data);
        cluster.configure(&[("max_connections", "300"), ("timezone", "UTC"), ("log_timezone", "UTC")]);
        cluster.configure(settings);
        cluster.begin();
        cluster
    }

    /// A directory and its guardian; nothing runs.
    fn empty() -> Self {
        let number = Random::from_os().expect("the operating system has randomness").below(u64::MAX);
        // The path of a Unix socket is at most 100 bytes or so.
        let parent = Some(std::env::temp_dir()).filter(|place| place.as_os_str().len() < 50);
        let parent = parent.unwrap_or_else(|| "/tmp".into());
        let directory = parent.join(format!("seatport-postgres-{}-{number:x}", std::process::id()));
        let made = DirBuilder::new().mode(0o700).create(&directory);
        made.unwrap_or_else(|error| panic!("cannot create {}: {error}", directory.display()));
        own(&directory);
        let guardian = Guardian::of(&directory);
        Self { directory, port: 0, server: Mutex::new(None), guardian, schemas: AtomicU32::new(0) }
    }

    /// Sets these; of what is set twice the last counts.
    fn configure(&self, settings: &[(&str, &str)]) {
        let file = self.data().join("postgresql.conf");
        let mut text =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
        for (name, value) in settings {
            writeln!(text, "{name} = '{}'", value.replace('\'', "''")).expect("a String takes everything");
        }
        write_owned(&file, &text);
    }

    /// Starts the server for the first time, on a TCP port that is free.
    fn begin(&mut self) {
        let directory = self.directory.display().to_string();
        self.configure(&[("listen_addresses", "127.0.0.1"), ("unix_socket_directories", &directory)]);
        let mut failure = String::new();
        for _ in 0..STARTS {
            self.port = free_port();
            self.configure(&[("port", &self.port.to_string())]);
            match Server::start(&self.directory) {
                Ok(server) => {
                    *self.server.lock() = Some(server);
                    return;
                }
                Err(error) => failure = error,
            }
        }
        panic!("the server does not start: {failure}");
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Where it is: the database `postgres`, as a superuser, without a password, over TCP.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Where another of its databases is.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The way for a role, `guarded`, that needs a password; the right one is [`PASSWORD`].
    pub fn guarded_url(&self, password: &str) -> String {
        self.sql(&format!(
            "DO $$ BEGIN \
               SET LOCAL password_encryption = 'scram-sha-256'; \
               PERFORM pg_advisory_xact_lock(1); \
               IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'guarded') THEN \
                 CREATE ROLE guarded SUPERUSER LOGIN PASSWORD '{PASSWORD}'; \
               END IF; \
             END $$"
        ));
        format!("postgresql://guarded:{password}@127.0.0.1:{}/postgres", self.port)
    }

    /// Where this one is or, once it is gone, the other one: whichever takes writes.
    pub fn url_with(&self, other: &Self) -> String {
        let (here, there) = (self.port, other.port);
        format!("postgresql://postgres@127.0.0.1:{here},127.0.0.1:{there}/postgres?target_session_attrs=read-write")
    }

    /// The TCP port that it listens on, at 127.0.0.1. It keeps it when it is started again.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its Unix socket, which asks nobody for a password.
    pub fn socket(&self) -> &Path {
        &self.directory
    }

    /// A name for a schema that no other test of this cluster was given. The schema is not there yet.
    pub fn fresh_schema(&self) -> String {
        format!("test_{}", self.schemas.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs statements in the database `postgres`; answers the rows, a line each, with `|` between columns.
    pub fn sql(&self, statements: &str) -> String {
        self.sql_in("postgres", statements)
    }

    /// The same in another database.
    pub fn sql_in(&self, database: &str, statements: &str) -> String {
        let mut psql = command(program("psql"));
        psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"]).arg("-h").arg(&self.directory);
        run(psql.args(["-p", &self.port.to_string(), "-U", "postgres", "-d", database, "-c", statements]))
    }

    /// Shuts it down: whoever is connected is thrown out, and nothing is lost.
    pub fn stop(&self) {
        if let Some(server) = self.server.lock().take() {
            server.stop("INT");
        }
    }

    /// Kills all its processes at once, as a failure of the power does.
    pub fn kill(&self) {
        if let Some(server) = self.server.lock().take() {
            server.kill();
        }
    }

    /// Starts it again where it was, after stopping it if it runs. Waits until it takes connections.
    pub fn restart(&self) {
        self.stop();
        let mut failure = String::new();
        for _ in 0..STARTS {
            match Server::start(&self.directory) {
                Ok(server) => {
                    *self.server.lock() = Some(server);
                    return;
                }
                Err(error) => failure = error,
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("the server does not start again: {failure}");
    }

    /// Holds all its processes where they are. New connections are accepted by the system, and nobody answers.
    pub fn freeze(&self) {
        if let Some(server) = &*self.server.lock() {
            server.freeze();
        }
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        if let Some(server) = &*self.server.lock() {
            server.thaw();
        }
    }

    /// A second server that follows this one and can be read from. It is a moment behind, see
    /// [`wait_for_standbys`](Self::wait_for_standbys).
    pub fn standby(&self) -> Self {
        let mut standby = Self::empty();
        let mut copy = command(program("pg_basebackup"));
        copy.arg("-D").arg(standby.data()).arg("-h").arg(&self.directory).args(["-p", &self.port.to_string()]);
        run(copy.args(["-U", "postgres", "-R", "-X", "stream", "-c", "fast", "-N"]));
        standby.begin();
        standby
    }

    /// From now on a commit is answered only once a standby has it too: whoever is promoted has lost nothing. Without a living
    /// standby commits then wait for ever.
    pub fn wait_for_standbys(&self) {
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.sql("SELECT pg_reload_conf()");
        while self.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "0" {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Makes a standby a server that takes writes.
    pub fn promote(&self) {
        run(command(program("pg_ctl")).args(["promote", "-w", "-t", "120", "-D"]).arg(self.data()));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = self.server.get_mut().take() {
            server.stop("QUIT");
        }
        // Nothing to be done about it, in a destructor.
        let _ = self.guardian.finish();
    }
}

/// A file that the server may read, and nobody else.
fn write_owned(file: &Path, text: &str) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let written = fs::File::options().create(true).truncate(true).write(true).mode(0o600).open(file);
    let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
    written.unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
    own(file);
}

/// Gives it to the user that the server runs as.
fn own(path: &Path) {
    if let Some(user) = unprivileged::user() {
        let owned = chown(path, Some(user.uid), Some(user.gid));
        owned.unwrap_or_else(|error| panic!("cannot give away {}: {error}", path.display()));
    }
}

/// A TCP port that nobody listens on. Below those that systems give to outgoing connections, so that it stays free while the server
/// is down.
fn free_port() -> u16 {
    let random = Random::from_os().expect("the operating system has randomness");
    let ports = std::iter::repeat_with(|| 20_000 + u16::try_from(random.below(12_000)).unwrap_or_default());
    let mut free = ports.take(1000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().expect("one of a thousand TCP ports is free")
}
