//! Shows what `verify` has found.

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use elt_files::{Comparison, Report};
use elt_host::excerpt::few;

use crate::args::Findings;
use crate::terminal::visible;

/// Fields that the table names at most, of each stream.
const FIELDS: usize = 5;

/// The findings as they are printed, with a line break at the end.
pub(crate) fn findings(report: &Report, format: Findings) -> String {
    match format {
        Findings::Table => format!("{}\n", table(report)),
        Findings::Json => {
            let text = serde_json::json!({ "equal": report.is_equal(), "streams": report.streams });
            format!("{text}\n")
        }
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["stream", "source", "folder", "missing", "surplus", "different", "for instance"]);
    for stream in &report.streams {
        let counts = [
            stream.source,
            stream.folder,
            stream.missing.count,
            stream.surplus.count,
            stream.different.count,
        ];
        let mut row = vec![visible(&stream.stream)];
        row.extend(counts.iter().map(ToString::to_string));
        row.push(visible(&example(stream)));
        table.add_row(row);
    }
    for column in 1..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The key of one record of each kind, and the fields that differ.
fn example(stream: &Comparison) -> String {
    let mut parts = Vec::new();
    let kinds =
        [("missing", &stream.missing), ("surplus", &stream.surplus), ("different", &stream.different)];
    for (kind, found) in kinds {
        parts.extend(found.examples.first().map(|key| format!("{kind} {key}")));
    }
    if !stream.fields.is_empty() {
        parts.push(format!("in {}", few(stream.fields.keys(), FIELDS)));
    }
    parts.join(", ")
}
