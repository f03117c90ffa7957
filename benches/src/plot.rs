//! Tables as pictures.

use crate::Table;
use plotters::prelude::{
    ChartBuilder, Circle, IntoDrawingArea, IntoLogRange, LineSeries, PathElement, RGBColor, SVGBackend, Text,
};
use plotters::style::{BLACK, Color, WHITE};
use std::collections::BTreeMap;

const SIZE: (u32, u32) = (940, 500);
/// Of it, the width of the operations' names.
const NAMES: u32 = 240;
const FONT: &str = "sans-serif";
/// Of the operations, in alphabetical order; they differ without their hue too.
const COLOURS: [RGBColor; 10] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
    RGBColor(120, 94, 240),
    RGBColor(150, 150, 150),
    RGBColor(120, 60, 20),
];

/// File names and what is in them: the plots of a table, if it has any. Each operation is a line; both axes are logarithmic.
#[must_use]
pub fn plot(table: &Table) -> Vec<(String, String)> {
    let wanted: &[(&str, &str, &str, &str)] = match table.name {
        "parties" => &[
            ("cpu", "parties", "kP of one", "CPU time of one party, in k*P"),
            ("bytes", "parties", "bytes of one", "bytes that one party sends"),
            ("heap", "parties", "heap of one", "bytes of the heap of one party, at most"),
        ],
        "batch" => &[("cpu", "batch", "kP of one", "CPU time of one party for each item or key, in k*P")],
        "sessions" => &[("latency", "at once", "signature ms p99", "ms to a signature, 99 of 100")],
        _ => &[],
    };
    let draw = |(file, x, y, title): &(&str, &str, &str, &str)| {
        let lines = lines(table, x, y);
        (format!("{}-{file}.svg", table.name), drawn(title, x, &lines).expect("a string takes what is drawn"))
    };
    wanted.iter().map(draw).collect()
}

/// The points of each operation.
fn lines(table: &Table, x: &str, y: &str) -> BTreeMap<String, Vec<(f64, f64)>> {
    let column = |name| table.columns.iter().position(|column| *column == name).expect("a column of the table");
    let (x, y) = (column(x), column(y));
    let mut lines = BTreeMap::<String, Vec<_>>::new();
    for row in &table.rows {
        let point = (row[x].as_f64().unwrap_or_default(), row[y].as_f64().unwrap_or_default());
        lines.entry(row[0].as_str().unwrap_or_default().into()).or_default().push(point);
    }
    lines
}

fn drawn(
    title: &str,
    x_label: &str,
    lines: &BTreeMap<String, Vec<(f64, f64)>>,
) -> Result<String, Box<dyn std::error::Error>> {
    let range = |of: fn(&(f64, f64)) -> f64| {
        let values = lines.values().flatten().map(of);
        values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), value| (low.min(value), high.max(value)))
    };
    let ((left, right), (low, high)) = (range(|point| point.0), range(|point| point.1));
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (left_side, names) = root.split_horizontally(SIZE.0 - NAMES);
        let mut chart = ChartBuilder::on(&left_side)
            .caption(title, (FONT, 18))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d((left..right * 1.05).log_scale(), (low * 0.8..high * 1.3).log_scale())?;
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(x_label).label_style((FONT, 13)).axis_desc_style((FONT, 14));
        mesh.x_label_formatter(&|x| format!("{x}")).y_label_formatter(&|y| format!("{y}"));
        mesh.light_line_style(BLACK.mix(0.06)).draw()?;
        for (i, ((name, points), colour)) in (0..).zip(lines.iter().zip(COLOURS)) {
            chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?;
            chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
            let y = 60 + 24 * i;
            names.draw(&PathElement::new([(4, y), (28, y)], colour.stroke_width(3)))?;
            names.draw(&Text::new(name.as_str(), (36, y - 7), (FONT, 14)))?;
        }
        root.present()?;
    }
    Ok(svg)
}
