//! What an environment accepts, and what it never shows.

use super::*;

fn proxy(text: &str) -> Proxy {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn problem(text: &str) -> String {
    text.parse::<Proxy>().expect_err(text).problem
}

#[test]
fn a_proxy_is_taken_apart() {
    let full = proxy("socks5://mei:hunter2@proxy.example:1080");
    assert_eq!((full.scheme, full.host.as_str(), full.port), (ProxyScheme::Socks5, "proxy.example", 1080));
    assert_eq!(full.username.as_deref(), Some("mei"));
    assert_eq!(full.password.as_ref().map(Secret::expose), Some("hunter2"));

    let bare = proxy("http://proxy.example:8080/");
    assert_eq!((bare.scheme, bare.username, bare.password), (ProxyScheme::Http, None, None));
    assert_eq!(proxy("http://proxy.example").port, 80, "the port that http is known for");
    assert_eq!(proxy("socks5h://proxy.example:1080").scheme, ProxyScheme::Socks5);
    assert_eq!(proxy("http://mei@proxy.example:8080").username.as_deref(), Some("mei"));
}

#[test]
fn credentials_are_percent_decoded() {
    let proxy = proxy("http://m%40ei:p%3Ass%2Fw%E2%82%ACrd@proxy.example:8080");
    assert_eq!(proxy.username.as_deref(), Some("m@ei"));
    assert_eq!(proxy.password.as_ref().map(Secret::expose), Some("p:ss/w€rd"));
    assert_eq!(problem("http://mei:%FF@proxy.example:8080"), "its credentials are not UTF-8");
}

#[test]
fn an_ipv6_proxy_goes_without_brackets_and_shows_with_them() {
    for scheme in ["http", "socks5"] {
        let proxy = proxy(&format!("{scheme}://mei@[2001:db8::1]:1080"));
        assert_eq!(proxy.host, "2001:db8::1");
        assert_eq!(proxy.to_string(), format!("{scheme}://mei@[2001:db8::1]:1080"));
    }
    assert_eq!(proxy("http://192.0.2.7:3128").to_string(), "http://192.0.2.7:3128");
}

#[test]
fn what_a_proxy_shows_is_the_same_proxy() {
    for text in [
        "http://a.example:80",
        "socks5://mei@a.example:1080",
        "socks5://m%40e%3Ai@[::1]:1",
        "http://%E7%BE%8E@a.example:3128",
    ] {
        let parsed = proxy(text);
        assert!(parsed.same_endpoint(&proxy(&parsed.to_string())), "{text} shows as {parsed}");
    }
}

#[test]
fn a_wrong_proxy_says_what_is_wrong_and_never_repeats_the_password() {
    let cases = [
        ("proxy.example", "not a URL"),
        ("", "not a URL"),
        ("ftp://mei:hunter2@proxy.example:21", "its scheme is neither http nor socks5"),
        ("https://mei:hunter2@proxy.example:443", "its scheme is neither http nor socks5"),
        ("socks5://mei:hunter2@proxy.example", "it names no port"),
        ("http://mei:hunter2@proxy.example:0", "port 0 cannot be dialled"),
        ("http://mei:hunter2@proxy.example:99999", "not a URL"),
        ("http://mei:hunter2@proxy.example:80/path", "it has a path, a query or a fragment"),
        ("http://mei:hunter2@proxy.example:80?query", "it has a path, a query or a fragment"),
        ("http://mei:hunter2@proxy.example:80/#fragment", "it has a path, a query or a fragment"),
        ("http://:hunter2@proxy.example:80", "it has a password but no user name"),
        ("socks5:proxy.example:1080", "it names no host"),
    ];
    for (text, expected) in cases {
        let error = text.parse::<Proxy>().expect_err(text);
        assert_eq!(error.problem, expected, "{text}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn the_password_is_neither_shown_nor_stored() {
    let environment = Environment::new().proxy("http://mei:hunter2@proxy.example:8080").unwrap();
    let shown = format!("{environment:?} {}", environment.proxy.as_ref().unwrap());
    let stored = serde_json::to_string(&environment).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(!stored.contains("hunter2"), "{stored}");

    let read: Environment = serde_json::from_str(&stored).unwrap();
    let (read, given) = (read.proxy.unwrap(), environment.proxy.unwrap());
    assert_eq!(read.password, None);
    assert!(read.same_endpoint(&given), "{read} is not {given}");
}

#[test]
fn an_endpoint_is_scheme_host_port_and_user() {
    let one = proxy("http://mei:hunter2@proxy.example:8080");
    assert!(one.same_endpoint(&proxy("http://mei:other@proxy.example:8080")));
    for other in [
        "socks5://mei@proxy.example:8080",
        "http://mei@other.example:8080",
        "http://mei@proxy.example:8081",
        "http://lin@proxy.example:8080",
    ] {
        assert!(!one.same_endpoint(&proxy(other)), "{other}");
    }
}

#[test]
fn a_platform_is_known_by_name_in_any_case() {
    for (name, platform) in Platform::TABLE {
        assert_eq!(name.to_uppercase().parse::<Platform>().unwrap(), platform);
        assert_eq!(platform.to_string(), name);
        assert_eq!(serde_json::to_string(&platform).unwrap(), format!("\"{name}\""));
    }
    assert_eq!(
        "amiga".parse::<Platform>().unwrap_err().to_string(),
        "invalid platform: \"amiga\" is not known; use one of windows, macos, linux, android, ios"
    );
}

#[test]
fn language_and_time_zone_are_checked_and_made_canonical() {
    let environment = Environment::new().locale("ZH-cn").unwrap().time_zone("asia/shanghai").unwrap();
    assert_eq!(environment.locale.as_deref(), Some("zh-CN"));
    assert_eq!(environment.time_zone.as_deref(), Some("Asia/Shanghai"));
    assert_eq!(Environment::new().locale("chinese, please").unwrap_err().field, "locale");
    let error = Environment::new().time_zone("Mars/Olympus").unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid time zone: \"Mars/Olympus\" is not in the IANA database; write it like Asia/Shanghai"
    );
}

#[test]
fn names_and_labels_have_limits() {
    assert!(Environment::new().device_name("x".repeat(128)).is_ok());
    assert!(Environment::new().device_name("x".repeat(129)).is_err());
    assert!(Environment::new().device_name("").is_err());
    assert!(Environment::new().label("team", "").is_ok());
    assert!(Environment::new().label("", "sales").is_err());
    assert!(Environment::new().label("x".repeat(65), "sales").is_err());
    assert!(Environment::new().label("team", "x".repeat(257)).is_err());
    let relabelled = Environment::new().label("team", "sales").unwrap().label("team", "support").unwrap();
    assert_eq!(relabelled.labels["team"], "support");
}
