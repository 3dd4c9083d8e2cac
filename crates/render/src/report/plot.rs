//! The plots, as SVG within the page: bars, lines over time and over frequency.
//!
//! Written here rather than by a library: the page must need no script and no font of its own, follow light and dark by its
//! style sheet, and say in words what it draws; what remains is a scale and some lines.

use std::fmt::Write as _;

use super::text::escaped;

/// Width of every plot in its own units; it shrinks with the page.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 280.0;
/// Room for the numbers at the left and below, and for air above and at the right.
const LEFT: f64 = 44.0;
const BELOW: f64 = 26.0;
const AIR: f64 = 12.0;
/// Colours of the style sheet; after them the strokes are dashed.
pub(super) const COLOURS: usize = 8;

/// A line.
pub(super) struct PlotLine<'a> {
    pub(super) name: &'a str,
    /// Points, none where there is nothing.
    pub(super) points: Vec<(f64, Option<f64>)>,
    /// The sum, drawn thicker and in the colour of text.
    pub(super) main: bool,
}

/// A plot's words and ticks.
pub(super) struct PlotFrame<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// A description of the plot for screen readers.
    pub(super) description: String,
    pub(super) y_unit: &'a str,
    /// Lowest and highest value, and the distance of the ticks.
    pub(super) y: (f64, f64, f64),
    /// Position along the width as a number, and its label.
    pub(super) x_ticks: Vec<(f64, String)>,
    /// Ends of the width.
    pub(super) x: (f64, f64),
}

/// Lines in a frame, with their key.
pub(super) fn lines(frame: &PlotFrame<'_>, lines: &[PlotLine<'_>]) -> String {
    let (low, high, tick) = frame.y;
    let x = |value: f64| LEFT + (value - frame.x.0) / (frame.x.1 - frame.x.0) * (WIDTH - LEFT - AIR);
    let y = |value: f64| AIR + (high - value.clamp(low, high)) / (high - low) * (HEIGHT - AIR - BELOW);
    let mut svg = open(frame.id, frame.title, &frame.description, HEIGHT);
    let mut value = low;
    while value <= high + 1e-9 {
        let at = y(value);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{value:.0}</text>",
            WIDTH - AIR,
            LEFT - 6.0,
            at + 4.0
        );
        value += tick;
    }
    for (at, label) in &frame.x_ticks {
        let at = x(*at);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{AIR}\" y2=\"{:.1}\"/><text class=\"tick mid\" x=\"{at:.1}\" y=\"{:.1}\">{}</text>",
            HEIGHT - BELOW,
            HEIGHT - 8.0,
            escaped(label)
        );
    }
    let _ = write!(
        svg,
        "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        LEFT + 6.0,
        AIR + 14.0,
        escaped(frame.y_unit)
    );
    for (i, line) in lines.iter().enumerate() {
        let mut path = String::new();
        let mut pen = 'M';
        for (at, value) in &line.points {
            match value {
                Some(value) => {
                    let _ = write!(path, "{pen}{:.1} {:.1}", x(*at), y(*value));
                    pen = 'L';
                }
                None => pen = 'M',
            }
        }
        if !path.is_empty() {
            let _ = write!(svg, "<path class=\"line {}\" d=\"{path}\"/>", class(i, line.main));
        }
    }
    svg.push_str("</svg>");
    svg.push_str(&key(lines));
    svg
}

/// Colour and dash of a line.
pub(super) fn class(i: usize, main: bool) -> String {
    if main { "main".into() } else { format!("c{} d{}", i % COLOURS, i / COLOURS % 3) }
}

/// The legend.
fn key(lines: &[PlotLine<'_>]) -> String {
    let mut html = "<ul class=\"key\">".to_owned();
    for (i, line) in lines.iter().enumerate() {
        let _ = write!(
            html,
            "<li><svg viewBox=\"0 0 24 10\" aria-hidden=\"true\"><path class=\"line {}\" d=\"M0 5L24 5\"/></svg>{}</li>",
            class(i, line.main),
            escaped(line.name)
        );
    }
    html.push_str("</ul>");
    html
}

/// Bars of parts of a whole; a negative one is drawn empty.
pub(super) fn bars(id: &str, title: &str, rows: &[(&str, f64)]) -> String {
    const ROW: f64 = 30.0;
    const NAMES: f64 = 200.0;
    const FIGURES: f64 = 95.0;
    let said: Vec<String> =
        rows.iter().map(|(name, share)| format!("{name} {:.1} %", share * 100.0)).collect();
    let mut svg = open(id, title, &said.join(", "), ROW * rows.len() as f64 + 4.0);
    let most = rows.iter().map(|(_, share)| share.abs()).fold(0.01, f64::max);
    for (i, (name, share)) in rows.iter().enumerate() {
        let middle = ROW * (i as f64 + 0.5) + 2.0;
        let width = (WIDTH - NAMES - FIGURES) * share.abs() / most;
        let empty = if *share < 0.0 { " empty" } else { "" };
        let _ = write!(
            svg,
            "<text class=\"name end\" x=\"{:.1}\" y=\"{:.1}\">{}</text><rect class=\"bar c{}{empty}\" x=\"{NAMES}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"16\" rx=\"2\"/><text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{:.1} %</text>",
            NAMES - 10.0,
            middle + 5.0,
            escaped(&shortened(name, 17)),
            i % COLOURS,
            middle - 8.0,
            NAMES + width + 8.0,
            middle + 5.0,
            share * 100.0
        );
    }
    svg.push_str("</svg>");
    svg
}

fn open(id: &str, title: &str, description: &str, height: f64) -> String {
    format!(
        "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
        escaped(title),
        escaped(description)
    )
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
