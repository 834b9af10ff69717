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
    let prose = |text: &mut String| *text = redaction.text(text).into_owned();
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
