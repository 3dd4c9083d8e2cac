//! Figures of sound: what tests measure and hold to a limit, and what `docs/sound.md` shows, from one place.
//!
//! A unit's tests have functions that measure (`figures`) and one test that [`hold`]s what they find; the page is made
//! of the same by `cargo xtask measure-sound`.

use core::fmt;

/// Set by `cargo xtask measure-sound`: the page is being written, so what it says does not count.
const WRITING: &str = "STEMLINK_WRITE_SOUND";

/// Nobody hears what is lower, in dB, and it is the machine's: shown as this.
const FLOOR: f64 = -150.0;

/// What must be.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// Largest value that is accepted, in the figure's unit.
    AtMost(f64),
    /// Smallest value that is accepted, in the figure's unit.
    AtLeast(f64),
}

/// Something measured and what it is held to.
#[derive(Clone, Debug)]
pub struct Figure {
    /// A row of the page; no two have the same.
    what: String,
    value: f64,
    unit: &'static str,
    limit: Limit,
    /// Digits after the point, on the page.
    digits: usize,
    /// Where it was found, for whoever has to find out why it is too large.
    found: String,
}

impl Figure {
    /// Figure held to an upper limit; both in `unit`.
    pub fn at_most(what: impl Into<String>, value: f64, unit: &'static str, limit: f64) -> Self {
        let limit = Limit::AtMost(limit);
        Self { what: what.into(), value, unit, limit, digits: 2, found: String::new() }
    }

    /// Figure held to a lower limit; both in `unit`.
    pub fn at_least(what: impl Into<String>, value: f64, unit: &'static str, limit: f64) -> Self {
        Self { limit: Limit::AtLeast(limit), ..Self::at_most(what, value, unit, limit) }
    }

    /// The same, shown with so many digits after the point (2 by default).
    pub fn digits(self, digits: usize) -> Self {
        Self { digits, ..self }
    }

    /// The same, with the place of the worst case, for the message of a failed test.
    pub fn found(self, found: &impl fmt::Debug) -> Self {
        Self { found: format!("{found:?}"), ..self }
    }

    fn is_met(&self) -> bool {
        match self.limit {
            Limit::AtMost(most) => self.value <= most,
            Limit::AtLeast(least) => self.value >= least,
        }
    }

    /// The start of its row, by which it is found.
    fn name(&self) -> String {
        format!("| {} | ", self.what)
    }

    /// Its row of a table.
    fn row(&self) -> String {
        let Self { unit, digits, .. } = self;
        let value = self.value.max(FLOOR);
        let space = if unit.is_empty() { "" } else { " " };
        let limit = match self.limit {
            Limit::AtMost(most) => format!("≤ {most}"),
            Limit::AtLeast(least) => format!("≥ {least}"),
        };
        format!("{}{value:.digits$}{space}{unit} | {limit} |", self.name())
    }

    /// Whether `page` says the same, but for the last digit, which is the machine's.
    fn is_on(&self, page: &str) -> bool {
        let Some(row) = page.lines().find(|line| line.starts_with(&self.name())) else { return false };
        let shown = row[self.name().len()..].split(' ').next().and_then(|value| value.parse::<f64>().ok());
        let ends_alike = row.rsplit(" | ").next() == self.row().rsplit(" | ").next();
        let last = 10f64.powi(-(self.digits as i32));
        ends_alike && shown.is_some_and(|shown| (shown - self.value.max(FLOOR)).abs() <= 2.0 * last)
    }
}

/// Asserts that every figure is within its limit and as `docs/sound.md` has it.
pub fn hold(figures: &[Figure]) {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sound.md"));
    let page = page.expect("docs/sound.md is there");
    for figure in figures {
        assert!(figure.is_met(), "{} {}", figure.row(), figure.found);
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
