//! Messages whose secrets are masked. Sinks accept nothing else.

use std::borrow::Cow;

use elt_host::redaction::{Redaction, SecretFound};

use crate::message::{Message, StreamDescriptor};

/// A message whose secrets are masked.
///
/// What the connector and its server said is masked, never the words of the protocol. Records are
/// for programs, so they are altered only where something can be nothing but a secret; see
/// [`redaction`](elt_host::redaction). Names and states are not altered at all.
#[derive(Clone, Debug)]
pub struct Redacted {
    message: Message,
    redaction: Redaction,
}

impl Redacted {
    /// Masks in `message` what `redaction` masks.
    ///
    /// # Errors
    ///
    /// [`SecretFound`] for a state, a name or a schema with a secret in it, which can be neither
    /// shown nor altered.
    pub fn new(mut message: Message, redaction: &Redaction) -> Result<Self, SecretFound> {
        mask(&mut message, redaction)?;
        Ok(Self { message, redaction: redaction.clone() })
    }

    /// The message, with its secrets masked.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Checks a JSON text that a sink made of the message, whole, before it is written: what the
    /// sink put together may be a secret where its parts are none. Such a secret is masked in what
    /// people read.
    ///
    /// # Errors
    ///
    /// [`SecretFound`] if it is in anything else.
    pub fn check<'t>(&self, json: &'t str) -> Result<Cow<'t, str>, SecretFound> {
        let masked = self.redaction.json(json);
        match self.message {
            Message::Log { .. } | Message::Error { .. } | Message::ConnectionStatus(_) => Ok(masked),
            _ if masked == json => Ok(masked),
            Message::State { .. } => Err(SecretFound::InState),
            _ => Err(SecretFound::InName),
        }
    }
}

fn mask(message: &mut Message, redaction: &Redaction) -> Result<(), SecretFound> {
    let prose = |text: &mut String| *text = redaction.message(text);
    let name = |StreamDescriptor { name, namespace }: &StreamDescriptor| {
        redaction.check_name(name)?;
        namespace.as_ref().map_or(Ok(()), |namespace| redaction.check_name(namespace))
    };
    match message {
        Message::Records { stream, records, .. } => {
            name(stream)?;
            for record in records {
                if let Some(masked) = redaction.record(record) {
                    *record = masked;
                }
            }
        }
        Message::State { stream, state, .. } => {
            name(stream)?;
            redaction.check_state(state)?;
        }
        Message::StreamStatus { stream, .. } | Message::Slices { stream, .. } => name(stream)?,
        Message::Log { message, .. } | Message::ConnectionStatus(Err(message)) => prose(message),
        Message::Error { error, stream, .. } => {
            *error = redaction.error(error);
            stream.as_deref().map_or(Ok(()), name)?;
        }
        Message::Catalog(streams) => redaction.check_streams(streams)?,
        // A sink checks the whole of it. The connector knew no secret when it was asked.
        Message::Spec(_) | Message::ConnectionStatus(Ok(())) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use elt_host::Error;
    use elt_host::types::JsonObject;

    use super::*;
    use crate::message::{StreamDescriptor, StreamStatus};

    const KEY: &str = "sk_live_0123456789";

    fn redacted(message: Message) -> Result<Message, SecretFound> {
        let redaction = Redaction::of_values(["type", "0000", KEY]);
        Redacted::new(message, &redaction).map(|redacted| redacted.message().clone())
    }

    #[test]
    fn what_the_connector_said_is_masked_and_the_words_of_the_protocol_are_not() {
        let message = Message::error(Error::system("type").with_internal("0000"));
        let Ok(Message::Error { error, .. }) = redacted(message) else { panic!("not an error") };
        assert_eq!((error.message(), error.internal_message()), ("****", Some("****")));
        let stream = std::sync::Arc::new(StreamDescriptor::new("type", None));
        let status = Message::StreamStatus { stream, status: StreamStatus::Started, emitted_at: 0 };
        let Ok(Message::StreamStatus { stream, .. }) = redacted(status) else { panic!("not a status") };
        assert_eq!(stream.name, "type");
    }

    #[test]
    fn a_state_with_a_secret_in_it_is_an_error() {
        let state = |text: &str| Message::State {
            stream: std::sync::Arc::new(StreamDescriptor::new("a", None)),
            state: JsonObject::parse(text).unwrap(),
            record_count: 0,
        };
        assert!(redacted(state(r#"{"type":"0000"}"#)).is_ok());
        assert!(redacted(state(&format!(r#"{{"a":"{KEY}"}}"#))).is_err());
    }

    #[test]
    fn a_name_with_a_secret_in_it_is_an_error_in_every_message() {
        let named = |name: &str, namespace: Option<&str>| {
            std::sync::Arc::new(StreamDescriptor::new(name, namespace.map(str::to_owned)))
        };
        for stream in [named(KEY, None), named("a", Some(KEY)), named("sk_live%5F0123456789", None)] {
            let (state, error) = (JsonObject::parse("{}").unwrap(), Error::system("type"));
            let (status, emitted_at, records) = (StreamStatus::Started, 0, vec![]);
            for message in [
                Message::Records { stream: stream.clone(), emitted_at, records },
                Message::State { stream: stream.clone(), state, record_count: 0 },
                Message::StreamStatus { stream: stream.clone(), status, emitted_at },
                Message::Slices { stream: stream.clone(), done: 0, total: None },
                Message::Error { error, stream: Some(stream), emitted_at },
            ] {
                assert!(matches!(redacted(message), Err(SecretFound::InName)));
            }
        }
    }

    #[test]
    fn what_a_sink_made_is_checked_once_more() {
        let redaction = Redaction::of_values(["type", KEY]);
        let line = format!(r#"{{"type":"x","a":"{KEY}"}}"#);
        let log = Message::Log { level: elt_host::events::Level::Info, message: "a".to_owned() };
        let log = Redacted::new(log, &redaction).unwrap();
        assert_eq!(log.check(&line).unwrap(), r#"{"type":"x","a":"****"}"#);
        let catalog = Redacted::new(Message::Catalog(vec![]), &redaction).unwrap();
        assert_eq!(catalog.check(&line), Err(SecretFound::InName));
        assert_eq!(catalog.check(r#"{"type":"x"}"#).unwrap(), r#"{"type":"x"}"#);
    }
}
