//! Pictures of the page, as SVG.

use std::path::PathBuf;

use plotters::prelude::*;

const SIZE: (u32, u32) = (760, 360);

/// Colours of lines and bars: ours first, then what it is compared with.
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 94, 184), RGBColor(213, 94, 0), RGBColor(0, 138, 100), RGBColor(140, 80, 160)];

/// Axis of a plot, linear or logarithmic.
pub(super) struct PlotAxis {
    pub(super) text: &'static str,
    pub(super) ends: (f64, f64),
    pub(super) decades: bool,
}

impl PlotAxis {
    pub(super) const fn even(text: &'static str, low: f64, high: f64) -> Self {
        Self { text, ends: (low, high), decades: false }
    }

    pub(super) const fn hertz(low: f64, high: f64) -> Self {
        Self { text: "Hz", ends: (low, high), decades: true }
    }

    /// Position of a value along the axis.
    fn place(&self, value: f64) -> f64 {
        if self.decades { value.log10() } else { value }
    }

    fn value(&self, place: f64) -> f64 {
        if self.decades { 10f64.powf(place) } else { place }
    }

    fn range(&self) -> core::ops::Range<f64> {
        self.place(self.ends.0)..self.place(self.ends.1)
    }

    fn label(&self, place: f64) -> String {
        let value = self.value(place);
        match value {
            _ if self.decades && value >= 999.5 => format!("{:.0}k", value / 1000.0),
            _ if (value - value.round()).abs() < 1e-9 || value.abs() >= 20.0 => format!("{value:.0}"),
            _ => format!("{value:.1}"),
        }
    }
}

/// Line of a plot; one with an empty name has no entry in the key.
pub(super) struct PlotLine {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    /// Index into [`COLOURS`].
    pub(super) colour: usize,
    pub(super) width: u32,
}

/// Draws lines into `docs/sound/NAME.svg`.
pub(super) fn lines(name: &str, title: &str, x: &PlotAxis, y: &PlotAxis, lines: &[PlotLine]) {
    let file = file(name);
    let area = SVGBackend::new(&file, SIZE).into_drawing_area();
    area.fill(&WHITE).expect("drawn");
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 17))
        .margin(12)
        .margin_right(26)
        .x_label_area_size(38)
        .y_label_area_size(52)
        .build_cartesian_2d(x.range(), y.range())
        .expect("drawn");
    chart
        .configure_mesh()
        .x_desc(x.text)
        .y_desc(y.text)
        .x_labels(if x.decades { 4 } else { 10 })
        .x_label_formatter(&|place| x.label(*place))
        .y_label_formatter(&|place| y.label(*place))
        .light_line_style(RGBColor(240, 240, 240))
        .draw()
        .expect("drawn");
    let (low, high) = y.ends;
    for line in lines {
        let style = COLOURS[line.colour].stroke_width(line.width);
        let points = line.points.iter().filter(|(at, _)| (x.ends.0..=x.ends.1).contains(at));
        let points: Vec<(f64, f64)> =
            points.map(|(at, value)| (x.place(*at), y.place(value.clamp(low, high)))).collect();
        let drawn = chart.draw_series(LineSeries::new(points, style)).expect("drawn");
        if !line.name.is_empty() {
            drawn.label(&line.name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .draw()
        .expect("drawn");
    area.present().expect("written");
}

/// Draws a pair of bars for each row into `docs/sound/NAME.svg`: what was reached, and what it is compared with.
pub(super) fn bars(name: &str, title: &str, y: &PlotAxis, keys: [&str; 2], rows: &[(String, [f64; 2])]) {
    let file = file(name);
    let area = SVGBackend::new(&file, SIZE).into_drawing_area();
    area.fill(&WHITE).expect("drawn");
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 17))
        .margin(12)
        .margin_right(26)
        .x_label_area_size(38)
        .y_label_area_size(52)
        .build_cartesian_2d((0..rows.len() - 1).into_segmented(), y.range())
        .expect("drawn");
    chart
        .configure_mesh()
        .disable_x_mesh()
        .y_desc(y.text)
        .x_labels(rows.len())
        .x_label_style(("sans-serif", 10))
        .y_label_formatter(&|place| y.label(*place))
        .x_label_formatter(&|place| match place {
            SegmentValue::CenterOf(row) => rows.get(*row).map_or_else(String::new, |row| row.0.clone()),
            _ => String::new(),
        })
        .light_line_style(RGBColor(240, 240, 240))
        .draw()
        .expect("drawn");
    for (i, key) in keys.iter().enumerate() {
        let style = COLOURS[i].filled();
        let bars = rows.iter().enumerate().map(|(row, (_, values))| {
            let mut bar = Rectangle::new(
                [(SegmentValue::Exact(row), 0.0), (SegmentValue::Exact(row + 1), values[i])],
                style,
            );
            // half of the width each
            bar.set_margin(0, 0, if i == 0 { 8 } else { 32 }, if i == 0 { 32 } else { 8 });
            bar
        });
        let drawn = chart.draw_series(bars).expect("drawn");
        drawn.label(*key).legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 18, y + 5)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .draw()
        .expect("drawn");
    area.present().expect("written");
}

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "docs", "sound", &format!("{name}.svg")].iter().collect()
}
