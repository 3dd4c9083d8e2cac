//! Hearing one band instead of the equalizer: for setting it up, never part of a sound.

use super::key::KeyFilter;
use super::{BANDS, BandSettings};
use crate::{CONTROL_INTERVAL, Key, Ramp, Smoother};
use units::Hz;

/// What can be heard of a band instead of the equalizer's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// What moves the band of this index: its key, band-limited.
    Key(usize),
    /// What leaves the equalizer in the band of this index and its placement.
    Band(usize),
}

impl Heard {
    pub(super) fn band(self) -> usize {
        let (Self::Key(band) | Self::Band(band)) = self;
        band
    }
}

/// Replaces the output by what is to be heard; fades 20 ms each way.
pub(super) struct Ear {
    wanted: Option<Heard>,
    heard: Option<Heard>,
    fade: Smoother,
    weight: Ramp,
    filter: KeyFilter,
    /// What was taken in this step.
    taken: [[f64; CONTROL_INTERVAL]; 2],
}

impl Ear {
    pub(super) fn new(rate: Hz) -> Self {
        Self {
            wanted: None,
            heard: None,
            fade: Smoother::new(0.0, Smoother::TIME, rate),
            weight: Ramp::new(0.0),
            filter: KeyFilter::new(rate),
            taken: [[0.0; CONTROL_INTERVAL]; 2],
        }
    }

    pub(super) fn hear(&mut self, wanted: Option<Heard>) {
        self.wanted = wanted.filter(|heard| heard.band() < BANDS);
    }

    pub(super) fn wanted(&self) -> Option<Heard> {
        self.wanted
    }

    /// What is heard now, if anything is.
    pub(super) fn heard(&self) -> Option<Heard> {
        self.heard
    }

    /// True when the output is the equalizer's until told otherwise.
    pub(super) fn is_neutral(&self) -> bool {
        self.heard.is_none() && self.wanted.is_none()
    }

    /// Hears nothing any more.
    pub(super) fn reset(&mut self) {
        (self.wanted, self.heard) = (None, None);
        self.fade.set_now(0.0);
        self.weight = Ramp::new(0.0);
    }

    /// A control tick. `band`: the settings of a band by its index.
    pub(super) fn tick(&mut self, band: impl Fn(usize) -> BandSettings) {
        if self.heard != self.wanted {
            self.fade.set_target(0.0); // first away from the old
            if self.weight.is_settled_at(0.0) {
                self.heard = self.wanted;
                if let Some(heard) = self.heard {
                    let band = band(heard.band());
                    self.filter.rest(band.shape, band.frequency, band.q);
                    self.fade.set_target(1.0);
                }
            }
        } else if self.heard.is_some() {
            self.fade.set_target(1.0);
        }
        if let Some(heard) = self.heard {
            let band = band(heard.band());
            self.filter.tick(band.shape, band.frequency, band.q);
        }
        self.weight.tick(self.fade.tick());
    }

    /// Takes what `band` is keyed by.
    pub(super) fn take_key(&mut self, band: &BandSettings, own: [&[f64]; 2], key: Option<Key<'_>>) {
        let frames = own[0].len();
        let [left, right] = &mut self.taken;
        band.take_key([&mut left[..frames], &mut right[..frames]], own, key);
    }

    /// Takes what the equalizer gives where `band` acts.
    pub(super) fn take_part(&mut self, band: &BandSettings, output: [&[f64]; 2]) {
        let [left, right] = &mut self.taken;
        for (i, (left, right)) in left.iter_mut().zip(right).take(output[0].len()).enumerate() {
            [*left, *right] = band.placement.part(output[0][i], output[1][i]);
        }
    }

    /// Puts what was taken, band-limited, in the place of the output.
    pub(super) fn process(&mut self, since: usize, output: [&mut [f64]; 2]) {
        let frames = output[0].len();
        let [left, right] = &mut self.taken;
        self.filter.process(since, [&mut left[..frames], &mut right[..frames]]);
        for (output, taken) in output.into_iter().zip(&self.taken) {
            for (i, (output, &taken)) in output.iter_mut().zip(taken).enumerate() {
                let weight = self.weight.at(i);
                *output = (1.0 - weight) * *output + weight * taken;
            }
        }
        self.weight.advance(frames);
    }
}
