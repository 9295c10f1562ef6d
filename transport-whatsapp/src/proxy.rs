//! How a proxy is asked for a tunnel.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seatport::Proxy;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::dialler::DialError;

/// The longest answer of an HTTP proxy that is read.
const LONGEST_HEAD: usize = 16 * 1024;

/// The user name and the password for a proxy that wants them; an empty password where none is set.
fn credentials(proxy: &Proxy) -> Option<(&str, &str)> {
    let user = proxy.username.as_deref()?;
    Some((user, proxy.password.as_ref().map_or("", |password| password.expose())))
}

fn broken(error: std::io::Error) -> DialError {
    DialError::ProxyFailed(error.kind().to_string())
}

/// Asks by `CONNECT` (RFC 9110, section 9.3.6).
pub(crate) async fn http(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<(), DialError> {
    let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let authorization = credentials(proxy).map_or_else(Zeroizing::default, |(user, password)| {
        let pair = Zeroizing::new(format!("{user}:{password}"));
        Zeroizing::new(format!("Proxy-Authorization: Basic {}\r\n", *Zeroizing::new(STANDARD.encode(pair.as_bytes()))))
    });
    let request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{}\r\n", *authorization));
    stream.write_all(request.as_bytes()).await.map_err(broken)?;

    // Byte by byte: what follows the answer belongs to the tunnel.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LONGEST_HEAD {
            return Err(DialError::ProxyFailed("an answer without an end".to_owned()));
        }
        head.push(stream.read_u8().await.map_err(broken)?);
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut answer = httparse::Response::new(&mut headers);
    answer.parse(&head).map_err(|_| DialError::ProxyFailed("an answer that is not HTTP".to_owned()))?;
    match answer.code {
        Some(200..=299) => Ok(()),
        // "Too slow" and "too many" pass; every other 4xx is about us.
        Some(code @ (408 | 425 | 429)) => Err(DialError::ProxyFailed(code.to_string())),
        Some(code @ 400..=499) => Err(DialError::ProxySaidNo(code.to_string())),
        code => Err(DialError::ProxyFailed(code.unwrap_or(0).to_string())),
    }
}

/// Asks by SOCKS version 5 (RFC 1928, RFC 1929). The proxy is given the name and resolves it itself.
pub(crate) async fn socks5(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<(), DialError> {
    const VERSION: u8 = 5;
    const NO_CREDENTIALS: u8 = 0;
    const USER_AND_PASSWORD: u8 = 2;

    let said_no = |why: &str| DialError::ProxySaidNo(why.to_owned());
    let credentials = credentials(proxy);
    let offered: &[u8] = match credentials {
        Some(_) => &[VERSION, 2, NO_CREDENTIALS, USER_AND_PASSWORD],
        None => &[VERSION, 1, NO_CREDENTIALS],
    };
    stream.write_all(offered).await.map_err(broken)?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await.map_err(broken)?;
    match (answer, credentials) {
        ([VERSION, NO_CREDENTIALS], _) => {}
        ([VERSION, USER_AND_PASSWORD], Some((user, password))) => {
            let too_long = |_| said_no("its credentials are longer than SOCKS allows");
            let mut login = Zeroizing::new(vec![1, u8::try_from(user.len()).map_err(too_long)?]);
            login.extend_from_slice(user.as_bytes());
            login.push(u8::try_from(password.len()).map_err(too_long)?);
            login.extend_from_slice(password.as_bytes());
            stream.write_all(&login).await.map_err(broken)?;
            stream.read_exact(&mut answer).await.map_err(broken)?;
            if answer[1] != 0 {
                return Err(said_no("wrong credentials"));
            }
        }
        ([VERSION, _], _) => return Err(said_no("wants credentials of another kind")),
        _ => return Err(DialError::ProxyFailed("an answer that is not SOCKS5".to_owned())),
    }

    let mut request = vec![VERSION, 1, 0];
    match host.parse() {
        Ok(std::net::IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Ok(std::net::IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Err(_) => {
            let length = u8::try_from(host.len()).map_err(|_| said_no("a host name longer than SOCKS allows"))?;
            request.extend([3, length]);
            request.extend(host.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await.map_err(broken)?;
    let mut reply = [0; 4];
    stream.read_exact(&mut reply).await.map_err(broken)?;
    let [VERSION, code, _, kind] = reply else {
        return Err(DialError::ProxyFailed("an answer that is not SOCKS5".to_owned()));
    };
    match code {
        0 => {}
        2 => return Err(said_no("not allowed by its rules")),
        7 | 8 => return Err(said_no("cannot do what was asked")),
        1 | 3..=6 => return Err(DialError::ProxyFailed(format!("SOCKS reply {code}"))),
        _ => return Err(DialError::ProxyFailed(format!("unknown SOCKS reply {code}"))),
    }
    // The address it is bound to says nothing of use, but has to be read.
    let rest = match kind {
        1 => 4,
        4 => 16,
        3 => stream.read_u8().await.map_err(broken)?.into(),
        _ => return Err(DialError::ProxyFailed("an answer that is not SOCKS5".to_owned())),
    };
    let mut bound = vec![0; rest + 2];
    stream.read_exact(&mut bound).await.map_err(broken)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks a proxy that gives these answers; what it was told, and what came of it.
    async fn ask(url: &str, answers: &[u8]) -> (Vec<u8>, Result<(), DialError>) {
        let (mut near, mut far) = tokio::io::duplex(4096);
        far.write_all(answers).await.unwrap();
        let proxy: Proxy = url.parse().unwrap();
        let result = match proxy.scheme {
            seatport::ProxyScheme::Http => http(&mut near, &proxy, "web.example", 443).await,
            seatport::ProxyScheme::Socks5 => socks5(&mut near, &proxy, "web.example", 443).await,
        };
        drop(near);
        let mut told = Vec::new();
        far.read_to_end(&mut told).await.unwrap();
        (told, result)
    }

    #[tokio::test]
    async fn the_answer_of_an_http_proxy_decides() {
        let (told, result) = ask("http://mei:a%20b@proxy.example:8080", b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n").await;
        assert_eq!(
            String::from_utf8(told).unwrap(),
            "CONNECT web.example:443 HTTP/1.1\r\nHost: web.example:443\r\nProxy-Authorization: Basic bWVpOmEgYg==\r\n\r\n"
        );
        assert_eq!(result, Ok(()));
        for (answer, expected) in [
            ("HTTP/1.1 407 Who are you\r\n\r\n", DialError::ProxySaidNo("407".to_owned())),
            ("HTTP/1.1 403 No\r\n\r\n", DialError::ProxySaidNo("403".to_owned())),
            ("HTTP/1.1 429 Slow down\r\n\r\n", DialError::ProxyFailed("429".to_owned())),
            ("HTTP/1.1 502 Bad Gateway\r\n\r\n", DialError::ProxyFailed("502".to_owned())),
            ("SSH-2.0-x\r\n\r\n", DialError::ProxyFailed("an answer that is not HTTP".to_owned())),
        ] {
            assert_eq!(ask("http://proxy.example:8080", answer.as_bytes()).await.1, Err(expected), "{answer}");
        }
    }

    #[tokio::test]
    async fn the_answer_of_a_socks_proxy_decides() {
        let bound = [5, 0, 0, 1, 127, 0, 0, 1, 0, 80];
        let (told, result) = ask("socks5://mei:pw@proxy.example:1080", &[&[5, 2, 1, 0][..], &bound].concat()).await;
        let name = [&[5, 1, 0, 3, 11][..], b"web.example", &[1, 187]].concat();
        assert_eq!(told, [&[5, 2, 0, 2, 1, 3][..], b"mei", &[2], b"pw", &name].concat());
        assert_eq!(result, Ok(()));
        assert_eq!(ask("socks5://proxy.example:1080", &[&[5, 0][..], &bound].concat()).await.1, Ok(()));

        let said_no = |why: &str| Err(DialError::ProxySaidNo(why.to_owned()));
        let with_password = "socks5://mei:pw@proxy.example:1080";
        assert_eq!(ask(with_password, &[5, 2, 1, 1]).await.1, said_no("wrong credentials"));
        assert_eq!(ask(with_password, &[5, 0xFF]).await.1, said_no("wants credentials of another kind"));
        assert_eq!(ask(with_password, &[5, 0, 5, 2, 0, 1]).await.1, said_no("not allowed by its rules"));
        let failed = DialError::ProxyFailed("SOCKS reply 5".to_owned());
        assert_eq!(ask(with_password, &[5, 0, 5, 5, 0, 1]).await.1, Err(failed));
    }

    #[test]
    fn no_error_tells_the_password() {
        let proxy: Proxy = "http://mei:hunter2@proxy.example:8080".parse().unwrap();
        assert!(!format!("{:?}", crate::dialler::Dialler::new(Some(proxy))).contains("hunter2"));
    }
}
