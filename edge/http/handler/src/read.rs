//! Reads a stream into the body of a response, line by line: `{"record": …}` for each record,
//! `{"state": …}` where one is due, after the records that it covers, and at the end
//! `{"complete": true}`, `{"complete": false}` if a budget ended the read, or `{"error": …}`. A
//! response without one of these at its end was cut off.

use serde_json::json;
use wasi::http::types::ResponseOutparam;

use crate::answer::{self, Answer, Response};
use crate::bindings::elt::connector::source;
use crate::bindings::elt::connector::types::{Batch, ConfiguredStream};
use crate::budget::Usage;
use crate::question::Question;

pub(crate) fn read(question: &Question, out: ResponseOutparam) {
    let Some(name) = question.stream.clone() else {
        return Answer::problem(400, "`stream` is missing").send(out);
    };
    let stream = ConfiguredStream { name, sync_mode: question.sync_mode };
    let reader = match source::read(&question.config, &stream, question.state.as_deref()) {
        Ok(reader) => reader,
        Err(error) => return answer::failed(&error).send(out),
    };
    let Some(mut response) = Response::begin(200, &[("content-type", "application/jsonl")], out) else {
        return;
    };
    let (mut usage, mut stops) = (Usage::begin(), false);
    loop {
        let (text, is_last) = match reader.next_batch() {
            Ok(Some(batch)) => {
                let text = lines(&batch);
                usage.add(batch.records.len(), text.len());
                (text, false)
            }
            Ok(None) => (format!("{}\n", json!({ "complete": reader.is_complete() })), true),
            Err(error) => (format!("{}\n", json!({ "error": answer::described(&error) })), true),
        };
        // Nobody reads the response any more. Dropping the reader cancels the read.
        if !response.write(text.as_bytes()) {
            return;
        }
        if is_last {
            return response.finish();
        }
        if !stops && usage.exceeds(&question.budget) {
            stops = true;
            reader.stop();
        }
    }
}

/// The lines of a batch. Records and states are carried byte for byte.
fn lines(batch: &Batch) -> String {
    let mut text = String::with_capacity(batch.records.iter().map(|record| record.len() + 13).sum());
    let mut push = |name: &str, json: &str| {
        for part in ["{\"", name, "\":", json, "}\n"] {
            text.push_str(part);
        }
    };
    batch.records.iter().for_each(|record| push("record", record));
    batch.checkpoint.iter().for_each(|checkpoint| push("state", checkpoint));
    text
}
