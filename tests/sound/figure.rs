//! Figures of sound: measured values with the limits they are held to.
//!
//! Each module beside this one has a function `figures` that measures and a test that [`hold`]s what it finds;
//! `cargo xtask measure-sound` writes `docs/sound.md` from the same functions.

use core::fmt;

/// Environment variable that `cargo xtask measure-sound` sets to date and machine: the page is being written, so its
/// present values do not count.
pub(super) const WRITING: &str = "STEMLINK_WRITE_SOUND";

/// Lowest value that is shown, in dB: what is below is inaudible and depends on the machine.
const LOWEST_SHOWN: f64 = -150.0;

/// Bound of a figure.
#[derive(Clone, Copy, Debug)]
enum FigureLimit {
    /// Largest value that is accepted, in the figure's unit.
    AtMost(f64),
    /// Smallest value that is accepted, in the figure's unit.
    AtLeast(f64),
}

/// Measured value with its limit.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    /// Label of its row; unique on the page.
    label: String,
    value: f64,
    unit: &'static str,
    limit: FigureLimit,
    /// Digits after the point.
    digits: usize,
    /// Place of the worst case, for the message of a failed test.
    found: String,
}

impl Figure {
    /// Figure held to an upper limit; both in `unit`.
    pub(super) fn at_most(label: impl Into<String>, value: f64, unit: &'static str, limit: f64) -> Self {
        let limit = FigureLimit::AtMost(limit);
        Self { label: label.into(), value, unit, limit, digits: 2, found: String::new() }
    }

    /// Figure held to a lower limit; both in `unit`.
    pub(super) fn at_least(label: impl Into<String>, value: f64, unit: &'static str, limit: f64) -> Self {
        Self { limit: FigureLimit::AtLeast(limit), ..Self::at_most(label, value, unit, limit) }
    }

    /// Sets the digits after the point that are shown; 2 by default.
    pub(super) fn digits(self, digits: usize) -> Self {
        Self { digits, ..self }
    }

    /// Sets the place of the worst case, for the message of a failed test.
    pub(super) fn found(self, found: &impl fmt::Debug) -> Self {
        Self { found: format!("{found:?}"), ..self }
    }

    /// True if the value is within its limit; false for NaN.
    pub(super) fn is_met(&self) -> bool {
        match self.limit {
            FigureLimit::AtMost(most) => self.value <= most,
            FigureLimit::AtLeast(least) => self.value >= least,
        }
    }

    /// Start of its row, by which it is found.
    fn name(&self) -> String {
        format!("| {} | ", self.label)
    }

    /// Row of a table in Markdown.
    pub(super) fn row(&self) -> String {
        let Self { unit, digits, .. } = self;
        let value = self.value.max(LOWEST_SHOWN);
        let space = if unit.is_empty() { "" } else { " " };
        let limit = match self.limit {
            FigureLimit::AtMost(most) => format!("≤ {most}"),
            FigureLimit::AtLeast(least) => format!("≥ {least}"),
        };
        format!("{}{value:.digits$}{space}{unit} | {limit} |", self.name())
    }

    /// Row and place of the worst case, for the message of a failed test.
    pub(super) fn message(&self) -> String {
        format!("{} {}", self.row(), self.found)
    }

    /// True if `page` shows the same, but for two steps of the last digit, which depend on the machine.
    fn is_on(&self, page: &str) -> bool {
        let Some(row) = page.lines().find(|line| line.starts_with(&self.name())) else { return false };
        let shown = row[self.name().len()..].split(' ').next().and_then(|value| value.parse::<f64>().ok());
        let ends_alike = row.rsplit(" | ").next() == self.row().rsplit(" | ").next();
        let last = 10f64.powi(-(self.digits as i32));
        ends_alike && shown.is_some_and(|shown| (shown - self.value.max(LOWEST_SHOWN)).abs() <= 2.0 * last)
    }
}

/// Asserts that every figure is within its limit and as `docs/sound.md` has it.
pub(super) fn hold(figures: &[Figure]) {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sound.md"));
    let page = page.expect("docs/sound.md is there");
    for figure in figures {
        assert!(figure.is_met(), "{}", figure.message());
        assert!(
            figure.is_on(&page) || std::env::var_os(WRITING).is_some(),
            "docs/sound.md is not of today, cargo xtask measure-sound writes it: {}",
            figure.row()
        );
    }
}

#[test]
fn a_figure_is_held_to_its_limit_and_to_the_page() {
    let figure = Figure::at_most("overs of noise", 0.031, "dB", 0.05);
    assert_eq!(figure.row(), "| overs of noise | 0.03 dB | ≤ 0.05 |");
    assert!(figure.is_met() && !Figure::at_most("", 0.051, "dB", 0.05).is_met());
    assert!(!Figure::at_most("", f64::NAN, "dB", 0.05).is_met());
    assert!(
        Figure::at_least("", 60.0, "%", 60.0).is_met() && !Figure::at_least("", 59.9, "%", 60.0).is_met()
    );
    let on = |row: &str| figure.is_on(&format!("text\n{row}\n"));
    assert!(on("| overs of noise | 0.03 dB | ≤ 0.05 |") && on("| overs of noise | 0.05 dB | ≤ 0.05 |"));
    assert!(!on("| overs of noise | 0.06 dB | ≤ 0.05 |"), "another value");
    assert!(!on("| overs of noise | 0.03 dB | ≤ 0.06 |"), "another limit");
    assert!(!on("| overs of squares | 0.03 dB | ≤ 0.05 |") && !on(""), "not there");
}
