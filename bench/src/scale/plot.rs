//! Draws the plot of docs/scale.md: an SVG with four log-log panels.

use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::combinators::IntoLogRange as _;
use plotters::prelude::*;

use super::{Kind, Row, STREAMS};
use crate::Result;

/// The size in pixels, although SVG scales.
const SIZE: (u32, u32) = (1_000, 720);
/// One colour per stream, from a palette for colour-blind readers (Okabe and Ito).
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];

/// One panel.
struct Panel {
    title: &'static str,
    value: fn(&Row) -> f64,
}

const PANELS: [Panel; 4] = [
    Panel { title: "wall time, s", value: |row| row.sample.wall() },
    Panel { title: "processor time, s", value: |row| row.sample.processor() },
    Panel { title: "peak memory, MB", value: |row| row.sample.memory() },
    Panel { title: "largest state, bytes", value: |row| row.sample.messages.state_bytes as f64 },
];

/// Plots the reads from the beginning against the size of the account.
///
/// # Errors
///
/// If the file cannot be written.
pub(super) fn draw<'a>(file: &Path, rows: impl Iterator<Item = &'a Row>) -> Result<()> {
    let has_colour = |row: &&Row| STREAMS.iter().zip(COLOURS).any(|((stream, ..), _)| *stream == row.stream);
    let rows: Vec<&Row> = rows.filter(|row| row.kind == Kind::First).filter(has_colour).collect();
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    for (panel, area) in PANELS.iter().zip(area.split_evenly((2, 2))) {
        draw_panel(panel, &area, &rows)?;
    }
    area.present()?;
    Ok(())
}

fn draw_panel(panel: &Panel, area: &DrawingArea<SVGBackend<'_>, Shift>, rows: &[&Row]) -> Result<()> {
    let sizes = rows.iter().map(|row| row.customers as f64);
    let values = rows.iter().map(|row| (panel.value)(row));
    let bounds = |values: &mut dyn Iterator<Item = f64>| {
        let (least, most) =
            values.fold((f64::MAX, f64::MIN), |(least, most), it| (least.min(it), most.max(it)));
        // Whole powers of ten, so that panels are comparable.
        10_f64.powf(least.log10().floor())..10_f64.powf(most.log10().ceil())
    };
    let (x, y) = (bounds(&mut sizes.into_iter()), bounds(&mut values.into_iter()));
    let mut chart = ChartBuilder::on(area)
        .caption(panel.title, ("sans-serif", 18))
        .margin(12)
        .margin_right(36)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(x.log_scale(), y.log_scale())?;
    let label = |value: &f64| value.to_string();
    chart
        .configure_mesh()
        .x_desc("customers")
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .light_line_style(WHITE)
        .draw()?;
    for ((stream, ..), colour) in STREAMS.iter().zip(COLOURS) {
        let points: Vec<(f64, f64)> = rows
            .iter()
            .filter(|row| row.stream == *stream)
            .map(|row| (row.customers as f64, (panel.value)(row)))
            .collect();
        let line = LineSeries::new(points, colour.stroke_width(2)).point_size(4);
        let key = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2));
        chart.draw_series(line)?.label(*stream).legend(key);
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    Ok(())
}
