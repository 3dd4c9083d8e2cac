//! The page: one HTML file without network or font of its own, and without script unless it answers moves, for screens, phones and paper, light and dark.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

use super::ask::{self, AskData};
use super::data::{Report, ReportedSource};
use super::plot::{PlotFrame, PlotLine, bars, lines};
use super::text::escaped;
use crate::json::ReadingJson;
use session::playback::HEADING;

const STYLE: &str = include_str!("page.css");

fn figure(value: Option<f64>) -> String {
    value.map_or("–".into(), |v| minus(&format!("{:.1}", (v * 10.0).round() / 10.0 + 0.0)))
}

/// A peak: above full scale with its sign.
fn peak(value: Option<f64>) -> String {
    if is_over(value) { format!("+{}", figure(value)) } else { figure(value) }
}

/// True for a peak that is shown as one above full scale.
fn is_over(peak: Option<f64>) -> bool {
    peak.is_some_and(|peak| peak >= 0.05)
}

fn change(value: Option<f64>) -> String {
    match value {
        None => "–".into(),
        Some(v) if (v * 100.0).round() == 0.0 => "0.00".into(),
        Some(v) => minus(&format!("{v:+.2}")),
    }
}

/// A minus as wide as a plus.
fn minus(text: &str) -> String {
    text.replace('-', "\u{2212}")
}

/// A table in the making.
struct HtmlTable(String);

impl HtmlTable {
    /// `columns`: headings; those that start with `#` hold figures.
    fn new(caption: &str, columns: &[&str]) -> Self {
        let mut html = format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table><caption>{0}</caption><thead><tr>",
            escaped(caption)
        );
        for column in columns {
            let _ = match column.strip_prefix('#') {
                Some(figure) => write!(html, "<th scope=\"col\" class=\"n\">{}</th>", escaped(figure)),
                None => write!(html, "<th scope=\"col\">{}</th>", escaped(column)),
            };
        }
        html.push_str("</tr></thead><tbody>");
        Self(html)
    }

    fn row(&mut self, name: &str) -> &mut Self {
        let _ = write!(self.0, "<tr><th scope=\"row\">{}</th>", escaped(name));
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        let _ = write!(self.0, "<td>{}</td>", escaped(text));
        self
    }

    fn marked(&mut self, class: &str, text: &str) -> &mut Self {
        let _ = write!(self.0, "<td class=\"{class}\">{}</td>", escaped(text));
        self
    }

    fn figure(&mut self, value: Option<f64>) -> &mut Self {
        self.marked("n", &figure(value))
    }

    /// A peak, in the colour of faults where it is above full scale.
    fn peak(&mut self, value: Option<f64>) -> &mut Self {
        self.marked(if is_over(value) { "n bad" } else { "n" }, &peak(value))
    }

    fn reading(&mut self, r: &ReadingJson) -> &mut Self {
        for value in [r.integrated_lufs, r.loudness_range_lu, r.momentary_max_lufs, r.short_term_max_lufs] {
            self.figure(value);
        }
        self.peak(r.true_peak_dbtp).peak(r.sample_peak_dbfs).figure(r.plr_lu)
    }

    fn end(&mut self) {
        self.0.push_str("</tr>");
    }

    fn finish(self) -> String {
        self.0 + "</tbody></table></div>"
    }
}

/// The headings of a reading.
const READING: [&str; 7] =
    ["#I LUFS", "#LRA LU", "#max M LUFS", "#max S LUFS", "#TP dBTP", "#peak dBFS", "#PLR LU"];

/// The whole page.
pub fn page(report: &Report) -> String {
    let title = escaped(&report.title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'{}\"><meta name=\"generator\" content=\"{}\"><title>{title}: report</title><style>\n{STYLE}</style></head><body><header><h1>{title}</h1><p class=\"dim\">{} · {} Hz · {} · made {} with {}</p></header><main>\n",
        if report.ask.is_some() { script_policy() } else { String::new() },
        escaped(report.tool),
        count(report.sources.len().saturating_sub(1), "stem", "stems"),
        report.rate_hz,
        clock(report.frames as f64 / report.rate_hz),
        escaped(&report.date),
        escaped(report.tool),
    );
    html += &report.ask.as_ref().map_or(String::new(), AskData::section);
    html += &deliverables(report);
    html += &nulls(report);
    html += &findings(report);
    html += &mix(report);
    html += &playback(report);
    html += &stems(report);
    html += &what_if(report);
    html += &limiting(report);
    html += &spectra(report);
    html += &files(report);
    html += "</main></body></html>\n";
    html
}

/// The one program that may run: the page's own, by its hash.
fn script_policy() -> String {
    format!("; script-src 'sha256-{}'", STANDARD.encode(Sha256::digest(ask::SCRIPT)))
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn clock(seconds: f64) -> String {
    format!("{}:{:04.1}", (seconds / 60.0) as u64, seconds % 60.0)
}

fn deliverables(report: &Report) -> String {
    if report.deliverables.is_empty() {
        return String::new();
    }
    let columns = [&["file", "what"][..], &READING, &["two meters", "SHA-256"]].concat();
    let mut table = HtmlTable::new("Finished files, as read back", &columns);
    for file in &report.deliverables {
        let row = table.row(&file.file).text(&file.kind).reading(&file.reading);
        let (class, word) = if file.verified { ("good", "agree") } else { ("bad", "do not agree") };
        row.marked(class, word).marked("hash", &file.sha256).end();
    }
    format!("<section><h2>Deliverables</h2>{}</section>\n", table.finish())
}

fn nulls(report: &Report) -> String {
    if report.nulls.is_empty() {
        return String::new();
    }
    let mut table = HtmlTable::new(
        "What is left of one when the other is subtracted; no more than rounding and dither leave passes",
        &["null test", "#residual dBFS", "#passes at dBFS", "verdict", "cause"],
    );
    for null in &report.nulls {
        let class = if null.verdict == "audible" { "bad" } else { "good" };
        let left = null.residual_peak_dbfs.map_or("silence".into(), |v| minus(&format!("{v:.1}")));
        table
            .row(&null.what)
            .marked("n", &left)
            .figure(Some(null.pass_dbfs))
            .marked(class, null.verdict)
            .text(null.cause.as_deref().unwrap_or("–"))
            .end();
    }
    format!("<section><h2>Null tests</h2>{}</section>\n", table.finish())
}

fn findings(report: &Report) -> String {
    if report.findings.is_empty() {
        return "<section><h2>Findings</h2><p class=\"good\">The stems have no faults.</p></section>\n"
            .into();
    }
    let mut table = HtmlTable::new("What the check of the stems found", &["file", "kind", "finding", "cure"]);
    for finding in &report.findings {
        let class = if finding.severity == "fault" { "bad" } else { "dim" };
        table
            .row(&finding.file)
            .marked(class, finding.severity)
            .text(&finding.fault)
            .text(&finding.cure)
            .end();
    }
    format!("<section><h2>Findings</h2>{}</section>\n", table.finish())
}

fn mix(report: &Report) -> String {
    let r = &report.mix;
    let figures = [
        ("Integrated", r.integrated_lufs, "LUFS"),
        ("Loudness range", r.loudness_range_lu, "LU"),
        ("Max short-term", r.short_term_max_lufs, "LUFS"),
        ("Max momentary", r.momentary_max_lufs, "LUFS"),
        ("True peak", r.true_peak_dbtp, "dBTP"),
        ("PLR", r.plr_lu, "LU"),
    ];
    let mut html = "<section><h2>Mix</h2><p class=\"dim\">The sum of the stems through their chains and the master chain of the session.</p><ul class=\"figures\">".to_owned();
    for (what, value, unit) in figures {
        let over = unit == "dBTP" && is_over(value);
        let (class, value) = if over { (" class=\"bad\"", peak(value)) } else { ("", figure(value)) };
        let _ = write!(html, "<li>{what}<b{class}>{value}</b><span class=\"dim\">{unit}</span></li>");
    }
    html + "</ul></section>\n"
}

fn playback(report: &Report) -> String {
    let mut table = HtmlTable::new(
        "What each platform does to the mix, by which rule, from which source",
        &[
            "platform",
            "#gain dB",
            "in words",
            "#target LUFS",
            "turns quiet songs up",
            "known",
            "read",
            "source",
        ],
    );
    for row in &report.playback {
        table
            .row(&row.name)
            .marked("n", &change(row.playback_gain_db))
            .marked("words", &row.sentence)
            .figure(row.target_lufs)
            .text(&row.turns_up)
            .text(row.status)
            .text(&row.rule_date)
            .marked("source", &row.source)
            .end();
    }
    format!("<section><h2>{}</h2>{}</section>\n", escaped(HEADING), table.finish())
}

fn stems(report: &Report) -> String {
    let columns = [&["stem", "role", "#share %"][..], &READING, &["#peak at"]].concat();
    let mut table = HtmlTable::new("Stems out of their chains; shares sum to 100 %", &columns);
    for source in &report.sources {
        let share = source.share.map(|share| share * 100.0);
        let row =
            table.row(&source.stem).text(source.role.unwrap_or("–")).figure(share).reading(&source.reading);
        row.marked("n", &source.peak_at_s.map_or("–".into(), clock)).end();
    }
    let shares: Vec<(&str, f64)> =
        report.sources.iter().filter_map(|s| Some((s.stem.as_str(), s.share?))).collect();
    let bars =
        if shares.is_empty() { String::new() } else { bars("shares", "Shares of the loudness", &shares) };
    format!(
        "<section><h2>Stems</h2><p class=\"dim\">A share is how much of one more decibel of a stem arrives in the loudness of the mix.</p>{bars}{}<h3>Short-term loudness</h3>{}</section>\n",
        table.finish(),
        history(report)
    )
}

fn line(source: &ReportedSource, points: Vec<(f64, Option<f64>)>) -> PlotLine<'_> {
    PlotLine { name: &source.stem, points, main: source.role.is_none() }
}

fn history(report: &Report) -> String {
    let values = || report.sources.iter().flat_map(|s| &s.history_lufs).flatten().copied();
    let Some(highest) = values().reduce(f64::max) else {
        return "<p>There is none: the song is silent or shorter than 3 s.</p>".into();
    };
    let high = (highest / 6.0).ceil() * 6.0;
    // A window of 3 s is drawn at its middle.
    let at = |i: usize| 1.5 + i as f64 * report.history_step_s;
    let end = report.frames as f64 / report.rate_hz;
    let of = report.sources.iter().map(|source| {
        line(source, source.history_lufs.iter().enumerate().map(|(i, value)| (at(i), *value)).collect())
    });
    let loudest = report.sources.last().map(|sum| {
        let top = sum.history_lufs.iter().enumerate().filter_map(|(i, v)| Some((i, (*v)?)));
        top.fold((0, f64::NEG_INFINITY), |most, this| if this.1 > most.1 { this } else { most })
    });
    let description = loudest.map_or(String::new(), |(i, level)| {
        format!("Short-term loudness of each stem and of their sum over {}. The sum is loudest at {}, {level:.1} LUFS.", clock(end), clock(at(i)))
    });
    let step =
        [5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0].into_iter().find(|s| end / s <= 8.0).unwrap_or(600.0);
    let ticks = (0..).map(|i| f64::from(i) * step).take_while(|t| *t <= end);
    let frame = PlotFrame {
        id: "history",
        title: "Short-term loudness",
        description,
        y_unit: "LUFS",
        y: (high - 48.0, high, 6.0),
        x_ticks: ticks.map(|t| (t, format!("{}:{:02}", (t / 60.0) as u64, (t % 60.0) as u64))).collect(),
        x: (0.0, end),
    };
    lines(&frame, &of.collect::<Vec<_>>())
}

fn what_if(report: &Report) -> String {
    let mut columns = vec!["stem", "#mix LU", "#its peak dB"];
    let names: Vec<String> = report.playback.iter().map(|row| format!("#{}", row.name)).collect();
    columns.extend(names.iter().map(String::as_str));
    let mut table = HtmlTable::new(
        "One decibel more of a stem: the mix, and what every other stem loses or gains in playback, dB",
        &columns,
    );
    for row in &report.what_if {
        let cells = table.row(&format!("{} +{:.0} dB", row.stem, row.gain_db));
        cells.marked("n", &change(row.mix_change_lu)).marked("n", &change(row.peak_change_db));
        for other in &row.others_change_db {
            cells.marked("n", &change(*other));
        }
        cells.end();
    }
    let surprises = report.what_if.iter().filter_map(|row| {
        let name = escaped(&row.stem);
        Some(format!("<p>{name} +{:.0} dB: {}</p>", row.gain_db, row.surprise?))
    });
    let surprises: String = surprises.collect();
    format!("<section><h2>What if</h2>{}{surprises}</section>\n", table.finish())
}

fn limiting(report: &Report) -> String {
    let Some(limiting) = &report.limiting else { return String::new() };
    let gain = minus(&format!("{:+.2}", limiting.gain_db));
    let ceiling = minus(&format!("{:.1}", limiting.ceiling_dbtp));
    let head = format!(
        "<section><h2>Limiting</h2><p class=\"dim\">Of the master that the session makes: {gain} dB into a ceiling of {ceiling} dBTP.</p>"
    );
    if limiting.decibel_seconds == 0.0 {
        return head + "<p>Nothing is limited.</p></section>\n";
    }
    let percent = |share: f64| minus(&format!("{:.0} %", share * 100.0));
    let mut owners = HtmlTable::new(
        &format!(
            "Who was there when it limited: {:.2} dB s, the most {:.2} dB at {}",
            limiting.decibel_seconds,
            limiting.max_db,
            clock(limiting.max_at_s)
        ),
        &["stem", "#dB s", "#share"],
    );
    for row in &limiting.rows {
        let decibel_seconds = minus(&format!("{:.2}", row.decibel_seconds));
        let cells = owners.row(&row.row).marked("n", &decibel_seconds);
        cells.marked("n", &row.share.map_or("\u{2013}".into(), percent)).end();
    }
    let mut events = HtmlTable::new(
        "The deepest events, and whose they are",
        &["deepest at", "#depth dB", "#dB s", "parts"],
    );
    for event in &limiting.events {
        let mut parts: Vec<(f64, &str)> =
            event.parts.iter().zip(&limiting.rows).map(|(part, row)| (*part, row.row.as_str())).collect();
        parts.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
        let parts: Vec<String> =
            parts.iter().take(3).map(|(part, row)| format!("{row} {}", percent(*part))).collect();
        events
            .row(&clock(event.at_s))
            .marked("n", &format!("{:.2}", event.depth_db))
            .marked("n", &format!("{:.3}", event.decibel_seconds))
            .text(&parts.join(", "))
            .end();
    }
    let events = if limiting.events.is_empty() { String::new() } else { events.finish() };
    format!("{head}{}{events}</section>\n", owners.finish())
}

fn spectra(report: &Report) -> String {
    let values = || report.sources.iter().flat_map(|s| &s.spectrum_dbfs).flatten().copied();
    let Some(highest) = values().reduce(f64::max) else {
        return String::new();
    };
    let high = (highest / 10.0).ceil() * 10.0;
    let of = report.sources.iter().map(|source| {
        let points = report.bands_hz.iter().zip(&source.spectrum_dbfs).map(|(hz, level)| (hz.log2(), *level));
        line(source, points.collect())
    });
    let ticks: [f64; 10] = [31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0];
    let label = |hz: f64| if hz < 1000.0 { format!("{hz:.0}") } else { format!("{:.0}k", hz / 1000.0) };
    let ends =
        (report.bands_hz.first().copied().unwrap_or(20.0), report.bands_hz.last().copied().unwrap_or(20e3));
    let frame = PlotFrame {
        id: "spectrum",
        title: "Spectrum in third octaves",
        description: "Mean level of each third octave over the song, for each stem and their sum; the figures are in the table below.".into(),
        y_unit: "dBFS",
        y: (high - 70.0, high, 10.0),
        x_ticks: ticks.iter().map(|hz| (hz.log2(), label(*hz))).collect(),
        x: (ends.0.log2(), ends.1.log2()),
    };
    let plot = lines(&frame, &of.collect::<Vec<_>>());
    // The octaves of the table are sums of three bands.
    let headings: Vec<String> = ticks.iter().map(|hz| format!("#{}", label(*hz))).collect();
    let columns: Vec<&str> =
        std::iter::once("octave, Hz").chain(headings.iter().map(String::as_str)).collect();
    let mut table = HtmlTable::new("Mean level of each octave, dBFS", &columns);
    for source in &report.sources {
        let cells = table.row(&source.stem);
        for hz in ticks {
            let inside = report.bands_hz.iter().zip(&source.spectrum_dbfs);
            let inside =
                inside.filter(|(band, _)| (**band / hz).log2().abs() < 0.5).filter_map(|(_, level)| *level);
            let power: f64 = inside.map(|level| units::linear(level).powi(2)).sum();
            cells.figure((power > 0.0).then(|| units::decibels(power.sqrt())));
        }
        cells.end();
    }
    format!("<section><h2>Spectrum</h2>{plot}{}</section>\n", table.finish())
}

fn files(report: &Report) -> String {
    let mut table = HtmlTable::new("Every file that went in", &["file", "what", "SHA-256"]);
    for file in &report.files {
        table.row(&file.file).text(&file.kind).marked("hash", &file.sha256).end();
    }
    format!("<section><h2>Files</h2>{}</section>\n", table.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(escaped("<script>'\"&\u{202e}\n"), "&lt;script&gt;&#39;&quot;&amp;\u{fffd}\u{fffd}");
    }

    #[test]
    fn figures_have_one_decimal_and_no_negative_zero() {
        assert_eq!([figure(Some(-0.04)), figure(Some(-14.06)), figure(None)], ["0.0", "\u{2212}14.1", "–"]);
        assert_eq!([peak(Some(2.14)), peak(Some(0.04)), peak(Some(-1.0))], ["+2.1", "0.0", "\u{2212}1.0"]);
        assert_eq!([change(Some(0.004)), change(Some(-1.0))], ["0.00", "\u{2212}1.00"]);
    }
}
