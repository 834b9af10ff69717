//! Classifies Orb's responses by status and error type. Errors have the form of RFC 7807.

use std::borrow::Cow;

use elt_sdk::{
    error::{Error, FailureType},
    http::Response,
    server::Verdict,
};
use json_text::{Fields, Json};

use crate::config::Config;

/// How many characters of Orb's explanation a message repeats.
const MAX_EXPLANATION: usize = 500;

/// How many characters of the target of a redirect a message repeats.
const MAX_TARGET: usize = 200;

/// The `type` of each of Orb's errors contains one of these. Orb's reference calls it the stable
/// identifier of an error, and Orb's own client distinguishes errors by it.
const OWN_TYPES: [&str; 2] = ["error-responses#", "withorb.com/"];

/// What a kind of response means. See [`Verdict`].
enum Meaning {
    Retry,
    RateLimited,
    Fail(FailureType),
    Refused(FailureType),
    TooLarge,
    Absent,
    Unavailable,
    UnknownPath,
}

/// Replaces the type of an error that is not Orb's.
const FOREIGN: &str = "foreign";

const NOT_ORB: &str = "something else answered instead of Orb, perhaps a firewall or a proxy";

/// The message for 301, 302, 303, 307 and 308. The API key goes to `api_url` alone, so none of them
/// is followed.
const REDIRECT: &str = "the address is redirected, which is not followed; set api_url to where Orb's API is, or let \
    what stands in between pass the request";

/// A row of the table of errors: the status, the end of the error's `type` (any if empty), its
/// meaning and the message. The first matching row counts. From Orb's API reference, "Error
/// responses".
type ErrorRow = (u16, &'static str, Meaning, &'static str);

static ERRORS: &[ErrorRow] = &[
    (400, "404-feature-not-available", Meaning::Unavailable, "this account does not have the feature"),
    (404, "404-feature-not-available", Meaning::Unavailable, "this account does not have the feature"),
    (404, "404-url-not-found", Meaning::UnknownPath, "the address does not exist; check api_url"),
    (404, FOREIGN, Meaning::UnknownPath, "Orb's API is not at this address; check api_url"),
    (404, "", Meaning::Absent, "not found"),
    (410, FOREIGN, Meaning::Refused(FailureType::Config), "Orb's API is not at this address; check api_url"),
    (410, "", Meaning::Absent, "gone"),
    (400, "", Meaning::Refused(FailureType::System), "Orb refused the request"),
    // A response of a firewall or gateway says nothing about the key, and the next request often
    // passes.
    (401, FOREIGN, Meaning::Retry, NOT_ORB),
    (403, FOREIGN, Meaning::Retry, NOT_ORB),
    (401, "", Meaning::Fail(FailureType::Config), "Orb does not accept the API key; check api_key"),
    (
        403,
        "",
        Meaning::Refused(FailureType::Config),
        "the API key is not allowed to read this; check its permissions in Orb",
    ),
    (407, "", Meaning::Fail(FailureType::Config), "a proxy requires a user name and a password"),
    (408, "", Meaning::Retry, "Orb timed out waiting for the request"),
    (409, "", Meaning::Retry, "Orb reports a conflict with another request"),
    // There are three types: the request, the resource or the results are too large.
    (413, "", Meaning::TooLarge, "Orb reports that the request or its results are too large"),
    (429, "", Meaning::RateLimited, "Orb's rate limit is exceeded"),
];

/// Returns what a response means.
pub fn judge(config: &Config, response: &Response) -> Verdict {
    let status = response.status;
    if (200..300).contains(&status) {
        return Verdict::Complete;
    }
    let body = String::from_utf8_lossy(&response.body);
    let explanation = Explanation::decode(&body);
    let own = explanation.kind.as_deref().filter(|kind| OWN_TYPES.iter().any(|own| kind.contains(own)));
    let kind = own.unwrap_or(FOREIGN);
    let row = ERRORS.iter().find(|(code, end, ..)| *code == status && kind.ends_with(end));
    let (meaning, sentence) = match row {
        Some((_, _, meaning, sentence)) => (meaning, *sentence),
        None if status >= 500 => (&Meaning::Retry, "Orb failed to answer"),
        None if (300..400).contains(&status) => (&Meaning::Fail(FailureType::Config), REDIRECT),
        None if status >= 400 => {
            (&Meaning::Refused(FailureType::System), "Orb answered with an unexpected status")
        }
        None => (&Meaning::Fail(FailureType::System), "Orb answered with an unexpected status"),
    };
    let text = explanation.text(config);
    let colon = if text.is_empty() { "" } else { ": " };
    let target = redirect_target(config, response).filter(|_| sentence == REDIRECT);
    let target = target.map(|target| format!(", to {target}")).unwrap_or_default();
    let message = format!("{sentence} (status {status}{target}){colon}{text}");
    let with_excerpt = |error: Error| match own {
        Some(_) => error,
        None => error.internal(response.excerpt(|text| config.api_key.redact(text))),
    };
    let error = |failure_type| with_excerpt(Error::new(failure_type, message.clone()));
    match meaning {
        Meaning::Retry => Verdict::Retry(error(FailureType::Transient)),
        Meaning::RateLimited => Verdict::RateLimited(error(FailureType::Transient)),
        Meaning::Fail(failure_type) => Verdict::Fail(error(*failure_type)),
        Meaning::Refused(failure_type) => Verdict::Refused(error(*failure_type)),
        Meaning::TooLarge => Verdict::TooLarge(error(FailureType::System)),
        Meaning::UnknownPath => Verdict::UnknownPath(error(FailureType::Config)),
        Meaning::Absent => Verdict::Absent(message),
        Meaning::Unavailable => Verdict::Unavailable(message),
    }
}

/// Returns the target of a redirect without parts that may be secret: credentials, the query and
/// the API key.
fn redirect_target(config: &Config, response: &Response) -> Option<String> {
    let location = config.api_key.redact(response.header("location")?.trim());
    let without_query = location.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = without_query.split_once("//").unwrap_or(("", without_query));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // Credentials are the part before the last @ of an authority.
    let host = authority.rsplit('@').next().unwrap_or_default();
    let slashes = if rest.len() < without_query.len() { "//" } else { "" };
    let target = format!("{scheme}{slashes}{host}{path}");
    let shown: String = target.chars().filter(|shown| !shown.is_control()).take(MAX_TARGET).collect();
    Some(shown).filter(|shown| !shown.is_empty())
}

/// The body of an error. Empty if it is not Orb's.
#[derive(Default)]
struct Explanation<'a> {
    kind: Option<Cow<'a, str>>,
    title: Option<Cow<'a, str>>,
    detail: Option<Cow<'a, str>>,
    validation_errors: Vec<Cow<'a, str>>,
}

impl<'a> Explanation<'a> {
    fn decode(body: &'a str) -> Self {
        let Ok(fields) = Fields::decode(body) else { return Self::default() };
        // Values other than strings are shown as they are, unless they contain escapes, which could
        // hide the API key.
        let as_is = |error: Json<'a>| Some(error.get()).filter(|json| !json.contains('\\')).map(Cow::from);
        let validation_errors = fields.list("validation_errors").into_iter();
        Self {
            kind: fields.text("type"),
            title: fields.text("title"),
            detail: fields.text("detail"),
            validation_errors: validation_errors
                .filter_map(|error| error.text().or_else(|| as_is(error)))
                .collect(),
        }
    }

    /// Returns Orb's explanation, without the API key.
    fn text(&self, config: &Config) -> String {
        let texts = [&self.title, &self.detail].into_iter().flatten().chain(&self.validation_errors);
        let texts: Vec<&str> = texts.map(|text| &**text).collect();
        // Redact before truncating: the start of a key is secret too.
        config.api_key.redact(&texts.join(": ")).chars().take(MAX_EXPLANATION).collect()
    }
}

#[cfg(test)]
mod tests;
