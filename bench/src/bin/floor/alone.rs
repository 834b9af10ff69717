//! Runs the connector as native code, without the host: writes Airbyte's lines, unchecked.

use std::time::{SystemTime, UNIX_EPOCH};

use elt_sdk::reader::Batch;

use crate::Read;
use crate::native::{Connector, describe};
use crate::output::Output;

/// Reads a stream from the beginning.
pub(crate) fn read(wanted: &Read) -> Result<(), String> {
    let mut connector = Connector::open(wanted)?;
    let stream = wanted.stream.clone();
    let output = Output::start(move |out, batch| write(out, &stream, &batch));
    let Connector { runtime, reader, .. } = &mut connector;
    runtime.block_on(async {
        while let Some(batch) = reader.next_batch().await.map_err(describe)? {
            output.send(batch)?;
        }
        Ok::<_, String>(())
    })?;
    connector.write_urls(wanted)?;
    output.finish()
}

/// Wraps records in their envelope, as the host does.
fn write(out: &mut Vec<u8>, stream: &str, batch: &Batch) {
    let emitted_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let head =
        format!(r#"{{"type":"RECORD","record":{{"stream":"{stream}","emitted_at":{emitted_at},"data":"#);
    for record in &batch.records {
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(record.as_bytes());
        out.extend_from_slice(b"}}\n");
    }
    if let Some(checkpoint) = &batch.checkpoint {
        let head = format!(
            r#"{{"type":"STATE","state":{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"{stream}"}},"stream_state":"#
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(checkpoint.as_bytes());
        out.extend_from_slice(b"}}}\n");
    }
}
