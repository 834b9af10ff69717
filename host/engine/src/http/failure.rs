//! Classifies failures of the HTTP client as error codes of `wasi:http`.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use wasmtime_wasi_http::Error;

use super::address::Prohibited;
use super::certificate::CertificateRefusal;
use super::lookups::LookupProblem;
use crate::account::Full;

/// The address, if a request was not sent because its host has a prohibited one.
pub(super) fn prohibited(error: &reqwest::Error) -> Option<&Prohibited> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// Why the name of a host was not resolved, if it was not for what the operating system says.
pub(super) fn too_many_lookups(error: &reqwest::Error) -> Option<&LookupProblem> {
    let problem = causes(error).find_map(|cause| cause.downcast_ref());
    problem.filter(|problem| matches!(problem, LookupProblem::TooMany { .. }))
}

/// Why a proxy did not pass a request on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ProxyFailure {
    /// It wants other credentials.
    Credentials,
    /// Anything else: a predicate about the proxy.
    Other(&'static str),
}

impl ProxyFailure {
    /// Finds the proxy's failure in the error of a request through it, to a URL with this scheme.
    pub(super) fn of(error: &reqwest::Error, scheme: &str) -> Option<Self> {
        // Neither library makes the type of this error known.
        let text = causes(error).map(ToString::to_string).find(|text| text.starts_with("tunnel error: "));
        Some(match text.as_deref() {
            Some("tunnel error: proxy authorization required") => Self::Credentials,
            Some("tunnel error: unsuccessful") => Self::Other("refuses"),
            Some("tunnel error: failed to create underlying connection") => Self::Other(UNREACHED),
            Some(_) => Self::Other("does not answer as a proxy does"),
            // A plain request is sent to the proxy itself, so a failed connection is one to the
            // proxy.
            None if error.is_connect() && scheme == "http" => Self::Other(UNREACHED),
            None => return None,
        })
    }

    /// A predicate about the proxy.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Credentials => "wants a user and a password, or other ones",
            Self::Other(reason) => reason,
        }
    }

    /// Whether the proxy itself could not be reached.
    pub(super) fn is_unreached(&self) -> bool {
        *self == Self::Other(UNREACHED)
    }
}

const UNREACHED: &str = "cannot be reached";

/// Why the certificate of the other side was refused, if it was.
pub(super) fn certificate(error: &reqwest::Error) -> Option<CertificateRefusal> {
    causes(error).find_map(|cause| cause.downcast_ref()).and_then(CertificateRefusal::of)
}

/// Explains why an answer is not HTTP, by the text of hyper's error, whose kinds are private.
const NOT_HTTP: [(&str, &str); 8] = [
    (
        "invalid HTTP header parsed",
        "a line of its head is no header, which is `NAME: VALUE` without a space before the colon",
    ),
    ("invalid HTTP version parsed", "it does not begin with HTTP/1.1"),
    ("invalid HTTP version parsed (found HTTP2 preface)", "it is HTTP/2, which was not asked for"),
    ("invalid HTTP status-code parsed", "it has no status of three digits"),
    ("invalid content-length parsed", "its content-length is no number, or there are several"),
    ("unexpected transfer-encoding parsed", "it has a transfer-encoding that it may not have"),
    ("invalid URI", "it has an invalid URI"),
    ("received unexpected message from connection", "it came before anything was asked for"),
];

/// Classifies a failure of the client. The guest decides by the code whether trying again can help.
pub(super) fn classify(error: &reqwest::Error) -> Error {
    if prohibited(error).is_some() {
        return Error::DestinationIpProhibited;
    }
    if too_many_lookups(error).is_some() {
        return Error::DnsTimeout;
    }
    if error.is_dns() {
        return Error::DnsError { rcode: Some("name not resolved".to_owned()), info_code: None };
    }
    if let Some(error) = causes(error).find_map(|cause| cause.downcast_ref()) {
        return classify_tls(error);
    }
    let io = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last();
    match io.map(io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => return Error::ConnectionRefused,
        Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => {
            return Error::DestinationIpUnroutable;
        }
        Some(
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof,
        ) => return Error::ConnectionTerminated,
        _ => {}
    }
    if error.is_timeout() {
        return if error.is_connect() { Error::ConnectionTimeout } else { Error::ConnectionReadTimeout };
    }
    if error.is_connect() {
        return Error::DestinationUnavailable;
    }
    // The last cause has no URL in its text, and so no query with a secret in it.
    let text = causes(error).last().map_or_else(|| "request failed".to_owned(), ToString::to_string);
    match text.as_str() {
        "connection closed before message completed" => Error::HttpResponseIncomplete,
        "operation was canceled" => Error::ConnectionTerminated,
        "message head is too large" => Error::HttpResponseHeaderSectionSize(None),
        _ if error.is_builder() => Error::HttpRequestUriInvalid,
        text => match NOT_HTTP.iter().find(|(known, _)| *known == text) {
            // The code for this has no room for text.
            Some((_, words)) => Error::InternalError(Some(format!("the answer is no valid HTTP: {words}"))),
            None if error.is_body() || error.is_decode() => Error::HttpResponseIncomplete,
            None => Error::HttpProtocolError,
        },
    }
}

/// The error for a guest that makes the host hold too much. It hardly sees it, because that ends
/// its call.
pub(super) fn too_much(full: Full) -> Error {
    Error::InternalError(Some(full.to_string()))
}

/// The causes of an error, the nearest first. `io::Error::source` skips the error that it wraps, so
/// that one is added here.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| {
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => cause.source(),
        }
    })
}

fn classify_tls(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Error::TlsCertificateError
        }
        rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
            alert_id: Some((*alert).into()),
            alert_message: Some(format!("{alert:?}")),
        },
        _ => Error::TlsProtocolError,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::http::address::Reach;
    use crate::http::clients::HttpClients;
    use crate::http::network::Network;
    use crate::http::target::Target;
    use crate::limits::Limits;

    /// What a request to a server that does `serve` with its first connection fails with.
    async fn failure(serve: impl FnOnce(std::net::TcpStream) + Send + 'static) -> Error {
        failure_of("http", serve).await
    }

    async fn failure_of(scheme: &str, serve: impl FnOnce(std::net::TcpStream) + Send + 'static) -> Error {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let server = std::thread::spawn(move || serve(listener.accept().unwrap().0));
        let error = get(url).await;
        server.join().unwrap();
        error
    }

    async fn get(uri: http::Uri) -> Error {
        let target = Target::of(&http::Method::GET, &uri).unwrap();
        let clients = HttpClients::new(&Limits::default(), Network::default());
        let client = clients.route(&target, Reach::Public).unwrap().client;
        let answer = client.get(target.url).send().await;
        match answer {
            Err(error) => classify(&error),
            Ok(response) => classify(&response.bytes().await.unwrap_err()),
        }
    }

    fn read_head(stream: &mut std::net::TcpStream) {
        let _ = stream.read(&mut [0; 1024]).unwrap();
    }

    #[tokio::test]
    async fn a_closed_port_is_a_refused_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        drop(listener);
        assert!(matches!(get(url).await, Error::ConnectionRefused));
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_a_dns_error() {
        // Longer than a part of a name may be, so that nobody needs to be asked.
        let error = get(format!("http://{}.invalid/", "a".repeat(64)).parse().unwrap()).await;
        assert!(matches!(error, Error::DnsError { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_prohibited() {
        for uri in ["http://localhost:1/", "https://a.localhost:1/"] {
            let error = get(http::Uri::from_static(uri)).await;
            assert!(matches!(error, Error::DestinationIpProhibited), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_ends_early_is_an_incomplete_response() {
        let error = failure(|mut stream| read_head(&mut stream)).await;
        assert!(matches!(error, Error::HttpResponseIncomplete), "{error:?}");
        let error = failure(|mut stream| {
            read_head(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").unwrap();
        })
        .await;
        assert!(matches!(error, Error::HttpResponseIncomplete | Error::ConnectionTerminated), "{error:?}");
    }

    #[tokio::test]
    async fn what_is_not_tls_is_a_tls_error() {
        let error = failure_of("https", |mut stream| {
            read_head(&mut stream);
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        })
        .await;
        assert!(matches!(error, Error::TlsProtocolError), "{error:?}");
    }

    #[tokio::test]
    async fn what_is_not_http_is_told_in_words() {
        for (text, words) in [
            ("SSH-2.0-OpenSSH\r\n\r\n", "it does not begin with HTTP/1.1"),
            ("HTTP/1.1 200 OK\r\nserver : old\r\n\r\n", "without a space before the colon"),
            ("HTTP/1.1 200 OK\r\nx y: z\r\n\r\n", "a line of its head is no header"),
            ("HTTP/1.1 200 OK\r\nno header\r\n\r\n", "a line of its head is no header"),
            ("HTTP/1.1 OK\r\n\r\n", "it has no status of three digits"),
            ("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "its content-length is no number"),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
                "its content-length is no number, or there are several",
            ),
        ] {
            let error = failure(move |mut stream| {
                read_head(&mut stream);
                stream.write_all(text.as_bytes()).unwrap();
            })
            .await;
            let Error::InternalError(Some(told)) = &error else { panic!("{text:?}: {error:?}") };
            assert!(told.starts_with("the answer is no valid HTTP: ") && told.contains(words), "{told}");
        }
    }
}
