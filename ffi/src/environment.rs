//! The environment (账号环境) an account runs in.

use std::collections::HashMap;
use std::sync::Arc;

use seatport::Invalid;

use crate::error::SeatportError;
use crate::mirror::mirror;
use crate::secret::Secret;

mirror! {
    /// The operating system a linked device claims to run.
    Platform = seatport::Platform, or Other "platform" {
        /// Microsoft Windows.
        Windows,
        /// Apple macOS.
        MacOs,
        /// Linux.
        Linux,
        /// Android.
        Android,
        /// Apple iOS.
        Ios,
    }
}

mirror! {
    /// How a proxy is spoken to.
    ProxyScheme = seatport::ProxyScheme {
        /// HTTP `CONNECT` (RFC 9110, section 9.3.6).
        Http,
        /// SOCKS version 5 (RFC 1928), names resolved by the proxy.
        Socks5,
    }
}

/// The proxy an account's traffic goes through, all of it: if the proxy fails, nothing is sent around it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Proxy {
    /// How it is spoken to.
    pub scheme: ProxyScheme,
    /// Host name or address; IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name, where the proxy wants one.
    #[uniffi(default = None)]
    pub username: Option<String>,
    /// Password. It is sealed in the vault: set it when the environment is handed in; it is there for a transport that dials,
    /// and never when the environment is read back.
    #[uniffi(default = None)]
    pub password: Option<Arc<Secret>>,
}

/// Reads a proxy written as `http://user:password@host:port` or `socks5://user:password@host:port`, user and password in
/// percent-encoding where they need it.
///
/// # Errors
/// `Invalid` when it is not written so. The error never repeats the text: it may hold a password.
#[uniffi::export]
pub fn parse_proxy(url: Arc<Secret>) -> Result<Proxy, SeatportError> {
    Ok(url.0.expose().parse::<seatport::Proxy>()?.into())
}

impl From<seatport::Proxy> for Proxy {
    fn from(proxy: seatport::Proxy) -> Self {
        Self {
            scheme: proxy.scheme.into(),
            host: proxy.host,
            port: proxy.port,
            username: proxy.username,
            password: proxy.password.map(|password| Arc::new(password.into())),
        }
    }
}

impl TryFrom<Proxy> for seatport::Proxy {
    type Error = Invalid;

    fn try_from(proxy: Proxy) -> Result<Self, Invalid> {
        // Core makes a proxy from a URL only, and checks its parts by writing one: so each part is put in the place of another.
        let mut given: Self = "http://proxy.invalid:1".parse()?;
        given.scheme = proxy.scheme.into();
        given.host = proxy.host;
        given.port = proxy.port;
        given.username = proxy.username.filter(|name| !name.is_empty());
        let checked: Self = given.to_string().parse()?;
        if (checked.port, &checked.username) != (given.port, &given.username) {
            return Err(Invalid::new(
                "proxy",
                "its host is no host name",
                "give the name or the address, and nothing else",
            ));
        }
        let password =
            proxy.password.map(|password| password.0.clone()).filter(|password| !password.expose().is_empty());
        if password.is_some() && checked.username.is_none() {
            return Err(Invalid::new("proxy", "it has a password but no user name", "give it the user name too"));
        }
        given = checked;
        given.password = password;
        Ok(given)
    }
}

/// What an account runs in. Every part may be left out; what is left out the transport chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct Environment {
    /// The proxy that all traffic goes through.
    #[uniffi(default = None)]
    pub proxy: Option<Proxy>,
    /// What the phone's list of linked devices calls this session, in 1 to 128 bytes.
    #[uniffi(default = None)]
    pub device_name: Option<String>,
    /// The operating system it claims to run.
    #[uniffi(default = None)]
    pub platform: Option<Platform>,
    /// The language, as a BCP 47 tag: `zh-CN`.
    #[uniffi(default = None)]
    pub locale: Option<String>,
    /// The time zone, by its IANA name: `Asia/Shanghai`.
    #[uniffi(default = None)]
    pub time_zone: Option<String>,
    /// Free-form labels of the host: names of 1 to 64 bytes, values of up to 256.
    #[uniffi(default)]
    pub labels: HashMap<String, String>,
    /// The labels that a node must have to drive the session; none: any node will do. They have effect when the session is next
    /// taken over.
    #[uniffi(default)]
    pub runs_on: HashMap<String, String>,
}

impl From<seatport::Environment> for Environment {
    fn from(environment: seatport::Environment) -> Self {
        Self {
            proxy: environment.proxy.map(Into::into),
            device_name: environment.device_name,
            platform: environment.platform.map(Into::into),
            locale: environment.locale,
            time_zone: environment.time_zone,
            labels: environment.labels.into_iter().collect(),
            runs_on: environment.runs_on.into_iter().collect(),
        }
    }
}

impl TryFrom<Environment> for seatport::Environment {
    type Error = Invalid;

    fn try_from(environment: Environment) -> Result<Self, Invalid> {
        let mut given = Self::new();
        given.proxy = environment.proxy.map(TryInto::try_into).transpose()?;
        given.device_name = environment.device_name;
        given.platform = environment.platform.map(TryInto::try_into).transpose()?;
        given.locale = environment.locale;
        given.time_zone = environment.time_zone;
        given.labels = environment.labels.into_iter().collect();
        given.runs_on = environment.runs_on.into_iter().collect();
        given.checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(host: &str, username: Option<&str>, password: Option<&str>) -> Proxy {
        Proxy {
            scheme: ProxyScheme::Socks5,
            host: host.into(),
            port: 1080,
            username: username.map(Into::into),
            password: password.map(|password| Secret::new(password.into())),
        }
    }

    fn refused(proxy: Proxy) -> String {
        seatport::Proxy::try_from(proxy).unwrap_err().to_string()
    }

    #[test]
    fn a_proxy_in_parts_is_the_one_that_the_url_says() {
        let url = Secret::new("socks5://m%3Aei:hunter%402@proxy.example:1080".into());
        let said = seatport::Proxy::try_from(parse_proxy(url).unwrap()).unwrap();
        let built = seatport::Proxy::try_from(proxy("proxy.example", Some("m:ei"), Some("hunter@2"))).unwrap();
        assert_eq!(said, built);
        assert_eq!(built.password.unwrap().expose(), "hunter@2");
        let sixth = seatport::Proxy::try_from(proxy("2001:db8::1", None, None)).unwrap();
        assert_eq!(sixth.to_string(), "socks5://[2001:db8::1]:1080");
    }

    #[test]
    fn a_host_that_says_more_than_a_host_is_refused() {
        for host in ["", "mei@proxy.example", "a/b", "a b", "proxy.example:99/", "a?b", "a#b", "[::1]"] {
            let refused = refused(proxy(host, None, Some("hunter2")));
            assert!(refused.starts_with("invalid proxy: ") && !refused.contains("hunter2"), "{host:?}: {refused}");
        }
        assert!(refused(proxy("mei@proxy.example", Some("li"), None)).contains("host"));
        assert!(refused(Proxy { port: 0, ..proxy("proxy.example", None, None) }).contains("port 0"));
    }

    #[test]
    fn a_password_needs_a_user_name_and_shows_nowhere() {
        assert!(refused(proxy("proxy.example", None, Some("hunter2"))).contains("no user name"));
        assert!(refused(proxy("proxy.example", Some(""), Some("hunter2"))).contains("no user name"));
        assert!(!format!("{:?}", proxy("proxy.example", Some("mei"), Some("hunter2"))).contains("hunter2"));
        let Err(error) = parse_proxy(Secret::new("ftp://mei:hunter2@proxy.example:21".into())) else { panic!() };
        assert!(matches!(&error, SeatportError::Invalid { field, .. } if field == "proxy"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn an_environment_survives_the_way_in_and_out() {
        let given = Environment {
            proxy: Some(proxy("proxy.example", Some("mei"), Some("hunter2"))),
            device_name: Some("Front desk 3".into()),
            platform: Some(Platform::Windows),
            locale: Some("zh-cn".into()),
            time_zone: Some("Asia/Shanghai".into()),
            labels: [("team".into(), "sales".into())].into(),
            runs_on: [("egress".into(), "hk".into())].into(),
        };
        let core = seatport::Environment::try_from(given).unwrap();
        let told = Environment::from(core.clone());
        assert_eq!(told.locale.as_deref(), Some("zh-CN"));
        assert_eq!(told.proxy.clone().unwrap().password.unwrap().expose(), "hunter2");
        assert_eq!(seatport::Environment::try_from(told).unwrap(), core);
        assert_eq!(seatport::Environment::try_from(Environment::default()).unwrap(), seatport::Environment::new());
    }

    #[test]
    fn each_part_of_an_environment_is_checked() {
        let nothing = Environment::default;
        let long = || -> HashMap<String, String> { [("x".repeat(65), String::new())].into() };
        let refused = [
            (Environment { device_name: Some(String::new()), ..nothing() }, "device name"),
            (Environment { platform: Some(Platform::Other), ..nothing() }, "platform"),
            (Environment { locale: Some("zh_".into()), ..nothing() }, "locale"),
            (Environment { time_zone: Some("Mars/Olympus".into()), ..nothing() }, "time zone"),
            (Environment { labels: long(), ..nothing() }, "label name"),
            (Environment { runs_on: long(), ..nothing() }, "label name"),
        ];
        for (environment, field) in refused {
            assert_eq!(seatport::Environment::try_from(environment).unwrap_err().field, field);
        }
    }

    #[test]
    fn every_platform_of_today_has_a_word() {
        for name in ["windows", "macos", "linux", "android", "ios"] {
            let core: seatport::Platform = name.parse().unwrap();
            assert_eq!(seatport::Platform::try_from(Platform::from(core)).unwrap(), core);
        }
    }
}
