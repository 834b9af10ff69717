//! Properties of hosts, patterns, templates and bodies. See [`crate::fuzzing`].

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::IpAddr;

use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use bytes::Bytes;
use futures_util::stream;
use http::{Method, Uri};
use http_body_util::{BodyExt as _, StreamBody};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::address::Reach;
use super::allowed_hosts::{AllowedHosts, Refusal};
use super::body::ResponseBody;
use super::coding::Coding;
use super::pattern::{HostPattern, names_loopback};
use super::target::Target;
use crate::account::{Account, Total};
use crate::config::Config;
use crate::exceeded::ExceededLimit;
use crate::json_object::JsonObject;
use crate::limits::Limit;
use crate::redaction::Redaction;
use crate::reporter::Reporter;
use crate::types::Specification;

/// A scheme, a host, perhaps with a wildcard before it, and a port, as text alone.
#[derive(Debug, PartialEq, Eq)]
struct Naive {
    scheme: String,
    wildcard: bool,
    host: String,
    port: u16,
}

impl Naive {
    /// Takes a pattern apart that was written by the host.
    fn of(shown: &str) -> Self {
        let (scheme, rest) = shown.split_once("://").expect("a pattern is shown with its scheme");
        let (wildcard, rest) = match rest.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let has_port = rest.rfind(':').filter(|colon| !rest[*colon..].contains(']'));
        let (host, port) = match has_port {
            Some(colon) => (&rest[..colon], rest[colon + 1..].parse().expect("a port is a number")),
            None => (rest, if scheme == "https" { 443 } else { 80 }),
        };
        Self { scheme: scheme.to_owned(), wildcard, host: host.to_owned(), port }
    }

    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        if self.scheme != scheme || self.port != port {
            return false;
        }
        if !self.wildcard {
            return self.host == host;
        }
        let (own, labels): (Vec<_>, Vec<_>) = (self.host.split('.').collect(), host.split('.').collect());
        let front = labels.len().saturating_sub(own.len());
        front > 0 && labels[front..] == own[..] && !labels[..front].join(".").is_empty()
    }
}

/// Whether the standard library takes an address for one of the internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_documentation()
                || first == 0
                || first >= 240
                || first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(address) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.to_ipv4().is_some())
        }
    }
}

/// Whether a text names a loopback address in the form that the standard library writes or accepts.
fn is_loopback(text: &str) -> bool {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// A pattern that is accepted is shown in a form that is read as the same pattern, and is plain.
pub fn pattern(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let url = HostPattern::of_url(text);
    if let Ok(pattern) = text.parse::<HostPattern>() {
        assert_eq!(url.as_ref(), Ok(&pattern), "a pattern is a URL, too");
    }
    let Ok(pattern) = url else { return };
    let shown = pattern.to_string();
    assert_eq!(shown.parse::<HostPattern>().ok().as_ref(), Some(&pattern), "{shown}");
    let Naive { wildcard, host, .. } = Naive::of(&shown);
    let is_plain =
        |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && !b"/\\?#@*%".contains(&byte);
    assert!(!host.is_empty() && !host.ends_with('.') && host.bytes().all(is_plain), "{shown}");
    assert!(!(wildcard && host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()), "{shown}");
    if names_loopback(text) {
        let written = text.trim();
        assert!(pattern.origin.is_loopback_address() && is_loopback(written), "{written}");
        let authority =
            written.split_once("://").and_then(|(_, rest)| rest.split(['/', '\\', '?', '#']).next());
        assert!(authority.is_some_and(|authority| !authority.contains('@')), "{written}");
    }
}

/// A request may be sent if one of the patterns allows it, compared label by label, and its address
/// is public. The lines of the input are patterns, and behind an empty line URLs.
pub fn hosts(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let (patterns, urls) = input.split_once("\n\n").unwrap_or(("", input));
    let patterns: Vec<HostPattern> = patterns.lines().filter_map(|line| line.parse().ok()).collect();
    let naive: Vec<_> = patterns.iter().map(|pattern| Naive::of(&pattern.to_string())).collect();
    let allowed = AllowedHosts::of_connector(patterns);
    for url in urls.lines() {
        let Ok(uri) = url.parse::<Uri>() else { continue };
        let Ok(target) = Target::of(&Method::GET, &uri) else { continue };
        let scheme = uri.scheme_str().unwrap_or_default().to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        let connected = target.url.host_str().unwrap_or_default();
        let host = match name(uri.host().unwrap_or_default()) {
            // A name is what it is in the URL.
            Some(name) => name,
            None => connected.to_owned(),
        };
        assert_eq!((connected, target.url.port_or_known_default()), (host.as_str(), Some(port)), "{url}");
        assert!(target.url.username().is_empty() && target.url.password().is_none(), "{url}");
        let matching: Vec<_> = naive.iter().filter(|naive| naive.allows(&scheme, &host, port)).collect();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        match allowed.judge(&target.origin) {
            Ok(Reach::Public) => {
                assert!(!matching.is_empty() && address.is_none_or(is_public), "{url} is reached");
            }
            Ok(Reach::Private) => {
                assert!(matching.iter().any(|naive| !naive.wildcard), "{url} is reached");
                assert!(address.is_some_and(|address| address.is_loopback()), "{url} is reached");
            }
            Err(Refusal::Host) => assert!(matching.is_empty(), "{url} is refused"),
            Err(Refusal::Address(_)) => {
                assert!(!matching.is_empty() && address.is_some(), "{url} is refused");
            }
        }
    }
}

/// A host in its usual form, if it is a plain name: letters, digits, hyphens and dots, without
/// punycode, and not a number at its end.
fn name(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_name = is_plain && last.starts_with(|first: char| first.is_ascii_alphabetic());
    (is_name && !host.contains("xn--")).then(|| host.to_owned())
}

/// Bytes of a template that is filled in at most, as docs/SECURITY.md says.
const LONGEST: usize = 8 * 1_024;

/// A template allows what a naive filler makes of it, and no value of the config ends its host. The
/// first line of the input is a template, the others are fields: `name=value` of the config,
/// `name:value` a default.
pub fn template(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let mut lines = input.lines();
    let template = lines.next().unwrap_or_default();
    let (mut written, mut defaults) = (BTreeMap::new(), BTreeMap::new());
    for line in lines {
        let Some(at) = line.find(['=', ':']) else { continue };
        let fields = if line[at..].starts_with('=') { &mut written } else { &mut defaults };
        fields.insert(&line[..at], &line[at + 1..]);
    }
    let object = |fields: &BTreeMap<&str, &str>, value: &dyn Fn(&str) -> Value| {
        let fields: Map<_, _> = fields.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect();
        Value::Object(fields)
    };
    let schema = json!({ "properties": object(&defaults, &|text| json!({ "default": text })) });
    let specification = Specification {
        name: "fuzz".to_owned(),
        version: "1".to_owned(),
        config_schema: JsonObject::parse(&schema.to_string()).expect("it is an object"),
        documentation_url: None,
        allowed_hosts: vec![template.to_owned()],
    };
    let config = Config::parse(&object(&written, &|text| json!(text)).to_string()).expect("it is an object");
    let sealed = config.seal(&specification).expect("there are no secrets");
    let requested = AllowedHosts::requested(&specification, &sealed);

    let pieces = pieces(template);
    let value = |field: &str| written.get(field).or_else(|| defaults.get(field)).copied().unwrap_or_default();
    let mut filled = String::new();
    for piece in &pieces {
        match piece {
            Piece::Text(text) => filled += text,
            Piece::Field(field) if value(field).is_empty() => {
                assert!(requested.is_ok_and(|allowed| allowed.is_empty()), "{field} has no value");
                return;
            }
            Piece::Field(field) => filled += value(field),
            Piece::Broken => {
                assert!(requested.is_err(), "a brace is missing");
                return;
            }
        }
        let is_harmless = |character: char| character.is_ascii_alphanumeric() || "-.".contains(character);
        if let Piece::Field(field) = piece
            && pieces.len() > 1
            && !value(field).chars().all(is_harmless)
        {
            assert!(requested.is_err(), "{field} is no part of a name");
            return;
        }
    }
    let expected = HostPattern::of_url(&filled).ok().filter(|pattern| !pattern.is_below_public_suffix());
    let (allowed, expected) = match (&requested, &expected) {
        (Ok(allowed), Some(expected)) => (allowed, expected),
        (Err(_), None) => return,
        (Ok(_), None) => panic!("{filled} is no host"),
        (Err(error), Some(_)) => {
            assert!(filled.len() > LONGEST, "{filled}: {error}");
            return;
        }
    };
    assert_eq!(allowed.patterns().collect::<Vec<_>>(), [expected]);
    if let [.., Piece::Text(end)] = pieces[..]
        && let Some(end) = end.strip_prefix('.').and_then(name)
        && pieces.len() > 1
    {
        // No text of the connector itself ends the host earlier.
        let texts =
            pieces.iter().filter_map(|piece| if let Piece::Text(text) = piece { Some(*text) } else { None });
        let whole = texts.collect::<String>();
        let rest = whole.split_once("://").map_or(whole.as_str(), |(_, rest)| rest);
        if !rest.contains(['/', '\\', '?', '#', '@', ':']) {
            let Naive { host, .. } = Naive::of(&expected.to_string());
            assert!(host.ends_with(&format!(".{end}")), "{host} is not below {end}");
        }
    }
    if let Ok(Reach::Private) = allowed.judge(&expected.origin) {
        let [Piece::Field(field)] = pieces[..] else { panic!("{filled} is on this machine") };
        assert!(written.get(field) == Some(&filled.as_str()) && is_loopback(filled.trim()), "{filled}");
    }
}

/// A part of a template.
enum Piece<'t> {
    Text(&'t str),
    Field(&'t str),
    /// A field without an end.
    Broken,
}

fn pieces(template: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut text) = (Vec::new(), 0);
    while let Some(start) = template[text..].find("${").map(|at| text + at) {
        pieces.push(Piece::Text(&template[text..start]));
        let Some(length) = template[start..].find('}') else {
            pieces.push(Piece::Broken);
            text = template.len();
            break;
        };
        pieces.push(Piece::Field(&template[start + "${".len()..start + length]));
        text = start + length + "}".len();
    }
    pieces.push(Piece::Text(&template[text..]));
    pieces.retain(|piece| !matches!(piece, Piece::Text("")));
    pieces
}

/// Bytes that come out of a body at most.
const SIZE: usize = 1 << 20;

/// What is compressed is decompressed to the same, however it arrives, and what no encoder made
/// ends as another decoder says. The input is a coding, the size of the parts, and a body.
pub fn body(input: &[u8]) {
    let [coding, part, bytes @ ..] = input else { return };
    let coding = [Coding::Brotli, Coding::Deflate, Coding::Gzip, Coding::Zstd][usize::from(coding % 4)];
    let part = usize::from(*part).max(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be had").block_on(async {
        let compressed = compress(coding, bytes).await;
        assert_eq!(decompress(coding, &compressed, part).await.as_deref(), Some(bytes), "{coding:?}");

        let decompressed = decompress(coding, bytes, part).await;
        assert_eq!(
            decompressed,
            decompress(coding, bytes, usize::MAX).await,
            "{coding:?} in parts of {part}"
        );
        assert!(decompressed.as_ref().is_none_or(|bytes| bytes.len() <= SIZE));
        if coding == Coding::Gzip {
            let mut other = Vec::new();
            let read = flate2::read::MultiGzDecoder::new(bytes).take(SIZE as u64 + 1).read_to_end(&mut other);
            if read.is_ok() && other.len() <= SIZE {
                assert_eq!(decompressed, Some(other));
            }
        }
    });
}

async fn compress(coding: Coding, bytes: &[u8]) -> Vec<u8> {
    async fn all(mut encoder: impl AsyncRead + Unpin) -> Vec<u8> {
        let mut compressed = Vec::new();
        encoder.read_to_end(&mut compressed).await.expect("nothing fails in memory");
        compressed
    }
    match coding {
        Coding::Brotli => all(BrotliEncoder::with_quality(bytes, async_compression::Level::Fastest)).await,
        Coding::Deflate => all(ZlibEncoder::new(bytes)).await,
        Coding::Gzip => all(GzipEncoder::new(bytes)).await,
        Coding::Zstd => all(ZstdEncoder::new(bytes)).await,
    }
}

/// What a guest reads of a body. `None` if that fails.
async fn decompress(coding: Coding, bytes: &[u8], part: usize) -> Option<Vec<u8>> {
    let parts: Vec<_> = bytes.chunks(part).map(Bytes::copy_from_slice).collect();
    let parts = parts.into_iter().map(|part| Ok::<_, std::io::Error>(http_body::Frame::data(part)));
    let exceeded = ExceededLimit::default();
    let account = Account::new(Limit::HostMemory, usize::MAX, Total::new(usize::MAX), exceeded.clone());
    let response = ResponseBody {
        body: reqwest::Body::wrap(StreamBody::new(stream::iter(parts))),
        codings: vec![coding],
        patience: std::time::Duration::from_secs(60),
        encoded: usize::MAX,
        size: SIZE,
        target: String::new(),
        exceeded,
        reporter: Reporter::new(std::sync::Arc::new(()), Redaction::default()),
        account,
        exchange: None,
    };
    Some(response.open().collect().await.ok()?.to_bytes().to_vec())
}
