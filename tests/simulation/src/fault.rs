//! What goes wrong on the way to Orb and back.

use std::fmt;

use wasmtime_wasi_http::p2::bindings::http::types::{DnsErrorPayload, ErrorCode, TlsAlertReceivedPayload};

use crate::bindings::FailureType;
use crate::dice::Dice;
use crate::world::{SECOND, Time};

/// A failure below HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Dns,
    DnsTimeout,
    Refused,
    Reset,
    ConnectTimeout,
    ResponseTimeout,
    TlsAlert,
    TlsProtocol,
    UntrustedCertificate,
    Denied,
    Protocol,
    Internal,
}

impl Failure {
    const PASSING: [Self; 9] = [
        Self::Dns,
        Self::DnsTimeout,
        Self::Refused,
        Self::Reset,
        Self::ConnectTimeout,
        Self::ResponseTimeout,
        Self::TlsAlert,
        Self::Protocol,
        Self::Internal,
    ];

    pub(crate) fn code(self) -> ErrorCode {
        match self {
            Self::Dns => {
                ErrorCode::DnsError(DnsErrorPayload { rcode: Some("SERVFAIL".to_owned()), info_code: None })
            }
            Self::DnsTimeout => ErrorCode::DnsTimeout,
            Self::Refused => ErrorCode::ConnectionRefused,
            Self::Reset => ErrorCode::ConnectionTerminated,
            Self::ConnectTimeout => ErrorCode::ConnectionTimeout,
            Self::ResponseTimeout => ErrorCode::HttpResponseTimeout,
            Self::TlsAlert => ErrorCode::TlsAlertReceived(TlsAlertReceivedPayload {
                alert_id: Some(80),
                alert_message: None,
            }),
            Self::TlsProtocol => ErrorCode::TlsProtocolError,
            Self::UntrustedCertificate => ErrorCode::TlsCertificateError,
            Self::Denied => ErrorCode::HttpRequestDenied,
            Self::Protocol => ErrorCode::HttpProtocolError,
            Self::Internal => ErrorCode::InternalError(Some("the pool is closed".to_owned())),
        }
    }

    pub(crate) fn takes(self) -> Time {
        match self {
            Self::DnsTimeout | Self::ConnectTimeout => 10 * SECOND,
            Self::ResponseTimeout => 45 * SECOND,
            _ => 0,
        }
    }
}

/// Who words an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Orb,
    /// A page of a proxy.
    Html,
    Empty,
    /// Orb's form, which repeats the API key.
    Echo,
}

/// The forms of `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Absent,
    Seconds(u32),
    Date(u32),
    Nonsense,
}

/// A body that is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Garbled {
    Html,
    Empty,
    Null,
    Object,
    /// The first part of the body, with a length that fits.
    Shortened,
    /// Bytes that are not UTF-8.
    Bytes,
    /// A second list.
    TwoLists,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Status(u16, Form, Wait),
    Failure(Failure),
    /// The connection breaks after this part of the body, in percent.
    Cut(u8),
    Garbled(Garbled),
    /// The body trickles, in pieces of this many bytes.
    Slow(u16),
    /// The page token is that of the request.
    RepeatedToken,
    /// Orb does not know the page token any more.
    ExpiredToken,
    /// There is more, but no token.
    MissingToken,
    /// More records on a page than this are too many, for the rest of the sync.
    TooLarge(u16),
    /// The account does not have the feature, from the first request of the sync on.
    FeatureOff,
    Redirect,
}

/// How a sync ends in which a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// As if nothing had happened.
    None,
    /// It may fail, with this type.
    MayFail(FailureType),
    /// It succeeds without records.
    Skipped,
}

/// A burst of at least this many is an outage: it lasts until the sync has ended.
pub(crate) const OUTAGE: u32 = 1_000;

/// The connector gives up after so many bodies that are no answer.
const UNREADABLE: u32 = 3;

impl Fault {
    /// What a burst of `count` may do to a sync. The connector retries for five minutes, and for
    /// ten if it is told how long to wait.
    pub(crate) fn effect(self, count: u32) -> Effect {
        use FailureType::{Config, System, Transient};
        match self {
            Self::FeatureOff => Effect::Skipped,
            Self::Slow(_) | Self::TooLarge(_) => Effect::None,
            Self::Garbled(_) | Self::MissingToken if count < UNREADABLE => Effect::None,
            Self::Garbled(_) | Self::MissingToken | Self::RepeatedToken | Self::ExpiredToken => {
                Effect::MayFail(System)
            }
            Self::Redirect | Self::Failure(Failure::Denied) => Effect::MayFail(Config),
            Self::Failure(Failure::UntrustedCertificate) => Effect::MayFail(System),
            Self::Status(401 | 403, Form::Orb | Form::Echo, _) => Effect::MayFail(Config),
            Self::Status(400 | 418, ..) => Effect::MayFail(System),
            Self::Status(_, _, Wait::Seconds(seconds) | Wait::Date(seconds))
                if seconds * count.min(9) > 200 =>
            {
                Effect::MayFail(Transient)
            }
            Self::Status(..) | Self::Failure(_) | Self::Cut(_) if count >= OUTAGE => {
                Effect::MayFail(Transient)
            }
            Self::Status(..) | Self::Failure(_) | Self::Cut(_) => Effect::None,
        }
    }

    /// A fault and how often it happens in a row.
    pub(crate) fn roll(dice: &mut Dice) -> (Self, u32) {
        let few = u32::try_from(dice.between(1, 4)).unwrap_or(1);
        let wait = |dice: &mut Dice| match dice.below(6) {
            0 | 1 => Wait::Absent,
            2 => Wait::Seconds(1),
            3 => Wait::Seconds(u32::try_from(dice.between(2, 40)).unwrap_or(2)),
            4 => Wait::Date(u32::try_from(dice.between(1, 40)).unwrap_or(1)),
            _ => Wait::Nonsense,
        };
        let form = |dice: &mut Dice| *dice.pick(&[Form::Orb, Form::Html, Form::Empty, Form::Echo]);
        match dice.below(100) {
            0..20 => {
                let status = *dice.pick(&[500, 502, 503, 504, 520, 408, 409]);
                (Self::Status(status, form(dice), wait(dice)), few)
            }
            20..36 => (Self::Status(429, form(dice), wait(dice)), few),
            36..40 => (Self::Status(*dice.pick(&[401, 403]), Form::Html, Wait::Absent), few),
            40..56 => (Self::Failure(*dice.pick(&Failure::PASSING)), few),
            56..64 => (Self::Cut(u8::try_from(dice.below(100)).unwrap_or(0)), few),
            64..72 => {
                const ALL: [Garbled; 7] = [
                    Garbled::Html,
                    Garbled::Empty,
                    Garbled::Null,
                    Garbled::Object,
                    Garbled::Shortened,
                    Garbled::Bytes,
                    Garbled::TwoLists,
                ];
                (Self::Garbled(*dice.pick(&ALL)), few.min(UNREADABLE))
            }
            72..78 => (Self::Slow(u16::try_from(dice.between(1, 400)).unwrap_or(1)), 1),
            78..80 => (Self::RepeatedToken, 1),
            80..82 => (Self::ExpiredToken, 1),
            82..84 => (Self::MissingToken, few),
            84..88 => (Self::TooLarge(u16::try_from(dice.between(1, 50)).unwrap_or(1)), OUTAGE),
            88..89 => (Self::FeatureOff, OUTAGE),
            89..90 => (Self::Redirect, 1),
            90..91 => (Self::Failure(*dice.pick(&[Failure::UntrustedCertificate, Failure::Denied])), 1),
            91..93 => (Self::Status(*dice.pick(&[400, 401, 403, 418]), Form::Orb, Wait::Absent), 1),
            93..94 => (Self::Status(429, Form::Orb, Wait::Seconds(7_200)), 1),
            94..96 => (Self::Failure(Failure::TlsProtocol), few),
            96..98 => (Self::Status(503, form(dice), Wait::Absent), OUTAGE),
            _ => (Self::Failure(*dice.pick(&Failure::PASSING)), OUTAGE),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}
