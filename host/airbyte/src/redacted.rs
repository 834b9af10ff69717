//! Messages whose secrets are masked. Sinks accept nothing else.

use elt_host::redaction::{Redaction, SecretInState};

use crate::message::Message;

/// A message whose secrets are masked.
///
/// What the connector and its server said is masked, never the words of the protocol. Records and
/// schemas are for programs, so they are altered only where something can be nothing but a secret;
/// see [`redaction`](elt_host::redaction).
#[derive(Clone, Debug)]
pub struct Redacted(Message);

impl Redacted {
    /// Masks in `message` what `redaction` masks.
    ///
    /// # Errors
    ///
    /// [`SecretInState`] for a state with a secret in it, which can be neither shown nor altered.
    pub fn new(mut message: Message, redaction: &Redaction) -> Result<Self, SecretInState> {
        mask(&mut message, redaction)?;
        Ok(Self(message))
    }

    /// The message, with its secrets masked.
    pub fn message(&self) -> &Message {
        &self.0
    }
}

fn mask(message: &mut Message, redaction: &Redaction) -> Result<(), SecretInState> {
    let prose = |text: &mut String| *text = redaction.message(text);
    let name = |text: &mut String| *text = redaction.name(text).into_owned();
    match message {
        Message::Records { records, .. } => {
            for record in records {
                if let Some(masked) = redaction.record(record) {
                    *record = masked;
                }
            }
        }
        Message::State { state, .. } => redaction.check_state(state)?,
        Message::Log { message, .. } | Message::ConnectionStatus(Err(message)) => prose(message),
        Message::Error { error, .. } => *error = redaction.error(error),
        Message::Spec(specification) => {
            if let Some(masked) = redaction.object(&specification.config_schema) {
                specification.config_schema = masked;
            }
            specification.documentation_url.iter_mut().for_each(name);
        }
        Message::Catalog(streams) => {
            for stream in streams {
                if let Some(masked) = redaction.object(&stream.json_schema) {
                    stream.json_schema = masked;
                }
                let keys = stream.primary_key.iter_mut().flatten();
                keys.chain(&mut stream.cursor_field).chain([&mut stream.name]).for_each(name);
            }
        }
        Message::ConnectionStatus(Ok(())) | Message::StreamStatus { .. } | Message::Slices { .. } => {}
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

    fn redacted(message: Message) -> Result<Message, SecretInState> {
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
}
