//! Completes the headers of requests: removes what a guest may not decide, and adds what the host
//! decides.

use http::HeaderMap;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, PROXY_AUTHORIZATION, RANGE, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};

use super::coding::OFFER;

/// Headers that belong to the connection, or follow from the URL and the body. `wasi:http` forbids
/// guests most of them; nothing here depends on that.
const OURS: [HeaderName; 12] = [
    ACCEPT_ENCODING,
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Completes the headers of a request, except for the length of its body. Returns whether a
/// compressed response is requested: not if the guest wants a range, because ranges are of what is
/// transferred.
pub(super) fn prepare(headers: &mut HeaderMap) -> bool {
    for name in OURS {
        headers.remove(name);
    }
    let compressed = !headers.contains_key(RANGE);
    if compressed {
        headers.insert(ACCEPT_ENCODING, OFFER);
    }
    compressed
}

/// Bytes of headers as HTTP/2 counts them: the name, the value and 32 for each field.
pub(super) fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |&(name, value)| (HeaderName::from_static(name), http::HeaderValue::from_static(value));
        fields.iter().map(header).collect()
    }

    #[test]
    fn what_belongs_to_the_connection_is_not_the_guest_s() {
        let mut sent = headers(&[
            ("host", "evil.com"),
            ("transfer-encoding", "chunked"),
            ("content-length", "7"),
            ("proxy-authorization", "Basic key"),
            ("accept-encoding", "compress"),
            ("authorization", "Bearer key"),
        ]);
        assert!(prepare(&mut sent));
        assert_eq!(sent, headers(&[("authorization", "Bearer key"), ("accept-encoding", "gzip, br, zstd")]));
    }

    #[test]
    fn a_part_is_asked_for_as_it_is() {
        let mut sent = headers(&[("range", "bytes=0-9"), ("accept-encoding", "gzip")]);
        assert!(!prepare(&mut sent));
        assert_eq!(sent, headers(&[("range", "bytes=0-9")]));
    }

    #[test]
    fn each_field_counts_32_bytes_more_than_it_has() {
        assert_eq!(size(&headers(&[("a", "bc"), ("d", "")])), 3 + 32 + 1 + 32);
    }
}
