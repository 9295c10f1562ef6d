//! Where the database is, and connections to it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType};
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use seatport::storage::{StorageError, StorageErrorKind};
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::Failure;
use crate::options::PostgresOptions;
use crate::sql::Connection;

/// What has to be polled for anything to happen on a connection that is in no pool.
pub(crate) type Driver = tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Where the database is, and how to get there.
#[derive(Clone)]
pub(crate) struct Target {
    config: Config,
    tls: MakeRustlsConnect,
    /// Hosts, database and schema, for people.
    place: Arc<str>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.place).finish()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl Target {
    /// Reads a URL. What is wrong with it is told without repeating it, for it may hold a password.
    pub(crate) fn read(url: &str, options: &PostgresOptions) -> Result<Self, StorageError> {
        options.check()?;
        let (url, tls) = without_tls(url)?;
        let mut config: Config = url.parse().map_err(|_| unreadable())?;
        if config.get_hosts().is_empty() {
            return Err(unreadable());
        }
        config.ssl_mode(tls.mode);
        // One of several hosts is the primary; the others, its standbys, are no use.
        if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_application_name().is_none() {
            config.application_name(&options.application_name);
        }
        config.connect_timeout(options.connect_timeout);
        // A peer that is gone without a word is given up after some 10 s.
        config.keepalives(true);
        config.keepalives_idle(Duration::from_secs(5));
        config.keepalives_interval(Duration::from_secs(2));
        config.keepalives_retries(3);
        config.tcp_user_timeout(Duration::from_secs(10));
        let place = format!("{} (schema {})", place(&config), options.schema).into();
        let root = options.root_certificate.clone().or(tls.root);
        Ok(Self { config, tls: MakeRustlsConnect::new(tls_config(root.as_deref())?), place })
    }

    /// The same, with these settings from the first statement on. None of the values has a blank.
    pub(crate) fn with_settings(&self, settings: &[(&str, String)]) -> Self {
        let mut options = self.config.get_options().map_or_else(String::new, |given| format!("{given} "));
        let settings = settings.iter().map(|(name, value)| format!("-c {name}={value}"));
        options.push_str(&settings.collect::<Vec<_>>().join(" "));
        let mut target = self.clone();
        target.config.options(options);
        target
    }

    /// A pool of connections.
    pub(crate) fn pool(&self, size: usize, options: &PostgresOptions) -> Result<Pool, StorageError> {
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(self.config.clone(), self.tls.clone(), manager);
        let builder = Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.wait))
            .create_timeout(Some(options.connect_timeout));
        builder.build().map_err(|error| StorageError::from(StorageErrorKind::Other).caused_by(error))
    }

    /// A connection that is in no pool.
    pub(crate) async fn connect(&self) -> Result<(Client, Driver), Failure> {
        let limit = self.config.get_connect_timeout().copied().unwrap_or(Duration::from_secs(5));
        match tokio::time::timeout(limit, self.config.connect(self.tls.clone())).await {
            Ok(connected) => Ok(connected?),
            Err(_) => Err(Failure::Away),
        }
    }
}

/// A connection from the pool, once one is free.
pub(crate) async fn get(pool: &Pool) -> Result<Connection, Failure> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => Failure::Postgres(error),
        PoolError::Timeout(TimeoutType::Wait) => {
            let status = pool.status();
            let message = format!(
                "all {} connections were in use for too long; allow for more connections, or for a longer wait",
                status.max_size
            );
            StorageError::new(StorageErrorKind::Busy, message).into()
        }
        PoolError::Timeout(_) => Failure::Away,
        PoolError::Closed => StorageErrorKind::Closed.into(),
        PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => StorageErrorKind::Other.into(),
    })
}

/// What a URL says about TLS.
struct Tls {
    mode: SslMode,
    root: Option<PathBuf>,
}

/// Takes what is said about TLS out of a URL: the client library knows less words for it than everybody else.
fn without_tls(url: &str) -> Result<(String, Tls), StorageError> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(unreadable());
    }
    let mut tls = Tls { mode: SslMode::Prefer, root: None };
    // As the client library does: everything up to the first `@` is user and password.
    let start = url.find('@').map_or(0, |at| at + 1);
    let Some(question) = url[start..].find('?').map(|at| start + at) else { return Ok((url.to_owned(), tls)) };
    let mut others = Vec::new();
    for parameter in url[question + 1..].split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name {
            "sslmode" => {
                tls.mode = match value {
                    "disable" => SslMode::Disable,
                    "prefer" => SslMode::Prefer,
                    "require" | "verify-ca" | "verify-full" => SslMode::Require,
                    _ => {
                        let message = "the URL's `sslmode` is unknown; take disable, prefer, require or verify-full";
                        return Err(StorageError::new(StorageErrorKind::Other, message));
                    }
                }
            }
            "sslrootcert" if value == "system" => {}
            "sslrootcert" => tls.root = Some(percent_decode_str(value).decode_utf8_lossy().as_ref().into()),
            _ => others.push(parameter),
        }
    }
    let mut rest = url[..question].to_owned();
    if !others.is_empty() {
        rest.push('?');
        rest.push_str(&others.join("&"));
    }
    Ok((rest, tls))
}

fn unreadable() -> StorageError {
    let message = "the URL of the database cannot be read; write postgres://user:password@host:port/database, \
         with special characters in the password as %XX";
    StorageError::new(StorageErrorKind::Other, message)
}

/// Hosts and database, for people.
fn place(config: &Config) -> String {
    let hosts = config.get_hosts().iter().enumerate().map(|(number, host)| {
        let port = config.get_ports().get(number).or(config.get_ports().first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    });
    let database = config.get_dbname().or(config.get_user()).unwrap_or("?");
    format!("{}/{database}", hosts.collect::<Vec<_>>().join(","))
}

/// Whenever TLS is used, the server's certificate and its name are verified.
fn tls_config(root: Option<&Path>) -> Result<ClientConfig, StorageError> {
    let mut roots = RootCertStore::empty();
    match root {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            let unusable = |why: String| {
                let message =
                    format!("{} holds no certificates that can be used ({why}); name a PEM file", file.display());
                StorageError::new(StorageErrorKind::Other, message)
            };
            let found = CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unusable("it is empty".to_owned()));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.map_err(|error| StorageError::from(StorageErrorKind::Other).caused_by(error))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Target, StorageError> {
        Target::read(url, &PostgresOptions::default())
    }

    #[test]
    fn a_target_names_hosts_and_database_and_no_password() {
        let target = read("postgres://mei:hush@db1,db2:5433/office?sslmode=verify-full&connect_timeout=3").unwrap();
        assert_eq!(target.to_string(), "db1:5432,db2:5433/office (schema seatport)");
        assert!(!format!("{target:?}").contains("hush"));
        assert_eq!(target.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(target.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    }

    #[test]
    fn a_url_that_cannot_be_read_is_not_repeated() {
        for url in ["", "hush", "mysql://hush@db", "postgres://u:hush@db:port/x", "postgres://u:hush@db/x?sslmode=odd"]
        {
            let error = read(url).unwrap_err();
            assert_eq!(error.kind(), StorageErrorKind::Other);
            assert!(!format!("{error:?} {error}").contains("hush"), "{url}: {error:?}");
        }
    }

    #[test]
    fn a_file_of_certificates_must_hold_some() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let url = format!("postgres://u@db/x?sslrootcert={}", file.path().display());
        assert!(read(&url).unwrap_err().to_string().contains("name a PEM file"));
        assert!(
            read("postgres://u@db/x?sslrootcert=%2Fno%2Fsuch%20file")
                .unwrap_err()
                .to_string()
                .contains("/no/such file")
        );
    }
}
