//! Emits what its config says: streams of any schema, with the texts of their records in batches.
//! The state counts the batches.

use std::cell::Cell;

use guests::exports::elt::connector::source::{Guest, GuestReader, Reader};
use guests::{Batch, ConfiguredStream, Error, Next, Specification, Stream, Value, error, text};

struct Script;

guests::export!(Script);

impl Guest for Script {
    type Reader = Batches;

    fn spec() -> Specification {
        guests::specification()
    }

    fn check(_: String) -> Result<(), Error> {
        Ok(())
    }

    fn discover(config: String) -> Result<Vec<Stream>, Error> {
        let path = |field: &Value| vec![field.as_str().unwrap_or_default().to_owned()];
        let stream = |stream: &Value| Stream {
            json_schema: stream["schema"].to_string(),
            primary_key: stream["key"].as_array().into_iter().flatten().map(path).collect(),
            cursor_field: stream["cursor"].as_str().map(str::to_owned).into_iter().collect(),
            ..guests::stream(text(stream, "name"))
        };
        Ok(streams(&config).iter().map(stream).collect())
    }

    fn read(config: String, stream: ConfiguredStream, state: Option<String>) -> Result<Reader, Error> {
        let streams = streams(&config);
        let batches = streams.iter().find(|known| text(known, "name") == stream.name);
        let batches = batches.map(|stream| stream["batches"].clone()).unwrap_or_default();
        let state: Value = state.and_then(|state| parsed(&state)).unwrap_or_default();
        let next = state["batches"].as_u64().unwrap_or_default();
        Ok(Reader::new(Batches { batches, next: Cell::new(next as usize), is_stopped: Cell::new(false) }))
    }
}

/// A read of one stream.
struct Batches {
    batches: Value,
    next: Cell<usize>,
    is_stopped: Cell<bool>,
}

impl GuestReader for Batches {
    /// A batch is a list of records, or the text of a failure.
    fn next_batch(&self) -> Next {
        if self.is_stopped.get() {
            return Ok(None);
        }
        let next = self.next.replace(self.next.get() + 1);
        match &self.batches[next] {
            Value::Array(records) => Ok(Some(Batch {
                records: records.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                checkpoint: Some(format!(r#"{{"batches":{}}}"#, next + 1)),
            })),
            Value::String(failure) => Err(error(failure.clone())),
            _ => Ok(None),
        }
    }

    fn stop(&self) {
        self.is_stopped.set(true);
    }

    fn is_complete(&self) -> bool {
        self.batches.as_array().is_none_or(|batches| self.next.get() > batches.len())
    }
}

fn streams(config: &str) -> Vec<Value> {
    let config: Value = parsed(config).unwrap_or_default();
    config["streams"].as_array().cloned().unwrap_or_default()
}

fn parsed(text: &str) -> Option<Value> {
    text.parse().ok()
}
