//! The fake proxies, driven by hand as far as the tunnel.

use anyhow::Result;
use seatport_whatsapp_e2e::{FakeProxy, FakeServer, ProxyAnswer, ProxyKind, Seen};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn http(proxy: &FakeProxy, authorization: &str) -> Result<(TcpStream, String)> {
    let mut stream = TcpStream::connect(proxy.address()).await?;
    let request = format!("CONNECT web.example:443 HTTP/1.1\r\nHost: web.example:443\r\n{authorization}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await?;
    Ok((stream, String::from_utf8(status.to_vec())?))
}

#[tokio::test]
async fn http_tunnels_for_those_who_know_the_password() -> Result<()> {
    let server = FakeServer::start().await?;
    let proxy = FakeProxy::start(ProxyKind::Http, Some(("ada", "secret")), server.address()).await?;
    assert_eq!(http(&proxy, "").await?.1, "HTTP/1.1 407");
    assert_eq!(http(&proxy, "Proxy-Authorization: Basic d3Jvbmc6d3Jvbmc=\r\n").await?.1, "HTTP/1.1 407");
    assert_eq!(proxy.refused(), 2);
    assert!(server.journal().entries().is_empty());

    let right = "Proxy-Authorization: Basic YWRhOnNlY3JldA==\r\n";
    let (mut tunnel, status) = http(&proxy, right).await?;
    assert_eq!(status, "HTTP/1.1 200");
    assert_eq!(proxy.targets(), ["web.example:443"]);
    let opened = |seen: &Seen| matches!(seen, Seen::Opened { .. }).then_some(());
    server.journal().wait("the tunnel's end", std::time::Duration::from_secs(5), opened).await?;
    proxy.cut();
    tunnel.read_to_end(&mut Vec::new()).await?;

    proxy.set_answer(ProxyAnswer::Deny);
    assert_eq!(http(&proxy, right).await?.1, "HTTP/1.1 502");
    Ok(())
}

#[tokio::test]
async fn socks5_tunnels_for_those_who_know_the_password() -> Result<()> {
    let server = FakeServer::start().await?;
    let proxy = FakeProxy::start(ProxyKind::Socks5, Some(("ada", "secret")), server.address()).await?;
    for (password, accepted) in [("wrong", false), ("secret", true)] {
        let mut stream = TcpStream::connect(proxy.address()).await?;
        stream.write_all(&[5, 1, 2]).await?;
        let mut answer = [0; 2];
        stream.read_exact(&mut answer).await?;
        assert_eq!(answer, [5, 2]);
        let login = [&[1, 3][..], b"ada", &[u8::try_from(password.len())?], password.as_bytes()].concat();
        stream.write_all(&login).await?;
        stream.read_exact(&mut answer).await?;
        assert_eq!(answer, [1, u8::from(!accepted)]);
        if accepted {
            let request = [&[5, 1, 0, 3, 11][..], b"web.example", &443_u16.to_be_bytes()].concat();
            stream.write_all(&request).await?;
            let mut reply = [0; 10];
            stream.read_exact(&mut reply).await?;
            assert_eq!(reply[1], 0);
        }
    }
    assert_eq!((proxy.targets(), proxy.refused()), (vec!["web.example:443".to_owned()], 1));
    Ok(())
}
