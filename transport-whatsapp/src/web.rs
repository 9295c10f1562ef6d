//! Plain HTTP requests, through the session's dialler: for the version of WhatsApp Web, and for what is too large for a stanza.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use whatsapp_rust::anyhow::{Context, Result, bail, ensure};
use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse};

use crate::dialler::Dialler;
use crate::fate::{Ending, Fate};

/// The longest answer that is read, head included: a piece of a long history.
const LONGEST_ANSWER: u64 = 32 * 1024 * 1024;
/// Where the client looks up the version of WhatsApp Web.
const VERSION_PAGE: &str = "https://web.whatsapp.com/sw.js";
/// How long an exchange may take after dialling, if a connection waits for it.
const PATIENCE: Duration = Duration::from_secs(15);
/// The same for all else, which may be long and the proxy slow.
const LONG_PATIENCE: Duration = Duration::from_secs(180);

/// One connection per request; nothing is asked often.
#[derive(Debug)]
pub(crate) struct Web {
    pub(crate) dialler: Arc<Dialler>,
    pub(crate) fate: Fate,
}

#[async_trait]
impl HttpClient for Web {
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse> {
        let uri: http::Uri = request.url.parse().context("not a URL")?;
        let host = uri.host().context("a URL without a host")?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => bail!("a URL that is not HTTP"),
        };
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let mut stream = match self.dialler.dial(host, port, tls).await {
            Ok(stream) => stream,
            Err(error) => {
                // Without the version there is no connection, and the client does not report why; without all else there is.
                if request.url == VERSION_PAGE {
                    self.fate.decide(Ending::from(&error));
                }
                return Err(error.into());
            }
        };
        let exchange = async {
            stream.write_all(&compose(&request, &uri, host)).await?;
            let mut answer = Vec::new();
            let read = stream.take(LONGEST_ANSWER + 1).read_to_end(&mut answer).await;
            ensure!(answer.len() as u64 <= LONGEST_ANSWER, "an answer that is too long");
            // Many servers end TLS without saying good-bye; whether all of it came the length tells.
            if let Err(error) = read
                && error.kind() != std::io::ErrorKind::UnexpectedEof
            {
                return Err(error.into());
            }
            parse(&answer)
        };
        let patience = if request.url == VERSION_PAGE { PATIENCE } else { LONG_PATIENCE };
        tokio::time::timeout(patience, exchange).await.context("no answer")?
    }
}

fn compose(request: &HttpRequest, uri: &http::Uri, host: &str) -> Vec<u8> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let host = uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let body = request.body.as_deref().unwrap_or_default();
    let mut head = format!(
        "{} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept-Encoding: identity\r\n",
        request.method
    );
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if request.body.is_some() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// An answer as it stands when the server has closed.
fn parse(answer: &[u8]) -> Result<HttpResponse> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(answer)? else { bail!("an answer that breaks off") };
    let status_code = head.code.context("an answer without a status")?;
    let header = |name: &str| {
        let found = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let rest = &answer[length..];
    let body = if header("transfer-encoding").is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked")) {
        unchunk(rest)?
    } else if let Some(length) = header("content-length") {
        rest.get(..length.trim().parse()?).context("an answer that breaks off")?.to_vec()
    } else {
        rest.to_vec()
    };
    Ok(HttpResponse { status_code, body })
}

/// The body behind the chunks of RFC 9112, section 7.1.
fn unchunk(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = httparse::parse_chunk_size(rest).ok().context("a broken chunk")?;
        let httparse::Status::Complete((start, size)) = size else { bail!("an answer that breaks off") };
        if size == 0 {
            return Ok(body);
        }
        let end = start.checked_add(usize::try_from(size)?).context("a broken chunk")?;
        body.extend_from_slice(rest.get(start..end).context("an answer that breaks off")?);
        rest = rest.get(end + 2..).context("an answer that breaks off")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nSeat\r\n4\r\nport\r\n0\r\n\r\n";
        assert_eq!(parse(chunked).unwrap().body, b"Seatport");
        assert!(parse(&chunked[..chunked.len() - 12]).is_err(), "breaks off");
        let sized = b"HTTP/1.1 404 Gone\r\ncontent-length: 2\r\n\r\nno";
        let answer = parse(sized).unwrap();
        assert_eq!((answer.status_code, answer.body.as_slice()), (404, &b"no"[..]));
        assert!(parse(&sized[..sized.len() - 1]).is_err(), "breaks off");
        assert!(parse(b"SSH-2.0-x\r\n\r\n").is_err());
    }

    #[tokio::test]
    async fn only_the_version_is_worth_a_connection() {
        // A port that nobody listens on: bound once, and let go of.
        let away = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let dialler = Arc::new(Dialler::new(Some(format!("socks5://{away}").parse().unwrap())));
        let web = Web { dialler, fate: Fate::undecided() };
        assert!(web.execute(HttpRequest::get("https://mmg.whatsapp.net/file")).await.is_err());
        assert_eq!(web.fate.get(), None);
        assert!(web.execute(HttpRequest::get(VERSION_PAGE)).await.is_err());
        assert!(matches!(web.fate.get(), Some(Ending::Lost(_))));
    }

    #[tokio::test]
    async fn a_request_goes_through_the_dialler() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n\"client_revision\":7").await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        let web = Web { dialler: Arc::new(Dialler::new(None)), fate: Fate::undecided() };
        let request = HttpRequest::get(format!("http://{address}/sw.js?v=1")).with_header("sec-fetch-site", "none");
        let answer = web.execute(request).await.unwrap();
        assert_eq!((answer.status_code, answer.body_string().unwrap()), (200, "\"client_revision\":7".to_owned()));
        let asked = server.await.unwrap();
        assert!(asked.starts_with(&format!("GET /sw.js?v=1 HTTP/1.1\r\nHost: {address}\r\n")), "{asked}");
        assert!(asked.contains("sec-fetch-site: none\r\n"), "{asked}");
    }
}
