//! The loss of a version to the master's gains that its own level would not cause.

use units::{Db, Hz, Ms, decibels};

/// Below this level a stretch is not judged: -50 dBFS, as a mean square.
const MIN_POWER: f64 = 1e-5;

/// Compares a version under the master's gains with the same under its own, stretch by stretch of 100 ms.
pub(super) struct Unexplained {
    hop: u64,
    filled: u64,
    /// Sums of squares: its own gains, the master's.
    own: f64,
    inherited: f64,
    frame: u64,
    most: Db,
    at: u64,
}

impl Unexplained {
    pub(super) fn new(rate: Hz) -> Self {
        let hop = Ms(100.0).samples(rate).0.max(1) as u64;
        Self { hop, filled: 0, own: 0.0, inherited: 0.0, frame: 0, most: Db(0.0), at: 0 }
    }

    pub(super) fn push(&mut self, own: [&[f64]; 2], inherited: [&[f64]; 2]) {
        for i in 0..own[0].len() {
            self.own += own[0][i] * own[0][i] + own[1][i] * own[1][i];
            self.inherited += inherited[0][i] * inherited[0][i] + inherited[1][i] * inherited[1][i];
            self.filled += 1;
            if self.filled == self.hop {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        if self.own / (2.0 * self.hop as f64) > MIN_POWER && self.inherited > 0.0 {
            let lost = Db(0.5 * decibels(self.own / self.inherited));
            if lost > self.most {
                (self.most, self.at) = (lost, self.frame);
            }
        }
        self.frame += self.hop;
        (self.filled, self.own, self.inherited) = (0, 0.0, 0.0);
    }

    /// The most that is lost, and the frame of the song where it is.
    pub(super) fn max(&self) -> (Db, u64) {
        (self.most, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_told_with_its_place() {
        let mut lost = Unexplained::new(Hz(8000.0));
        let own = vec![0.1; 8000];
        let mut inherited = own.clone();
        inherited[4000..4800].iter_mut().for_each(|x| *x *= 0.5);
        for at in (0..8000).step_by(400) {
            let part = |all: &'_ [f64]| all[at..at + 400].to_vec();
            let (a, b) = (part(&own), part(&inherited));
            lost.push([&a, &a], [&b, &b]);
        }
        let (most, at) = lost.max();
        assert!((most.0 - 6.0206).abs() < 1e-3 && at == 4000, "{most:?} {at}");
    }

    #[test]
    fn what_is_hardly_heard_does_not_count() {
        let mut lost = Unexplained::new(Hz(8000.0));
        let (own, inherited) = (vec![0.002; 8000], vec![0.0002; 8000]);
        lost.push([&own, &own], [&inherited, &inherited]);
        assert_eq!(lost.max(), (Db(0.0), 0));
    }
}
