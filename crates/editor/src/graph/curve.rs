//! Frequency responses to draw, from the same filter design as the sound, computed only after a change.

use super::BandRows;
use crate::analyser::at_fraction;
use crate::view_model::ViewCx;
use chain::parameters::Value;
use dsp::equalizer::{BANDS, EqualizerSettings, Placement, Response};
use units::Hz;

/// Distance between two values of a curve, points.
const STEP_POINTS: f32 = 2.0;
/// Sample rate assumed before the host has set one.
const DEFAULT_RATE: Hz = Hz(48_000.0);

/// Curves in dB at even distances along the axis.
#[derive(Debug, Default)]
pub(super) struct Curves {
    of: Option<(EqualizerSettings, Hz, usize)>,
    bands: Vec<Option<Vec<f32>>>,
    whole: Vec<f32>,
    apart: Vec<(&'static str, Vec<f32>)>,
}

impl Curves {
    /// Updates the curves for settings, rate and width on screen.
    pub(super) fn follow(&mut self, settings: &EqualizerSettings, rate: Option<Hz>, width: f32) {
        let count = (width / STEP_POINTS).ceil().max(2.0) as usize + 1;
        let rate = rate.unwrap_or(DEFAULT_RATE);
        if self.of.as_ref().is_some_and(|(s, r, c)| s == settings && *r == rate && *c == count) {
            return;
        }
        self.bands = settings
            .bands
            .iter()
            .map(|band| band.on.then(|| curve(&Response::new(band, rate), rate, count)))
            .collect();
        let sum = |belongs: &dyn Fn(Placement) -> bool| {
            let mut sum = vec![0.0; count];
            for (band, levels) in settings.bands.iter().zip(&self.bands) {
                if let Some(levels) = levels.as_ref().filter(|_| belongs(band.placement)) {
                    sum.iter_mut().zip(levels).for_each(|(sum, level)| *sum += level);
                }
            }
            sum
        };
        self.whole = sum(&|placement| placement == Placement::Stereo);
        let used = |p| settings.bands.iter().any(|band| band.on && band.placement == p);
        self.apart =
            [("M", Placement::Mid), ("S", Placement::Side), ("L", Placement::Left), ("R", Placement::Right)]
                .into_iter()
                .filter(|&(_, p)| used(p))
                .map(|(tag, p)| (tag, sum(&|placement| placement == Placement::Stereo || placement == p)))
                .collect();
        self.of = Some((settings.clone(), rate, count));
    }

    /// Returns the response of all bands that every channel passes.
    pub(super) fn whole(&self) -> &[f32] {
        &self.whole
    }

    /// Returns the responses of mid, side, left and right, if bands make them differ.
    pub(super) fn apart(&self) -> &[(&'static str, Vec<f32>)] {
        &self.apart
    }

    /// Returns the response of one band.
    pub(super) fn own(&self, index: usize) -> Option<&[f32]> {
        self.bands.get(index)?.as_deref()
    }

    /// Returns a dynamic band's response at rest and at the end of its range.
    pub(super) fn moving(&self, cx: &ViewCx<'_>, band: &BandRows) -> Option<(Vec<f32>, Vec<f32>)> {
        if !cx.is_on(band.on) || !band.is_dynamic(cx) {
            return None;
        }
        let (_, rate, count) =
            *self.of.as_ref().map(|(s, r, c)| (s, r, c)).map(|(s, r, c)| (s.clone(), *r, *c)).as_ref()?;
        let own = self.own(band.index)?;
        let mut moved = cx.model.settings.clone();
        let gain = cx.number(band.gain)? + cx.number(band.range?)?;
        band.gain.set(&mut moved, Value::Number(Some(gain)));
        let settings = moved.equalizer.bands.get(band.index.min(BANDS - 1))?;
        let moved = curve(&Response::new(settings, rate), rate, count);
        let still = &self.whole;
        let end = still.iter().zip(own).zip(&moved).map(|((all, own), moved)| all - own + moved).collect();
        Some((still.clone(), end))
    }
}

fn curve(response: &Response, rate: Hz, count: usize) -> Vec<f32> {
    let nyquist = 0.499 * rate.0;
    let at = |i| at_fraction(i as f64 / (count - 1) as f64).0.min(nyquist);
    (0..count).map(|i| response.at(Hz(at(i))).0.max(-200.0) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyser::fraction_of;
    use dsp::equalizer::{BandSettings, Shape, response};
    use units::Db;

    fn settings() -> EqualizerSettings {
        let mut settings = EqualizerSettings::default();
        let bell = BandSettings { on: true, gain: Db(6.0), frequency: Hz(1000.0), ..BandSettings::default() };
        settings.bands[0] = bell;
        settings.bands[1] =
            BandSettings { shape: Shape::HighShelf, gain: Db(-4.0), placement: Placement::Side, ..bell };
        settings
    }

    #[test]
    fn the_curve_is_the_response_of_the_sound_s_filters() {
        let mut curves = Curves::default();
        let settings = settings();
        curves.follow(&settings, Some(Hz(44_100.0)), 800.0);
        let count = curves.whole().len();
        for hz in [50.0, 1000.0, 9000.0] {
            let index = (fraction_of(Hz(hz)) * (count - 1) as f64).round() as usize;
            let exact = at_fraction(index as f64 / (count - 1) as f64);
            let bell = response(&settings.bands[0], Hz(44_100.0), exact).0;
            let shelf = response(&settings.bands[1], Hz(44_100.0), exact).0;
            assert!((f64::from(curves.whole()[index]) - bell).abs() < 1e-4, "{hz}");
            let (tag, side) = &curves.apart()[0];
            assert_eq!((*tag, curves.apart().len()), ("S", 1));
            assert!((f64::from(side[index]) - bell - shelf).abs() < 1e-4, "{hz}");
        }
        assert!(curves.own(1).is_some() && curves.own(2).is_none());
    }

    #[test]
    fn nothing_is_computed_twice_and_every_change_is_seen() {
        let mut curves = Curves::default();
        let mut settings = settings();
        curves.follow(&settings, None, 400.0);
        let before = curves.whole().as_ptr();
        curves.follow(&settings, None, 400.0);
        assert_eq!(curves.whole().as_ptr(), before);
        settings.bands[0].q = 3.0;
        let old = curves.whole().to_vec();
        curves.follow(&settings, None, 400.0);
        assert_ne!(curves.whole(), old);
    }
}
