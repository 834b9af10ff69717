//! Explains in plain words why a certificate was refused.

use std::fmt::Write as _;

use rustls::CertificateError;
use rustls_pki_types::UnixTime;

/// The most names of a certificate that a message shows; some have hundreds.
const NAMES: usize = 3;
/// The most characters of such a name.
const LONGEST: usize = 100;

/// Why a certificate was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CertificateRefusal {
    /// A clause about it.
    pub(super) reason: String,
    /// Whether it would be accepted if its authority were trusted.
    pub(super) is_unknown: bool,
}

impl CertificateRefusal {
    /// The refusal; none if that is not what went wrong.
    pub(super) fn of(error: &rustls::Error) -> Option<Self> {
        use CertificateError::{BadSignature, UnknownIssuer};
        match error {
            rustls::Error::InvalidCertificate(problem) => {
                let is_unknown = matches!(problem, UnknownIssuer | BadSignature);
                Some(Self { reason: explain(problem), is_unknown })
            }
            rustls::Error::NoCertificatesPresented => {
                Some(Self { reason: "there is none".to_owned(), is_unknown: false })
            }
            _ => None,
        }
    }
}

fn explain(problem: &CertificateError) -> String {
    use CertificateError as E;
    let plain = match problem {
        E::ExpiredContext { time, not_after } => {
            return format!(
                "it expired at {}, and this machine's clock says {}",
                instant(*not_after),
                instant(*time)
            );
        }
        E::NotValidYetContext { time, not_before } => {
            return format!(
                "it is valid from {} on, and this machine's clock says {}",
                instant(*not_before),
                instant(*time)
            );
        }
        E::NotValidForNameContext { expected, presented } => {
            return format!("it is for {}, and not for {}", list(presented), expected.to_str());
        }
        E::Other(other) => return other_reason(&other.to_string()),
        E::Expired => "it has expired",
        E::NotValidYet => "it is not valid yet",
        E::NotValidForName => "it is for another name",
        E::UnknownIssuer => "no authority that is trusted here has signed it, or it is signed by itself",
        E::Revoked => "it was revoked",
        E::BadEncoding => "it is no well-formed certificate",
        E::BadSignature => "its signature is not that of the trusted authority of this name",
        E::UnhandledCriticalExtension => "it has a critical extension that is not known here",
        E::UnsupportedSignatureAlgorithmContext { .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed in a way that is not supported here, such as with SHA-1 or a short RSA key"
        }
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => WRONG_PURPOSE,
        other => return other.to_string(),
    };
    plain.to_owned()
}

const WRONG_PURPOSE: &str = "it is not one for servers: its extended key usage says so";

/// What the verifier says that has no code of its own, which is known by its text alone.
fn other_reason(text: &str) -> String {
    match text {
        "CaUsedAsEndEntity" => {
            "it is that of an authority (a CA) and cannot be a server's own: the server has to show one \
             that this authority signed"
                .to_owned()
        }
        "EndEntityUsedAsCa" => {
            "it is signed by a certificate that is not one of an authority (a CA)".to_owned()
        }
        // Of `rustls-platform-verifier`.
        "certificate had invalid extensions" => WRONG_PURPOSE.to_owned(),
        "UnsupportedCertVersion" => {
            "it is of an old version of X.509, and only version 3 is supported".to_owned()
        }
        "NameConstraintViolation" => "its authority may not sign certificates for this name".to_owned(),
        "PathLenConstraintViolated" => {
            "more authorities stand between it and its root than that allows".to_owned()
        }
        text => format!("it is not valid ({text})"),
    }
}

/// An instant, to the second.
fn instant(time: UnixTime) -> String {
    let instant = std::time::UNIX_EPOCH + std::time::Duration::from_secs(time.as_secs());
    humantime::format_rfc3339_seconds(instant).to_string()
}

/// The names that a certificate has. They are whatever its maker wrote.
fn list(presented: &[String]) -> String {
    let mut text = String::new();
    for name in presented.iter().take(NAMES) {
        if !text.is_empty() {
            text += " or ";
        }
        text.extend(bare(name).chars().filter(|character| !character.is_control()).take(LONGEST));
    }
    match presented.len() {
        0 => "no name at all (its subject alternative names count)".to_owned(),
        all if all > NAMES => {
            let _ = write!(text, " or {} others", all - NAMES);
            text
        }
        _ => text,
    }
}

/// A name without what the library writes around it: `DnsName("a.example")` and
/// `IpAddress(127.0.0.1)`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::OtherError;
    use rustls_pki_types::ServerName;

    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn every_reason_is_told_in_words() {
        let other = |text: &str| {
            CertificateError::Other(OtherError(std::sync::Arc::new(std::io::Error::other(text.to_owned()))))
        };
        let expected = ServerName::try_from("api.example").unwrap();
        let names = |count: usize| (0..count).map(|n| format!("DnsName(\"{n}.example\")")).collect();
        let name =
            |presented| CertificateError::NotValidForNameContext { expected: expected.clone(), presented };
        for (problem, words) in [
            (
                CertificateError::ExpiredContext { time: at(86_400), not_after: at(1) },
                "it expired at 1970-01-01T00:00:01Z, and this machine's clock says 1970-01-02T00:00:00Z",
            ),
            (
                CertificateError::NotValidYetContext { time: at(1), not_before: at(86_400) },
                "it is valid from 1970-01-02T00:00:00Z on, and this machine's clock says 1970-01-01T00:00:01Z",
            ),
            (name(names(1)), "it is for 0.example, and not for api.example"),
            (
                name(names(5)),
                "it is for 0.example or 1.example or 2.example or 2 others, and not for api.example",
            ),
            (name(vec!["IpAddress(10.0.0.1)".into()]), "it is for 10.0.0.1, and not for api.example"),
            (
                name(vec![]),
                "it is for no name at all (its subject alternative names count), and not for api.example",
            ),
            (
                CertificateError::UnknownIssuer,
                "no authority that is trusted here has signed it, or it is signed by itself",
            ),
            (CertificateError::Revoked, "it was revoked"),
            (other("certificate had invalid extensions"), WRONG_PURPOSE),
            (other("Whatever"), "it is not valid (Whatever)"),
        ] {
            let is_unknown = problem == CertificateError::UnknownIssuer;
            let refusal = CertificateRefusal::of(&rustls::Error::InvalidCertificate(problem)).unwrap();
            assert_eq!((refusal.reason.as_str(), refusal.is_unknown), (words, is_unknown));
        }
        let none = CertificateRefusal::of(&rustls::Error::NoCertificatesPresented).unwrap();
        assert_eq!(none.reason, "there is none");
        assert_eq!(CertificateRefusal::of(&rustls::Error::DecryptError), None);
    }
}
