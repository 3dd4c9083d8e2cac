//! Bands that stand still, filtered together.

use super::band::Band;
use crate::dsp::filter::Cascade;

/// Sections of bands that stand still, until they are run.
///
/// Bands of the middle and the sides are filtered as middle and sides: what they hold is a sum and a difference, which
/// cost a rounding each way.
#[derive(Default)]
pub(super) struct Standing {
    cascade: Cascade,
    /// The band and the section of each.
    lent: [(usize, usize); Cascade::MOST],
    /// The channels are the middle and the sides now.
    between: bool,
}

impl Standing {
    /// Takes what the band of index `i` does now, if it stands still: what is taken acts when it is run. What was taken
    /// before is run first where it must be.
    pub(super) fn take(&mut self, bands: &mut [Band], i: usize, left: &mut [f64], right: &mut [f64]) -> bool {
        let Some(voice) = bands[i].standing() else { return false };
        let (sections, between) = (voice.sections(), voice.is_between());
        if sections > 0 && between != self.between {
            self.run(bands, left, right);
            turn(left, right, if between { 0.5 } else { 1.0 });
            self.between = between;
        }
        for section in 0..sections {
            if self.cascade.len() == Cascade::MOST {
                self.run(bands, left, right);
            }
            if let Some(voice) = bands[i].standing() {
                self.lent[self.cascade.len()] = (i, section);
                voice.lend(section, &mut self.cascade);
            }
        }
        true
    }

    /// Runs what was taken, in left and right again afterwards.
    pub(super) fn finish(&mut self, bands: &mut [Band], left: &mut [f64], right: &mut [f64]) {
        self.run(bands, left, right);
        if self.between {
            turn(left, right, 1.0);
            self.between = false;
        }
    }

    fn run(&mut self, bands: &mut [Band], left: &mut [f64], right: &mut [f64]) {
        if self.cascade.is_empty() {
            return;
        }
        self.cascade.run(left, right);
        for (place, &(band, section)) in self.lent[..self.cascade.len()].iter().enumerate() {
            if let Some(voice) = bands[band].standing() {
                voice.take_back(section, &self.cascade, place);
            }
        }
        self.cascade.clear();
    }
}

/// Sum and difference: from left and right to middle and sides with a `scale` of a half, and back with one.
fn turn(left: &mut [f64], right: &mut [f64], scale: f64) {
    for (left, right) in left.iter_mut().zip(right) {
        (*left, *right) = (scale * (*left + *right), scale * (*left - *right));
    }
}
