//! The connector as native code: a config and a stream in, Airbyte's lines out.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use orb::orb::source::Orb;
use orb::sdk::error::Error;
use orb::sdk::platform::Platform;
use orb::sdk::reader::{Batch, Reader};
use orb::sdk::source::Source as _;
use tokio::runtime::Runtime;

use crate::client::client;
use crate::output::Output;
use crate::transport::Outside;

/// Reads a stream from its beginning, and writes down what was asked for if that is wanted.
pub(crate) fn read(config: &Path, stream: &str, urls: Option<&Path>) -> Result<(), String> {
    let config = std::fs::read_to_string(config).map_err(|error| format!("{}: {error}", config.display()))?;
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    let asked = urls.map(|_| RefCell::default());
    let outside = Rc::new(Outside { client: client()?, runtime: runtime.handle().clone(), asked });
    let world = Rc::clone(&outside);
    let platform = Platform {
        transport: outside.clone(),
        clock: outside.clone(),
        log: outside.clone(),
        progress: outside,
    };
    let mut reader = Orb::new(platform).read(&config, stream, None).map_err(describe)?;
    let stream = stream.to_owned();
    let output = Output::start(move |out, batch| write(out, &stream, &batch));
    runtime.block_on(pass_on(&mut reader, &output))?;
    if let (Some(file), Some(asked)) = (urls, &world.asked) {
        std::fs::write(file, asked.borrow().join("\n"))
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    output.finish()
}

async fn pass_on(reader: &mut Reader, output: &Output<Batch>) -> Result<(), String> {
    while let Some(batch) = reader.next_batch().await.map_err(describe)? {
        output.send(batch)?;
    }
    Ok(())
}

/// Splices records into their envelope, as the host does.
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

fn describe(error: Error) -> String {
    let Error { message, internal_message, .. } = error;
    format!("{message} ({})", internal_message.unwrap_or_default())
}
