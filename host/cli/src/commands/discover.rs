//! `discover`: emits the streams that can be read with a config, or shows them as a table.

use std::path::Path;

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use elt_airbyte::Message;
use elt_host::Result;
use elt_host::excerpt::few;
use elt_host::types::Stream;

use super::inspect::KEY_FIELDS;
use super::invocation::Invocation;
use super::outcome::Stop;
use crate::terminal::visible;

/// Bytes of a cell of the table.
const CELL: usize = 300;

pub(crate) async fn discover(invocation: Invocation<'_>, config: &Path) -> Result<(), Stop> {
    let streams = invocation.open(config).await?.discover().await?;
    Ok(invocation.sender.send(Message::Catalog(streams)).await?)
}

/// The streams as a table for a person, which ends with a line break.
///
/// # Errors
///
/// Those of the connector and of its config.
pub(crate) async fn table(invocation: Invocation<'_>, config: &Path) -> Result<String> {
    let streams = invocation.open(config).await?.discover().await?;
    let redaction = invocation.sender.redaction();
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["stream", "group", "sync modes", "primary key", "cursor field", "fields", "requests"]);
    for stream in &streams {
        let key = few(stream.primary_key.iter().map(|path| path.join(".")), KEY_FIELDS);
        let modes: Vec<_> = stream.supported_sync_modes.iter().map(ToString::to_string).collect();
        let cursor = stream.cursor_field.join(".");
        let group = stream.group.clone().unwrap_or_default();
        let requests = stream.requests.clone().unwrap_or_default();
        let count = fields(stream).to_string();
        let row = [stream.name.clone(), group, modes.join(", "), key, cursor, count, requests];
        table.add_row(row.map(|cell| visible(&redaction.excerpt(&cell, CELL))));
    }
    if let Some(column) = table.column_mut(5) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    Ok(redaction.text(&format!("{table}\n")).into_owned())
}

/// The number of top-level fields of a record, by its schema.
fn fields(stream: &Stream) -> usize {
    let schema: serde_json::Value = serde_json::from_str(stream.json_schema.as_str()).unwrap_or_default();
    schema["properties"].as_object().map_or(0, serde_json::Map::len)
}
