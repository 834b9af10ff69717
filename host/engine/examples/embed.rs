//! Reads one stream of a connector and writes its records, one a line:
//! `embed orb.wasm config.json customers`.

use std::io::{self, Write};
use std::path::Path;

use elt_host::types::SyncMode;
use elt_host::{Config, Engine, Error, Result};

/// Reads `stream`, and returns the last checkpoint: where the next read goes on.
pub(crate) async fn read(
    component: &Path,
    config: &str,
    stream: &str,
    out: &mut impl Write,
) -> Result<Option<String>> {
    let connector = Engine::new()?.load(component).await?;
    let session = connector.configure(Config::parse(config)?).open().await?;
    let mut reader = session.read(stream, SyncMode::Incremental, None).await?;
    let mut checkpoint = None;
    while let Some(batch) = reader.next_batch().await? {
        for record in batch.records {
            let record = session.redaction().record(&record).unwrap_or(record);
            writeln!(out, "{}", record.as_str()).map_err(|error| Error::system(error.to_string()))?;
        }
        checkpoint = batch.checkpoint.or(checkpoint);
    }
    Ok(checkpoint.map(|state| state.as_str().to_owned()))
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, config, stream] = &arguments[..] else {
        return Err(Error::config("usage: embed COMPONENT CONFIG STREAM"));
    };
    let config = std::fs::read_to_string(config).map_err(|error| Error::config(error.to_string()))?;
    read(Path::new(component), &config, stream, &mut io::stdout()).await.map(drop)
}
