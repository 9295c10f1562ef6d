//! The environment (账号环境) an account runs in.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;
use url::Url;

use crate::error::Invalid;
use crate::secret::Secret;
use crate::text::single_line;

/// The operating system a linked device claims to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Platform {
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

impl Platform {
    const TABLE: [(&'static str, Self); 5] = [
        ("windows", Self::Windows),
        ("macos", Self::MacOs),
        ("linux", Self::Linux),
        ("android", Self::Android),
        ("ios", Self::Ios),
    ];
}

impl FromStr for Platform {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::TABLE.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, platform)| *platform).ok_or_else(
            || {
                let names = Self::TABLE.map(|(name, _)| name).join(", ");
                Invalid::new("platform", format!("{text:?} is not known"), format!("use one of {names}"))
            },
        )
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::TABLE.iter().find(|(_, platform)| platform == self).map_or("unknown", |(name, _)| name);
        f.write_str(name)
    }
}

/// What of a user name is escaped when a proxy is shown: all but the unreserved characters of RFC 3986, section 2.3. A colon in
/// it would otherwise read as the start of a password.
const USER_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProxyScheme {
    /// HTTP `CONNECT` (RFC 9110, section 9.3.6).
    Http,
    /// SOCKS version 5 (RFC 1928), names resolved by the proxy.
    Socks5,
}

/// The proxy an account's traffic goes through, all of it: if the proxy fails, nothing is sent around it.
///
/// The password is sealed in the vault and is not part of what is stored or shown here.
///
/// ```
/// use seatport::Proxy;
/// let proxy: Proxy = "socks5://mei:hunter2@proxy.example:1080".parse().unwrap();
/// assert_eq!(proxy.to_string(), "socks5://mei@proxy.example:1080");
/// assert!("ftp://proxy.example:21".parse::<Proxy>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proxy {
    /// How it is spoken to.
    pub scheme: ProxyScheme,
    /// Host name or address; IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name, where the proxy wants one.
    pub username: Option<String>,
    /// Password. Set when the host hands the environment in and when a transport dials; never when it is read back.
    #[serde(skip)]
    pub password: Option<Secret>,
}

impl Proxy {
    /// Whether both name the same proxy and user, passwords aside.
    #[must_use]
    pub fn same_endpoint(&self, other: &Self) -> bool {
        (self.scheme, &self.host, self.port, &self.username) == (other.scheme, &other.host, other.port, &other.username)
    }
}

impl FromStr for Proxy {
    type Err = Invalid;

    /// Parses `http://[user[:password]@]host:port` or `socks5://…`. The error never repeats the text: it may hold a password.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = |problem: &str| {
            Invalid::new(
                "proxy",
                problem,
                "write it as http://user:password@host:port or socks5://user:password@host:port",
            )
        };
        let decode = |part: &str| {
            percent_encoding::percent_decode_str(part)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| invalid("its credentials are not UTF-8"))
        };
        let url = Url::parse(text).map_err(|_| invalid("not a URL"))?;
        let scheme = match url.scheme() {
            "http" => ProxyScheme::Http,
            "socks5" | "socks5h" => ProxyScheme::Socks5,
            _ => return Err(invalid("its scheme is neither http nor socks5")),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| invalid("it names no host"))?;
        let port = match url.port_or_known_default() {
            Some(0) => return Err(invalid("port 0 cannot be dialled")),
            Some(port) => port,
            None => return Err(invalid("it names no port")),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it has a path, a query or a fragment"));
        }
        let username = Some(decode(url.username())?).filter(|name| !name.is_empty());
        let password = url.password().map(decode).transpose()?.map(Secret::new);
        if password.is_some() && username.is_none() {
            return Err(invalid("it has a password but no user name"));
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { scheme, host, port, username, password })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            ProxyScheme::Http => "http",
            ProxyScheme::Socks5 => "socks5",
        };
        let user = self.username.as_ref().map(|name| format!("{}@", utf8_percent_encode(name, USER_NAME)));
        let user = user.unwrap_or_default();
        match self.host.contains(':') {
            true => write!(f, "{scheme}://{user}[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{user}{}:{}", self.host, self.port),
        }
    }
}

/// What an account runs in. Every part is optional; what is left out the transport chooses.
///
/// ```
/// use seatport::{Environment, Platform};
/// let environment = Environment::new()
///     .proxy("http://mei:hunter2@proxy.example:8080")?
///     .device_name("Front desk 3")?
///     .platform(Platform::Windows)
///     .locale("zh-CN")?
///     .time_zone("Asia/Shanghai")?
///     .label("team", "sales")?;
/// assert!(Environment::new().time_zone("Mars/Olympus").is_err());
/// assert!(!format!("{environment:?}").contains("hunter2"));
/// # Ok::<(), seatport::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Environment {
    /// The proxy that all traffic goes through.
    pub proxy: Option<Proxy>,
    /// What the phone's list of linked devices calls this session.
    pub device_name: Option<String>,
    /// The operating system it claims to run.
    pub platform: Option<Platform>,
    /// BCP 47 language tag, canonical: `zh-CN`.
    pub locale: Option<String>,
    /// IANA time zone: `Asia/Shanghai`.
    pub time_zone: Option<String>,
    /// Free-form labels of the host.
    pub labels: BTreeMap<String, String>,
    /// The labels that a node must have to drive the session; none: any node will do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub runs_on: BTreeMap<String, String>,
}

impl Environment {
    /// An environment that leaves everything to the transport.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks an environment that was not put together by the methods below: read from a file of the host, say.
    /// [`Desk`](crate::Desk) does so with every environment it is given.
    ///
    /// # Errors
    /// [`Invalid`] names the first part that those methods would have refused.
    pub fn checked(self) -> Result<Self, Invalid> {
        let mut checked = Self { platform: self.platform, ..Self::new() };
        if let Some(mut proxy) = self.proxy {
            let password = proxy.password.take();
            checked = checked.proxy(&proxy.to_string())?;
            checked.proxy = checked.proxy.map(|proxy| Proxy { password, ..proxy });
        }
        if let Some(name) = self.device_name {
            checked = checked.device_name(name)?;
        }
        if let Some(locale) = self.locale {
            checked = checked.locale(&locale)?;
        }
        if let Some(zone) = self.time_zone {
            checked = checked.time_zone(&zone)?;
        }
        checked = self.labels.into_iter().try_fold(checked, |checked, (name, value)| checked.label(name, value))?;
        self.runs_on.into_iter().try_fold(checked, |checked, (name, value)| checked.runs_on(name, value))
    }

    /// Sends all traffic through this proxy; see [`Proxy`] for the form.
    ///
    /// # Errors
    /// [`Invalid`] when the text is not such a URL.
    pub fn proxy(mut self, url: &str) -> Result<Self, Invalid> {
        self.proxy = Some(url.parse()?);
        Ok(self)
    }

    /// Names the device, in 1 to 128 bytes.
    ///
    /// # Errors
    /// [`Invalid`] when the name is empty, too long or holds control characters.
    pub fn device_name(mut self, name: impl Into<String>) -> Result<Self, Invalid> {
        self.device_name = Some(single_line("device name", name.into(), 1, 128)?);
        Ok(self)
    }

    /// Claims this operating system.
    #[must_use]
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Sets the language: a BCP 47 tag of language, script, region and variants.
    ///
    /// # Errors
    /// [`Invalid`] when it is not a well-formed tag.
    pub fn locale(mut self, tag: &str) -> Result<Self, Invalid> {
        let parsed: LanguageIdentifier = tag.parse().map_err(|_| {
            Invalid::new("locale", format!("{tag:?} is no language identifier"), "write it like zh-CN or en")
        })?;
        self.locale = Some(parsed.to_string());
        Ok(self)
    }

    /// Sets the time zone, by its IANA name.
    ///
    /// # Errors
    /// [`Invalid`] when the IANA database does not know it.
    pub fn time_zone(mut self, name: &str) -> Result<Self, Invalid> {
        let zone = jiff::tz::TimeZone::get(name).map_err(|_| {
            Invalid::new("time zone", format!("{name:?} is not in the IANA database"), "write it like Asia/Shanghai")
        })?;
        self.time_zone = Some(zone.iana_name().unwrap_or(name).to_owned());
        Ok(self)
    }

    /// Sets a label: name 1 to 64 bytes, value up to 256.
    ///
    /// # Errors
    /// [`Invalid`] when name or value is too long or holds control characters.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Result<Self, Invalid> {
        let (name, value) = checked_label(name.into(), value.into())?;
        self.labels.insert(name, value);
        Ok(self)
    }

    /// Pins the session to the nodes that have this [label](crate::SeatportBuilder::node_label): those with a certain egress,
    /// say. It has effect when the session is next taken over. Name 1 to 64 bytes, value up to 256.
    ///
    /// # Errors
    /// [`Invalid`] when name or value is too long or holds control characters.
    pub fn runs_on(mut self, name: impl Into<String>, value: impl Into<String>) -> Result<Self, Invalid> {
        let (name, value) = checked_label(name.into(), value.into())?;
        self.runs_on.insert(name, value);
        Ok(self)
    }
}

/// A label of a session or of a node.
pub(crate) fn checked_label(name: String, value: String) -> Result<(String, String), Invalid> {
    Ok((single_line("label name", name, 1, 64)?, single_line("label value", value, 0, 256)?))
}

#[cfg(test)]
mod tests;
