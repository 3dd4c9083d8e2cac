//! The parameters of one band.

use crate::facts::{ViewCx, row};
use chain::ChainKind;
use chain::parameters::{Parameter, Value};
use dsp::equalizer::{BANDS, Shape};
use std::sync::LazyLock;

/// A band's rows of the table. Those of a dynamic band are there if the table has them.
#[derive(Clone, Copy, Debug)]
pub struct Band {
    /// From 0.
    pub index: usize,
    /// On.
    pub on: &'static Parameter,
    /// Shape.
    pub shape: &'static Parameter,
    /// Frequency.
    pub frequency: &'static Parameter,
    /// Gain.
    pub gain: &'static Parameter,
    /// Q.
    pub q: &'static Parameter,
    /// Slope of cuts.
    pub slope: &'static Parameter,
    /// Placement.
    pub place: &'static Parameter,
    /// How far it may move.
    pub range: Option<&'static Parameter>,
    /// What else makes it dynamic: threshold, attack, release, key.
    pub dynamics: [Option<&'static Parameter>; 4],
}

static BAND_ROWS: LazyLock<Vec<Band>> = LazyLock::new(|| (0..BANDS).filter_map(Band::find).collect());

impl Band {
    /// All bands. Stem and Master have the same.
    pub fn all(_: ChainKind) -> &'static [Self] {
        &BAND_ROWS
    }

    fn find(index: usize) -> Option<Self> {
        let of = |id: &str| row(ChainKind::Stem, &format!("eq{}_{id}", index + 1));
        Some(Self {
            index,
            on: of("on")?,
            shape: of("shape")?,
            frequency: of("freq")?,
            gain: of("gain")?,
            q: of("q")?,
            slope: of("slope")?,
            place: of("place")?,
            range: of("range"),
            dynamics: ["threshold", "attack", "release", "key"].map(of),
        })
    }

    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = &'static Parameter> {
        let plain = [self.on, self.shape, self.frequency, self.gain, self.q, self.slope, self.place];
        plain.into_iter().chain(self.range).chain(self.dynamics.into_iter().flatten())
    }

    /// The shape now.
    pub fn shape_now(&self, desk: &ViewCx<'_>) -> Shape {
        desk.facts.settings.equalizer.bands[self.index].shape
    }

    /// Cuts and notches have no gain.
    pub fn has_gain(&self, desk: &ViewCx<'_>) -> bool {
        matches!(self.shape_now(desk), Shape::Bell | Shape::LowShelf | Shape::HighShelf | Shape::Tilt)
    }

    /// Cuts have a slope.
    pub fn is_cut(&self, desk: &ViewCx<'_>) -> bool {
        matches!(self.shape_now(desk), Shape::LowCut | Shape::HighCut)
    }

    /// Tilts and the flattest cuts have no Q.
    pub fn has_q(&self, desk: &ViewCx<'_>) -> bool {
        let flat = self.is_cut(desk) && desk.number(self.slope) == Some(6.0);
        self.shape_now(desk) != Shape::Tilt && !flat
    }

    /// It is dynamic: its range is not 0.
    pub fn is_dynamic(&self, desk: &ViewCx<'_>) -> bool {
        self.has_gain(desk) && self.range.is_some_and(|range| desk.number(range) != Some(0.0))
    }

    /// It is drawn: on, or somebody has touched it.
    pub fn is_used(&self, desk: &ViewCx<'_>) -> bool {
        self.rows().any(|row| desk.value(row) != row.default)
    }

    /// Puts everything back, as one step.
    pub fn reset(&self, desk: &mut ViewCx<'_>) {
        let changes: Vec<_> = self.rows().map(|row| (row, row.default)).collect();
        put_all(desk, &changes);
    }
}

/// Sets several parameters as one step.
pub(super) fn put_all(desk: &mut ViewCx<'_>, changes: &[(&'static Parameter, Value)]) {
    let facts = desk.facts;
    desk.edits.together(|edits| {
        for &(row, value) in changes {
            if facts.value(row) != value {
                edits.put(row, facts.value(row), value);
            }
        }
    });
}
