//! Display of results: figures, tables, JSON, CSV.

use audiofile::Error;
use audiofile::error::one_line;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};
use meter::Reading;
use serde::Serialize;
use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;

use crate::failure::Failure;
use crate::outcome::{Done, Outcome};

/// Standard output's first failure; nothing more is written to it then.
static FAILED: OnceLock<io::Error> = OnceLock::new();

/// Prints a line of results. Unlike `println!` it does not panic when the pipe is closed.
macro_rules! say {
    ($($arg:tt)*) => { $crate::output::print(format_args!("{}\n", format_args!($($arg)*))) };
}
pub(crate) use say;

/// Writes to standard output, unless that has failed before: [`written`] tells in the end.
pub(crate) fn print(text: fmt::Arguments<'_>) {
    if FAILED.get().is_some() {
        return;
    }
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_fmt(text).and_then(|()| out.flush()) {
        let _ = FAILED.set(error); // only the first one counts
    }
}

/// Fails if standard output did, on a full disk for example. A closed pipe (`stems targets | head`) is no failure:
/// its reader has what it wants.
pub(crate) fn written() -> Result<(), Failure> {
    match FAILED.get() {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let source =
                error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            Err(Error::Write { path: "standard output".into(), source }.into())
        }
        _ => Ok(()),
    }
}

/// True if the reader has closed the pipe.
pub(crate) fn is_over() -> bool {
    FAILED.get().is_some()
}

/// A value in a table: one decimal, as EBU Tech 3341 asks of meters; a dash where there is none.
pub(crate) fn figure(value: Option<f64>) -> String {
    match value {
        // No negative zero.
        Some(v) => format!("{:.1}", (v * 10.0).round() / 10.0 + 0.0),
        None => "-".into(),
    }
}

/// A change: with sign.
pub(crate) fn change(value: Option<f64>) -> String {
    match value {
        Some(v) if (v * 100.0).round() == 0.0 => "0.0".into(),
        Some(v) => format!("{v:+.2}"),
        None => "-".into(),
    }
}

/// A time in a song: minutes, seconds and tenths.
pub(crate) fn clock(seconds: f64) -> String {
    let tenths = (seconds.abs() * 10.0) as u64;
    let sign = if seconds < 0.0 { "-" } else { "" };
    format!("{sign}{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

/// The columns of a reading.
pub(crate) const READING: [&str; 7] =
    ["I LUFS", "LRA LU", "max M LUFS", "max S LUFS", "TP dBTP", "peak dBFS", "PLR LU"];

/// A reading under [`READING`].
pub(crate) fn reading(reading: &Reading) -> [String; 7] {
    [
        figure(reading.integrated.map(|v| v.0)),
        figure(reading.range.map(|v| v.0)),
        figure(reading.momentary_max.map(|v| v.0)),
        figure(reading.short_term_max.map(|v| v.0)),
        figure(reading.true_peak.map(|v| v.0)),
        figure(reading.sample_peak.map(|v| v.0)),
        figure(reading.plr().map(|v| v.0)),
    ]
}

/// Columns of the terminal that standard output is; none if it is no terminal.
pub(crate) fn terminal_width() -> Option<usize> {
    Table::new().width().map(usize::from)
}

/// A table: text to the left, the columns from `first_figure` on to the right.
pub(crate) struct Rows {
    table: Table,
    header: Vec<String>,
    first_figure: usize,
}

impl Rows {
    pub(crate) fn new<'a>(header: impl IntoIterator<Item = &'a str>, first_figure: usize) -> Self {
        let header: Vec<&str> = header.into_iter().collect();
        let style = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
        let mut table = Table::new();
        table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(&header);
        Self { table, header: header.into_iter().map(str::to_owned).collect(), first_figure }
    }

    pub(crate) fn push<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.table.add_row(cells.into_iter().map(|cell| one_line(cell.as_ref())));
    }

    pub(crate) fn print(self) {
        let last = self.header.len();
        self.print_with_figures_to(last);
    }

    /// Prints with a last column of text.
    pub(crate) fn print_last_left(self) {
        let last = self.header.len() - 1;
        self.print_with_figures_to(last);
    }

    fn print_with_figures_to(self, end: usize) {
        say!("{}", self.text(end, terminal_width()));
    }

    /// Columns that it takes where there is room for all.
    pub(crate) fn width(&self) -> usize {
        self.table.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    /// The table as text, its columns of figures ending before `end`. Where it is wider than `width`, units move below the
    /// names in its header, and then text is broken.
    pub(crate) fn text(mut self, end: usize, width: Option<usize>) -> String {
        let figures = self.first_figure..end;
        for column in figures.clone() {
            if let Some(column) = self.table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let Some(width) = width.filter(|width| self.width() > *width) else { return self.table.to_string() };
        let below = |(n, name): (usize, &String)| match name.rsplit_once(' ') {
            Some((name, unit)) if figures.contains(&n) => format!("{name}\n{unit}"),
            _ => name.clone(),
        };
        let header: Vec<String> = self.header.iter().enumerate().map(below).collect();
        self.table.set_header(header);
        if self.width() > width {
            self.table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
            self.table.set_content_arrangement(ContentArrangement::Dynamic);
            for column in figures {
                if let Some(column) = self.table.column_mut(column) {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
            }
        }
        self.table.to_string()
    }
}

/// A command that ends with a value for programs.
pub(crate) fn json(outcome: Outcome, value: &impl Serialize) -> Result<Done, Failure> {
    let json = serde_json::to_value(value).map_err(|error| Failure::new(format!("JSON: {error}")))?;
    Ok(Done { outcome, json: Some(json) })
}

/// Prints rows as comma-separated values.
///
/// `header` names the fields of a row; it stands there without rows too.
pub(crate) fn csv(header: &[&str], rows: &[impl Serialize]) -> Result<(), Failure> {
    let text = csv_text(header, rows)?;
    print(format_args!("{text}"));
    Ok(())
}

/// Rows as comma-separated values.
pub(crate) fn csv_text(header: &[&str], rows: &[impl Serialize]) -> Result<String, Failure> {
    let fault = |error: csv::Error| Failure::new(format!("CSV: {error}"));
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(header).map_err(fault)?;
    for row in rows {
        writer.serialize(row).map_err(fault)?;
    }
    let text = writer.into_inner().map_err(|error| Failure::new(format!("CSV: {error}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    fn rows() -> Rows {
        let mut rows = Rows::new(["stem", "I LUFS", "max M LUFS", "what was done"], 1);
        rows.push(["Backing Vocals", "-20.0", "-12.0", "renamed from 12_bvox.wav; 16 bit to 24 bit"]);
        rows
    }

    #[test]
    fn a_table_is_as_wide_as_the_terminal_at_most() {
        let (all, shorter) = (rows().width(), rows().width() - 3);
        assert_eq!(rows().text(3, None), rows().text(3, Some(all)));
        let units_below = rows().text(3, Some(shorter));
        assert!(widest(&units_below) <= shorter && units_below.lines().count() == 4, "{units_below}");
        let broken = rows().text(3, Some(60));
        assert!(
            widest(&broken) <= 60 && broken.contains("-20.0") && broken.contains("Backing Vocals"),
            "{broken}"
        );
    }
}
