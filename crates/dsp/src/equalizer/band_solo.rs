//! Solo of one band, or of its key, for setting it up.

use super::key_filter::KeyFilter;
use super::{BANDS, BandSettings, Placement};
use crate::{Block, CONTROL_INTERVAL, Pair, Ramp, Smoother};
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
    /// The target set last.
    pub(super) wanted: Option<SoloTarget>,
    /// The target that is audible now, if any.
    pub(super) current: Option<SoloTarget>,
    fade: Smoother,
    weight: Ramp,
    filter: KeyFilter,
    /// The key's frames of this pass, before its filter.
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
    pub(super) fn copy_key(&mut self, band: &BandSettings, block: &mut Block<'_>) {
        let sidechain = block.key();
        let (left, right) = block.channels();
        for (i, (left, right)) in left.iter().zip(right).enumerate() {
            self.frames[i] = band.key(i, [*left, *right], sidechain);
        }
    }

    /// Replaces the equalizer's output by the audible target, limited to its band. `placement`: of a band by its index.
    pub(super) fn process(
        &mut self,
        since: usize,
        placement: impl Fn(usize) -> Placement,
        block: &mut Block<'_>,
    ) {
        let Some(target) = self.current else { return };
        let placement = placement(target.band());
        let (left, right) = block.channels();
        let registers = stereo();
        let moving = !self.filter.series.is_static();
        let mut filter = self.filter.series.load::<_, 2>(registers, since, CONTROL_INTERVAL, moving);
        for i in 0..left.len() {
            let output = [left[i], right[i]];
            let frame = match target {
                SoloTarget::Key(_) => self.frames[i],
                SoloTarget::Band(_) => placement.part(output),
            };
            let frame = filter.next(registers.load(&frame)).last();
            let weight = self.weight.at(i);
            [left[i], right[i]] = [0, 1].map(|k| (1.0 - weight) * output[k] + weight * frame[k]);
        }
        self.filter.series.store(&filter);
        self.weight.advance(left.len());
    }
}
