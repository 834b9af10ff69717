//! `discover`: a config comes in, the streams that can be read with it go out.

use std::path::Path;

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use host::{Config, Message, Sender, Result, Stream};

use super::connector::{configure, load};
use super::outcome::Stop;
use crate::args::{ComponentSource, Sandbox};

/// Tells which streams there are.
pub(crate) async fn discover(
    component: &ComponentSource,
    sandbox: &Sandbox,
    config: &Path,
    sender: &Sender,
) -> Result<(), Stop> {
    Ok(sender.send(Message::Catalog(streams(component, sandbox, config, sender).await?)).await?)
}

/// The streams as a table for a person, which ends with a line break.
///
/// # Errors
///
/// Those of the connector and of its config.
pub(crate) async fn table(
    component: &ComponentSource,
    sandbox: &Sandbox,
    config: &Path,
    sender: &Sender,
) -> Result<String> {
    let streams = streams(component, sandbox, config, sender).await?;
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["stream", "sync modes", "primary key", "cursor field", "fields"]);
    for stream in &streams {
        let key: Vec<_> = stream.primary_key.iter().map(|path| path.join(".")).collect();
        let modes: Vec<_> = stream.supported_sync_modes.iter().map(ToString::to_string).collect();
        let cursor = stream.cursor_field.join(".");
        let row = [stream.name.clone(), modes.join(", "), key.join(", "), cursor, fields(stream).to_string()];
        table.add_row(row.map(|cell| visible(&cell)));
    }
    if let Some(column) = table.column_mut(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    Ok(format!("{table}\n"))
}

async fn streams(
    component: &ComponentSource,
    sandbox: &Sandbox,
    config: &Path,
    sender: &Sender,
) -> Result<Vec<Stream>> {
    let config = Config::load(config)?;
    let connector = load(component, sandbox, sender)?;
    let source = configure(sandbox, &connector, &connector.spec().await?, &config, sender).await?;
    source.discover().await
}

/// How many fields a record has by its schema, not counting those within others.
fn fields(stream: &Stream) -> usize {
    let schema: serde_json::Value = serde_json::from_str(stream.json_schema.as_str()).unwrap_or_default();
    schema["properties"].as_object().map_or(0, serde_json::Map::len)
}

/// What a connector says must not move the terminal's cursor.
pub(crate) fn visible(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}
