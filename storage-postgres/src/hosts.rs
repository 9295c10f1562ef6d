//! The hosts of a database: a primary and its standbys.
//!
//! Each is given its time to answer. The client library would do that for the way there alone: a server that takes the connection and
//! then stands still would keep it from all the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::Connect;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What has to be polled for anything to happen on a connection that is in no pool.
pub(crate) type Driver = tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// One configuration for each host.
#[derive(Clone)]
pub(crate) struct Hosts {
    each: Arc<[Config]>,
    tls: MakeRustlsConnect,
    /// How long one of them may take.
    limit: Duration,
    /// The one that was reached last: it is tried first.
    last: Arc<AtomicUsize>,
}

impl Hosts {
    /// None if hosts, addresses and ports do not go together.
    pub(crate) fn of(config: &Config, tls: MakeRustlsConnect, limit: Duration) -> Option<Self> {
        let count = config.get_hosts().len();
        let fits = |given: usize, fewer: bool| given == count || given == 0 || (fewer && given == 1);
        if count == 0 || !fits(config.get_hostaddrs().len(), false) || !fits(config.get_ports().len(), true) {
            return None;
        }
        let each = (0..count).map(|number| of_one(config, number)).collect();
        Some(Self { each, tls, limit, last: Arc::default() })
    }

    /// The same, with these settings from the first statement on. None of the values has a blank.
    pub(crate) fn with_settings(&self, settings: &[(&str, String)]) -> Self {
        let settings: Vec<_> = settings.iter().map(|(name, value)| format!("-c {name}={value}")).collect();
        let set = |host: &Config| {
            let mut host = host.clone();
            let given = host.get_options().map_or_else(String::new, |given| format!("{given} "));
            host.options(given + &settings.join(" "));
            host
        };
        Self { each: self.each.iter().map(set).collect(), ..self.clone() }
    }

    /// How long it may take until one of them has answered.
    pub(crate) fn limit(&self) -> Duration {
        self.limit * u32::try_from(self.each.len()).unwrap_or(u32::MAX)
    }

    /// Connects to the first that answers as it ought to. Bounded by the caller: see [`limit`](Self::limit).
    pub(crate) async fn reach(&self) -> Result<(Client, Driver), Error> {
        let (count, first) = (self.each.len(), self.last.load(Ordering::Relaxed));
        let mut refused = None;
        for turn in 0..count {
            let number = (first + turn) % count;
            match timeout(self.limit, self.each[number].connect(self.tls.clone())).await {
                Ok(Ok(connected)) => {
                    self.last.store(number, Ordering::Relaxed);
                    return Ok(connected);
                }
                Ok(Err(error)) => refused = Some(error),
                Err(_) => {}
            }
        }
        match refused {
            Some(error) => Err(error),
            // Nobody said anything, and so the caller is told when the time is over.
            None => std::future::pending().await,
        }
    }
}

impl Connect for Hosts {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        async move {
            let (client, connection) = self.reach().await?;
            let driver = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection broke");
                }
            });
            Ok((client, driver))
        }
        .boxed()
    }
}

/// What a configuration says about one of its hosts.
fn of_one(config: &Config, number: usize) -> Config {
    let mut one = Config::new();
    match &config.get_hosts()[number] {
        tokio_postgres::config::Host::Tcp(name) => one.host(name),
        #[cfg(unix)]
        tokio_postgres::config::Host::Unix(path) => one.host_path(path),
    };
    if let Some(address) = config.get_hostaddrs().get(number) {
        one.hostaddr(*address);
    }
    if let Some(port) = config.get_ports().get(number).or(config.get_ports().first()) {
        one.port(*port);
    }
    config.get_user().map(|user| one.user(user));
    config.get_password().map(|password| one.password(password));
    config.get_dbname().map(|name| one.dbname(name));
    config.get_options().map(|options| one.options(options));
    config.get_application_name().map(|name| one.application_name(name));
    config.get_connect_timeout().map(|limit| one.connect_timeout(*limit));
    config.get_tcp_user_timeout().map(|limit| one.tcp_user_timeout(*limit));
    config.get_keepalives_interval().map(|interval| one.keepalives_interval(interval));
    config.get_keepalives_retries().map(|count| one.keepalives_retries(count));
    one.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs())
        .load_balance_hosts(config.get_load_balance_hosts());
    one
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::SslMode;

    use super::*;

    fn hosts(url: &str) -> Option<Vec<Config>> {
        let mut config: Config = url.parse().unwrap();
        config.keepalives_interval(Duration::from_secs(2)).keepalives_retries(3).ssl_mode(SslMode::Require);
        config.tcp_user_timeout(Duration::from_secs(10)).connect_timeout(Duration::from_secs(4));
        let tls = crate::connect::tls_config(None).unwrap();
        let hosts = Hosts::of(&config, MakeRustlsConnect::new(tls), Duration::from_secs(4))?;
        assert_eq!(hosts.limit(), Duration::from_secs(4) * hosts.each.len() as u32);
        // Nothing is left out: what is said of one host alone is the same configuration.
        if let [one] = &*hosts.each {
            assert_eq!(*one, config);
        }
        Some(hosts.each.to_vec())
    }

    #[test]
    fn each_host_has_a_configuration_of_its_own() {
        let rest =
            "office?application_name=x&options=-c%20jit%3Doff&target_session_attrs=read-write&channel_binding=require";
        let both = hosts(&format!("postgres://mei:hush@db1,db2:5433/{rest}")).unwrap();
        let first = hosts(&format!("postgres://mei:hush@db1:5432/{rest}")).unwrap();
        let second = hosts(&format!("postgres://mei:hush@db2:5433/{rest}")).unwrap();
        assert_eq!(both, [first, second].concat());
        assert_eq!(hosts("postgres://db1,db2/?hostaddr=10.0.0.1").map(drop), None);
    }
}
