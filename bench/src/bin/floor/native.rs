//! Runs the connector as native code within the host's checks and writer.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use elt_airbyte::{Advice, AirbyteLines, Message, OutputClosed, Sender, StreamDescriptor, Writer, channel};
use elt_host::events::Level;
use elt_host::types::{JsonObject, Record};
use elt_sdk::connector;
use elt_sdk::error::Error;
use elt_sdk::platform::Platform;
use elt_sdk::reader::{Batch, Reader};
use orb::config::Config;
use orb::source::Orb;
use tokio::runtime::{Builder, Runtime};

use crate::Read;
use crate::client::client;
use crate::transport::Outside;

/// A read in progress.
pub(crate) struct Connector {
    /// As in the host, one thread drives requests while another runs the connector.
    pub(crate) runtime: Runtime,
    pub(crate) reader: Reader<Config>,
    outside: Rc<Outside>,
}

impl Connector {
    /// Starts a read of a stream from the beginning.
    pub(crate) fn open(wanted: &Read) -> Result<Self, String> {
        let config = std::fs::read_to_string(&wanted.config)
            .map_err(|error| format!("{}: {error}", wanted.config.display()))?;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let asked = wanted.urls.as_ref().map(|_| RefCell::default());
        let outside = Rc::new(Outside { client: client()?, runtime: runtime.handle().clone(), asked });
        let platform = Platform {
            transport: outside.clone(),
            clock: outside.clone(),
            log: outside.clone(),
            progress: outside.clone(),
        };
        let source = connector::Connector::<Orb>::new(platform, Rc::default());
        let reader = source.read(&config, &wanted.stream, None).map_err(describe)?;
        Ok(Self { runtime, reader, outside })
    }

    /// Writes the requested URLs to the file, if one was given.
    pub(crate) fn write_urls(&self, wanted: &Read) -> Result<(), String> {
        let (Some(file), Some(asked)) = (&wanted.urls, &self.outside.asked) else { return Ok(()) };
        let urls = asked.borrow().join("\n");
        std::fs::write(file, urls).map_err(|error| format!("{}: {error}", file.display()))
    }
}

/// Reads a stream from the beginning.
pub(crate) fn read(wanted: &Read) -> Result<(), String> {
    let mut connector = Connector::open(wanted)?;
    let (sender, receiver) = channel(Level::Info, Advice::default());
    let writer =
        connector.runtime.spawn_blocking(|| Writer::new(receiver, AirbyteLines::new(io::stdout())).drain());
    let stream = Arc::new(StreamDescriptor::new(wanted.stream.clone(), None));
    let Connector { runtime, reader, .. } = &mut connector;
    runtime.block_on(async {
        while let Some(batch) = reader.next_batch().await.map_err(describe)? {
            pass_on(batch, &stream, &sender).await?;
        }
        Ok::<_, String>(())
    })?;
    connector.write_urls(wanted)?;
    drop(sender);
    let written = connector.runtime.block_on(writer).map_err(|error| error.to_string())?;
    written.map_err(|error| error.to_string())
}

/// Checks and writes a batch.
async fn pass_on(batch: Batch, stream: &Arc<StreamDescriptor>, sender: &Sender) -> Result<(), String> {
    let records = batch.records.into_iter().map(Record::parse).collect::<Result<Vec<_>, _>>();
    let records = records.map_err(|problem| format!("a record {problem}"))?;
    let record_count = records.len() as u64;
    let emitted_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let emitted_at = i64::try_from(emitted_at).unwrap_or(i64::MAX);
    let closed = |_: OutputClosed| "the output is closed".to_owned();
    sender.send(Message::Records { stream: stream.clone(), emitted_at, records }).await.map_err(closed)?;
    let Some(checkpoint) = batch.checkpoint else { return Ok(()) };
    let state = JsonObject::parse(&checkpoint).map_err(|problem| format!("a checkpoint {problem}"))?;
    sender.send(Message::State { stream: stream.clone(), state, record_count }).await.map_err(closed)
}

pub(crate) fn describe(error: Error) -> String {
    let Error { message, internal_message, .. } = error;
    format!("{message} ({})", internal_message.unwrap_or_default())
}
