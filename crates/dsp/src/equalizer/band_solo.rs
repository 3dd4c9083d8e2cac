//! Solo of one band, or of its key, for setting it up.

use super::key_filter::KeyFilter;
use super::{BANDS, BandSettings};
use crate::{CONTROL_INTERVAL, Key, Pair, Ramp, Smoother};
use simd::{Pairs, Registers, stereo};
use units::Hz;

/// Signal of one band that replaces the equalizer's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoloTarget {
    /// The key of the band of this index, limited to the band.
    Key(usize),
    /// The equalizer's output, limited to the band of this index and its placement.
    Band(usize),
}

impl SoloTarget {
    pub(super) fn band(self) -> usize {
        let (Self::Key(band) | Self::Band(band)) = self;
        band
    }
}

/// Replaces the output by the solo of one band; fades 20 ms each way.
pub(super) struct BandSolo {
    wanted: Option<SoloTarget>,
    current: Option<SoloTarget>,
    fade: Smoother,
    weight: Ramp,
    filter: KeyFilter,
    /// The target's frames of this pass, before its filter.
    frames: [Pair; CONTROL_INTERVAL],
}

impl BandSolo {
    pub(super) fn new(rate: Hz) -> Self {
        Self {
            wanted: None,
            current: None,
            fade: Smoother::new(0.0, Smoother::TIME, rate),
            weight: Ramp::new(0.0),
            filter: KeyFilter::new(rate),
            frames: [[0.0; 2]; CONTROL_INTERVAL],
        }
    }

    /// Fades to another target from the next tick on; `None`: to the output.
    pub(super) fn set_target(&mut self, target: Option<SoloTarget>) {
        self.wanted = target.filter(|target| target.band() < BANDS);
    }

    /// The target set last.
    pub(super) fn target(&self) -> Option<SoloTarget> {
        self.wanted
    }

    /// The target that is audible now, if any.
    pub(super) fn current(&self) -> Option<SoloTarget> {
        self.current
    }

    /// True when the output is the equalizer's until another target is set.
    pub(super) fn is_neutral(&self) -> bool {
        self.current.is_none() && self.wanted.is_none()
    }

    /// Ends the solo at once.
    pub(super) fn reset(&mut self) {
        (self.wanted, self.current) = (None, None);
        self.fade.set_now(0.0);
        self.weight = Ramp::new(0.0);
    }

    /// Control tick. `band`: the settings of a band by its index.
    pub(super) fn tick(&mut self, band: impl Fn(usize) -> BandSettings) {
        if self.current != self.wanted {
            self.fade.set_target(0.0); // first away from the old
            if self.weight.is_settled_at(0.0) {
                self.current = self.wanted;
                if let Some(target) = self.current {
                    let band = band(target.band());
                    self.filter.rest(band.shape, band.frequency, band.q);
                    self.fade.set_target(1.0);
                }
            }
        } else if self.current.is_some() {
            self.fade.set_target(1.0);
        }
        if let Some(target) = self.current {
            let band = band(target.band());
            self.filter.tick(band.shape, band.frequency, band.q);
        }
        self.weight.tick(self.fade.tick());
    }

    /// Copies the key of `band`.
    pub(super) fn copy_key(&mut self, band: &BandSettings, own: [&[f64]; 2], sidechain: Option<Key<'_>>) {
        for i in 0..own[0].len() {
            let sidechain = sidechain.map_or([0.0; 2], |key| [key.left[i], key.right[i]]);
            self.frames[i] = band.key([own[0][i], own[1][i]], sidechain);
        }
    }

    /// Copies the equalizer's output in the placement of `band`.
    pub(super) fn copy_output(&mut self, band: &BandSettings, [left, right]: [&[f64]; 2]) {
        for (frame, (left, right)) in self.frames.iter_mut().zip(left.iter().zip(right)) {
            *frame = band.placement.part([*left, *right]);
        }
    }

    /// Replaces the output by the copied frames, limited to the band.
    pub(super) fn process(&mut self, since: usize, [left, right]: [&mut [f64]; 2]) {
        let registers = stereo();
        let mut filter = self.filter.load(registers, !self.filter.is_static());
        for i in 0..left.len() {
            let frame = filter.next(since + i, registers.load(&self.frames[i])).last();
            let weight = self.weight.at(i);
            left[i] = (1.0 - weight) * left[i] + weight * frame[0];
            right[i] = (1.0 - weight) * right[i] + weight * frame[1];
        }
        self.filter.store(&filter);
        self.weight.advance(left.len());
    }
}
