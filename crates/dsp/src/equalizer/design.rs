//! From settings to prototypes to sections.

use super::{BandSettings, Shape};
use crate::filter::{Accuracy, Feature, Power, Section, Stage, Zeros, fit};
use core::f64::consts::PI;
use units::{Db, Hz, decibels};

/// The most sections a band needs: a cut of eighth order.
pub(super) const MAX_SECTIONS: usize = 4;

/// Above this Q a shelf takes two sections: its pole pair and its zero pair are both sharp and stand apart, and
/// no single section has freedom left for the response between and beyond them.
const RESONANT: f64 = 1.3;
/// Below this Q a notch takes two sections: its zeros are fixed, and its poles alone cannot follow the wide skirts.
const WIDE: f64 = 0.9;
/// Q of the quadratic that the two sections of a split shape share.
const SHARED_Q: f64 = 0.65;
/// The sharpest section of a cut.
const SHARPEST_CUT: f64 = 16.0;
/// Q with which first-order stages are looked at.
const GENTLE: f64 = 0.6;

/// The analogue stages of a band.
pub(super) struct Prototype {
    stages: [Stage; MAX_SECTIONS],
    count: usize,
}

/// True when the shape is split into two sections that are fitted together.
pub(super) fn is_split(shape: Shape, q: f64) -> bool {
    match shape {
        Shape::LowShelf | Shape::HighShelf => q > RESONANT,
        Shape::Notch => q < WIDE,
        _ => false,
    }
}

/// Number of sections of the shape.
pub(super) fn sections(shape: Shape, q: f64, slope: u32) -> usize {
    match shape {
        Shape::LowCut | Shape::HighCut => (slope as usize / 6).div_ceil(2),
        _ if is_split(shape, q) => 2,
        _ => 1,
    }
}

impl Prototype {
    /// The prototype of `band`, whose values are in range; `split`: in two stages that belong together.
    pub(super) fn new(band: &BandSettings, split: bool) -> Self {
        let q = band.q;
        let a = Db(band.gain.0 / 2.0).gain();
        match band.shape {
            Shape::Bell => {
                let (numerator, denominator) =
                    (Power::of(1.0, a / q, 1.0), Power::of(1.0, 1.0 / (a * q), 1.0));
                Self::of(&[Stage::at_reference(numerator, denominator, q, Zeros::Free)])
            }
            Shape::LowShelf => Self::shelf(a, q, true, split),
            Shape::HighShelf => Self::shelf(a, q, false, split),
            Shape::LowCut | Shape::HighCut => Self::cut(band),
            Shape::Notch => {
                let (numerator, denominator) = (Power::of(1.0, 0.0, 1.0), Power::of(1.0, 1.0 / q, 1.0));
                let whole = Stage::at_reference(numerator, denominator, q, Zeros::AtReference);
                if split { Self::two(whole, 1.0) } else { Self::of(&[whole]) }
            }
            Shape::Tilt => {
                let (numerator, denominator) = (Power::of(0.0, a, 1.0), Power::of(0.0, 1.0, a));
                Self::of(&[Stage::at_reference(numerator, denominator, GENTLE, Zeros::Free)])
            }
        }
    }

    /// A prototype of so many stages, at most [`MAX_SECTIONS`].
    fn of(stages: &[Stage]) -> Self {
        let mut all = Self { stages: [Stage::IDENTITY; MAX_SECTIONS], count: stages.len() };
        all.stages[..stages.len()].copy_from_slice(stages);
        all
    }

    fn shelf(a: f64, q: f64, low: bool, split: bool) -> Self {
        let root = a.sqrt();
        let (numerator, denominator, zero, pole) = if low {
            (Power::of(a, a * root / q, a * a), Power::of(a, root / q, 1.0), root, 1.0 / root)
        } else {
            (Power::of(a * a, a * root / q, a), Power::of(1.0, root / q, a), 1.0 / root, root)
        };
        let (zero, pole) = (Feature { place: zero, q }, Feature { place: pole, q });
        let whole = Stage { numerator, denominator, zero, pole, zeros: Zeros::Free };
        if split { Self::two(whole, root) } else { Self::of(&[whole]) }
    }

    /// `whole` as two stages that share a quadratic of `scale` and middling Q.
    fn two(whole: Stage, scale: f64) -> Self {
        let shared = Power::of(scale, scale / SHARED_Q, scale);
        let between = Feature { place: 1.0, q: SHARED_Q };
        Self::of(&[
            Stage { denominator: shared, pole: between, ..whole },
            Stage { numerator: shared, zero: between, zeros: Zeros::Free, ..whole },
        ])
    }

    fn cut(band: &BandSettings) -> Self {
        let order = band.slope as usize / 6;
        let low = band.shape == Shape::LowCut;
        let mut all = Self { stages: [Stage::IDENTITY; MAX_SECTIONS], count: order.div_ceil(2) };
        for (i, stage) in all.stages[..all.count].iter_mut().enumerate() {
            // Pole pairs from the sharpest on; an odd order ends with a single pole.
            let angle = PI * (order - 1 - 2 * i) as f64 / (2 * order) as f64;
            let sharpness = 0.5 / angle.cos();
            let first_order = 2 * i + 1 == order;
            let q = match i {
                _ if first_order => GENTLE,
                0 => (sharpness * band.q).min(SHARPEST_CUT),
                _ => sharpness,
            };
            let (denominator, top) = if first_order {
                (Power::of(0.0, 1.0, 1.0), Power::of(0.0, 1.0, 0.0))
            } else {
                (Power::of(1.0, 1.0 / q, 1.0), Power::of(1.0, 0.0, 0.0))
            };
            let zeros = if low && !first_order { Zeros::AtZero } else { Zeros::Free };
            *stage = Stage::at_reference(if low { top } else { Power::UNITY }, denominator, q, zeros);
        }
        all
    }

    /// The analogue gain at `x`, the square of frequency over the band's frequency.
    pub(super) fn gain(&self, x: f64) -> Db {
        Db(0.5 * decibels(self.power(x)))
    }

    /// The same as a power gain.
    pub(super) fn power(&self, x: f64) -> f64 {
        self.stages[..self.count].iter().map(|stage| stage.at(x)).product()
    }

    /// Digital sections with the same response; `reference` is the band's frequency in cycles per sample.
    fn digital(&self, shape: Shape, reference: f64) -> [Section; MAX_SECTIONS] {
        let mut sections = [Section::IDENTITY; MAX_SECTIONS];
        // Far below Nyquist the start is nearly right.
        let steps = if reference < 0.1 { 2 } else { 4 };
        let gentle = Accuracy { features: &[], points: &[], split: 0.3, weight: 0.25, damping: 0.02, steps };
        if let [first, second, ..] = &self.stages
            && self.count == 2
            && !matches!(shape, Shape::LowCut | Shape::HighCut)
        {
            let accuracy = Accuracy { damping: 0.03, steps: 5, ..gentle };
            let accuracy = if shape == Shape::Notch {
                Accuracy { features: &[second.pole], points: &[0.1, 0.25, 0.5, 2.0, 4.0, 10.0], ..accuracy }
            } else {
                Accuracy { features: &[second.pole, first.zero], ..accuracy }
            };
            [sections[0], sections[1]] = fit(&[*first, *second], reference, &accuracy);
            return sections;
        }
        for (section, stage) in sections.iter_mut().zip(&self.stages[..self.count]) {
            let both = [stage.pole, stage.zero];
            let features = if stage.pole == stage.zero { &both[..1] } else { &both };
            let accuracy = match shape {
                Shape::LowCut | Shape::HighCut => Accuracy {
                    features,
                    points: &[0.5, 2.0],
                    split: 0.36,
                    weight: 0.1,
                    steps: steps.min(3),
                    ..gentle
                },
                _ => Accuracy { features, ..gentle },
            };
            [*section] = fit(&[*stage], reference, &accuracy);
        }
        sections
    }
}

/// The digital sections of `band`, whose values are in range, at `rate`; `split`: as two sections that belong together.
pub(super) fn design(band: &BandSettings, split: bool, rate: Hz) -> [Section; MAX_SECTIONS] {
    Prototype::new(band, split).digital(band.shape, band.frequency.0 / rate.0)
}
