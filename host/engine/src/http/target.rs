//! Parses the destination of a request into the one form in which it is checked and connected to.
//!
//! A host can be written in many ways. It is parsed once, by the parser that the client uses too,
//! and only the result is looked at afterwards: lower case and punycode, IP addresses of any
//! notation as addresses, percent signs decoded, no final dot.

use http::{Method, Uri};
use reqwest::Url;
use wasmtime_wasi_http::{Error, Result};

use super::origin::{Origin, without_final_dot};

/// Bytes of a host name at most (RFC 1035), which also keeps log lines short.
const LONGEST: usize = 253;

/// Methods whose response has the headers of the request in its body: that of HTTP, and that of
/// IIS.
const REPEATING: [&str; 2] = ["TRACE", "TRACK"];

/// The destination of one request.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) origin: Origin,
}

impl Target {
    /// Parses the destination of a request.
    ///
    /// # Errors
    ///
    /// If it is not an absolute HTTP URL, or has a user in it. Also for `CONNECT`, which would be a
    /// tunnel to anywhere, and for methods by which a server repeats the headers of a request, and
    /// with them its secrets, in the body of the response.
    pub(super) fn of(method: &Method, uri: &Uri) -> Result<Self> {
        let repeats = REPEATING.iter().any(|repeating| method.as_str().eq_ignore_ascii_case(repeating));
        if *method == Method::CONNECT || repeats {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        // A path that does not begin with a slash would be read as the rest of the host.
        if authority.as_str().contains('@') || !uri.path().starts_with('/') {
            return Err(Error::HttpRequestUriInvalid);
        }
        let url = Url::parse(&uri.to_string()).ok().and_then(without_final_dot);
        let url = url.ok_or(Error::HttpRequestUriInvalid)?;
        let origin = Origin::of(&url).filter(|origin| origin.host.len() <= LONGEST);
        let origin = origin.ok_or(Error::HttpRequestUriInvalid)?;
        Ok(Self { url, origin })
    }

    /// Whether the request stays on this machine, so that nobody can eavesdrop and no proxy is
    /// involved.
    pub(super) fn is_local(&self) -> bool {
        self.origin.is_loopback_address() || self.origin.is_localhost()
    }

    /// Whether nobody on the network can read the headers.
    pub(super) fn is_private(&self) -> bool {
        self.origin.scheme == "https" || self.is_local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(uri: &str) -> Result<String> {
        let uri = uri.parse::<Uri>().map_err(|_| Error::HttpRequestUriInvalid)?;
        Target::of(&Method::GET, &uri).map(|target| target.origin.to_string())
    }

    #[test]
    fn a_host_has_one_form_however_it_is_written() {
        for (written, read) in [
            ("https://API.Example.com/", "https://api.example.com"),
            ("https://api.example.com./", "https://api.example.com"),
            ("https://api.example.com:443/", "https://api.example.com"),
            ("https://xn--BCHER-kva.example/", "https://xn--bcher-kva.example"),
            ("http://127.0.0.1/", "http://127.0.0.1"),
            ("http://127.0.0.1./", "http://127.0.0.1"),
            ("http://127.1/", "http://127.0.0.1"),
            ("http://2130706433/", "http://127.0.0.1"),
            ("http://0x7f.0.0.1/", "http://127.0.0.1"),
            ("http://0177.0.0.01/", "http://127.0.0.1"),
            ("http://0x7f000001/", "http://127.0.0.1"),
            ("http://0/", "http://0.0.0.0"),
            ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]"),
            ("http://[::ffff:7f00:1]/", "http://[::ffff:7f00:1]"),
            ("http://[::FFFF:127.0.0.1]/", "http://[::ffff:7f00:1]"),
        ] {
            assert_eq!(origin(written).unwrap(), read, "{written}");
        }
        // The parser of requests rejects percent signs, umlauts and spaces in hosts. If it did not,
        // they would be decoded.
        for written in ["http://127%2e0%2e0%2e1/", "http://bücher.example/", "http://a b/"] {
            assert!(origin(written).is_err(), "{written}");
        }
        assert_eq!(Url::parse("http://127%2e0%2e0%2e1/").unwrap().host_str(), Some("127.0.0.1"));
    }

    #[test]
    fn what_is_no_destination_is_refused() {
        for written in [
            "/relative",
            "example.com",
            "https://user@example.com/",
            "https://user:key@example.com/",
            "https://@example.com/",
            "https://example.com../",
            "http://[fe80::1%25eth0]/",
            "http://[::1/",
            "http://256.0.0.1/",
            "http://1.2.3.4.5/",
            "http://:80/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "*",
        ] {
            let error = origin(written).expect_err(written);
            assert!(matches!(error, Error::HttpRequestUriInvalid), "{written}: {error:?}");
        }
    }

    #[test]
    fn a_path_cannot_lead_to_another_host() {
        for path in
            ["@evil.com/", ".evil.com/", "http://evil.com/", "//evil.com/", "/@evil.com", "/\\evil.com", "*"]
        {
            let uri =
                Uri::builder().scheme("https").authority("api.example.com").path_and_query(path).build();
            let Ok(uri) = uri else { continue };
            match Target::of(&Method::GET, &uri) {
                Ok(target) => assert_eq!(target.url.host_str(), Some("api.example.com"), "{path}"),
                Err(error) => assert!(matches!(error, Error::HttpRequestUriInvalid), "{path}"),
            }
        }
    }

    #[test]
    fn a_name_that_no_name_server_knows_is_no_host() {
        assert!(origin(&format!("https://{}example.com/", "a.".repeat(121))).is_ok());
        assert!(origin(&format!("https://{}example.com/", "a.".repeat(122))).is_err());
    }

    #[test]
    fn there_is_no_tunnel() {
        let error = Target::of(&Method::CONNECT, &Uri::from_static("https://example.com/")).unwrap_err();
        assert!(matches!(error, Error::HttpRequestMethodInvalid));
    }

    #[test]
    fn no_method_makes_a_server_repeat_the_headers() {
        for method in ["TRACE", "TRACK", "trace", "Track"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let error = Target::of(&method, &Uri::from_static("https://example.com/")).unwrap_err();
            assert!(matches!(error, Error::HttpRequestMethodInvalid), "{method}");
        }
    }

    #[test]
    fn only_tls_and_this_machine_are_private() {
        let private = |uri| Target::of(&Method::GET, &Uri::from_static(uri)).unwrap().is_private();
        assert!(
            private("https://example.com/") && private("http://127.0.0.1/") && private("http://localhost/")
        );
        assert!(!private("http://example.com/") && !private("http://10.0.0.1/"));
        assert!(!private("http://localhost.example.com/") && !private("http://[::ffff:127.0.0.1]/"));
    }
}
