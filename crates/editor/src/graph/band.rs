//! Parameters of one band of the equalizer.

use crate::view_model::{ViewCx, row};
use chain::ChainKind;
use chain::parameters::{Parameter, Value};
use dsp::equalizer::{BANDS, Shape};
use std::sync::LazyLock;

/// Parameters of one band. Those of a dynamic band are present if the table has them.
#[derive(Clone, Copy, Debug)]
pub struct BandRows {
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
    /// BusPosition.
    pub place: &'static Parameter,
    /// Range of a dynamic band, dB.
    pub range: Option<&'static Parameter>,
    /// Dynamics: threshold, attack, release, key.
    pub dynamics: [Option<&'static Parameter>; 4],
}

static BAND_ROWS: LazyLock<Vec<BandRows>> = LazyLock::new(|| (0..BANDS).filter_map(BandRows::find).collect());

impl BandRows {
    /// Returns all bands. Stem and Master have the same.
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

    /// Returns every parameter of the band.
    pub fn rows(&self) -> impl Iterator<Item = &'static Parameter> {
        let plain = [self.on, self.shape, self.frequency, self.gain, self.q, self.slope, self.place];
        plain.into_iter().chain(self.range).chain(self.dynamics.into_iter().flatten())
    }

    /// Returns the present shape.
    pub fn shape_now(&self, cx: &ViewCx<'_>) -> Shape {
        cx.model.settings.equalizer.bands[self.index].shape
    }

    /// Returns true if the shape has a gain; cuts and notches have none.
    pub fn has_gain(&self, cx: &ViewCx<'_>) -> bool {
        matches!(self.shape_now(cx), Shape::Bell | Shape::LowShelf | Shape::HighShelf | Shape::Tilt)
    }

    /// Returns true for a cut, which has a slope.
    pub fn is_cut(&self, cx: &ViewCx<'_>) -> bool {
        matches!(self.shape_now(cx), Shape::LowCut | Shape::HighCut)
    }

    /// Returns true if the shape has a Q; tilts and first-order cuts have none.
    pub fn has_q(&self, cx: &ViewCx<'_>) -> bool {
        let flat = self.is_cut(cx) && cx.number(self.slope) == Some(6.0);
        self.shape_now(cx) != Shape::Tilt && !flat
    }

    /// Returns true if the band is dynamic: its range is not 0.
    pub fn is_dynamic(&self, cx: &ViewCx<'_>) -> bool {
        self.has_gain(cx) && self.range.is_some_and(|range| cx.number(range) != Some(0.0))
    }

    /// Returns true if the band is drawn: on, or edited.
    pub fn is_used(&self, cx: &ViewCx<'_>) -> bool {
        self.rows().any(|row| cx.value(row) != row.default)
    }

    /// Resets every parameter, as one step.
    pub fn reset(&self, cx: &mut ViewCx<'_>) {
        let changes: Vec<_> = self.rows().map(|row| (row, row.default)).collect();
        put_all(cx, &changes);
    }
}

/// Sets several parameters as one step.
pub(super) fn put_all(cx: &mut ViewCx<'_>, changes: &[(&'static Parameter, Value)]) {
    let model = cx.model;
    cx.edits.together(|edits| {
        for &(row, value) in changes {
            if model.value(row) != value {
                edits.put(row, model.value(row), value);
            }
        }
    });
}
