//! Analyser for display: spectra, levels, stereo field. ReferenceReadings come from the meter.

use super::display::SpectrumDisplay;
use egui::Color32;
use fourier::Complex32;
use fourier::RealToComplex;
use plugin_core::gauges::scope::{REDUCTION_COUNT, SCOPE_FRAMES, Scope, ScopePoint, correlation};
use std::sync::{Arc, LazyLock};
use units::{Hz, decibels};

/// Number of frequencies at which spectra are drawn.
pub const SPECTRUM_POINTS: usize = 300;
/// Lowest frequency drawn: that of the equalizer's bands.
pub const LOWEST_FREQUENCY: Hz = Hz(10.0);
/// Highest frequency drawn: that of the equalizer's bands.
pub const HIGHEST_FREQUENCY: Hz = Hz(30_000.0);
/// Level of silence, dB.
pub const FLOOR_DB: f32 = -140.0;
/// Smoothing width of spectra, octaves.
const SMOOTHING_OCTAVES: f64 = 1.0 / 12.0;
/// Time constant of rising spectra, seconds.
const RISE_SECONDS: f32 = 0.04;
const FALL_SECONDS: f32 = 0.28;
/// Decay of peak levels, dB per second.
const DROP_DB_PER_SECOND: f32 = 24.0;
const HOLD_SECONDS: f32 = 1.5;
/// Frames of the correlation and the stereo field.
const FIELD_FRAMES: usize = 2048;
/// Time for which stereo field and correlation stay without new sound, seconds.
const STALE_SECONDS: f32 = 0.3;
/// Delay before spectra fall, seconds: windows draw more often than hosts send blocks.
const FALL_DELAY_SECONDS: f32 = 0.15;
/// Interval of new spectra and stereo fields, seconds; levels are smoothed in between.
const SPECTRUM_INTERVAL_SECONDS: f32 = 0.03;
/// Interval of changing figures, seconds.
pub(super) const FIGURE_INTERVAL_SECONDS: f32 = 0.1;

/// Returns the frequency of point `index`.
pub fn frequency(index: usize) -> Hz {
    at_fraction(index as f64 / (SPECTRUM_POINTS - 1) as f64)
}

/// Returns the frequency at a fraction (0 to 1) of the axis.
pub fn at_fraction(fraction: f64) -> Hz {
    Hz(LOWEST_FREQUENCY.0 * (HIGHEST_FREQUENCY.0 / LOWEST_FREQUENCY.0).powf(fraction))
}

/// Returns the fraction (0 to 1) of the axis at a frequency.
pub fn fraction_of(frequency: Hz) -> f64 {
    (frequency.0 / LOWEST_FREQUENCY.0).ln() / (HIGHEST_FREQUENCY.0 / LOWEST_FREQUENCY.0).ln()
}

/// Returns what a tilt of `per_octave`, dB, around 1 kHz adds at a frequency, dB.
pub(super) fn tilt(frequency: Hz, per_octave: f32) -> f32 {
    per_octave * (frequency.0 / 1000.0).log2() as f32
}

/// Spectrum of another stem.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedSpectrum {
    /// Name of the stem.
    pub name: String,
    /// Colour, adapted to the palette.
    pub colour: Color32,
    /// dB at each point.
    pub levels: Vec<f32>,
}

/// Values to draw in one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnalyserFrame {
    /// Spectrum of the input, dB at each point; empty before there is one.
    pub before: Vec<f32>,
    /// Spectrum of the output.
    pub after: Vec<f32>,
    /// Spectrum of the sidechain; empty unless it is to be drawn.
    pub sidechain: Vec<f32>,
    /// Nothing sounds any more: what is drawn fades.
    pub fades: bool,
    /// Highest spectrum of the output since it was to be held; empty unless it is.
    pub held: Vec<f32>,
    /// Highest samples of input and output, linear, in the slices of `reductions`.
    pub peaks: Vec<[f32; 2]>,
    /// Levels of left and right, dBFS.
    pub levels: [f32; 2],
    /// Peak holds of left and right, dBFS.
    pub holds: [f32; 2],
    /// Latest frames, for the stereo field.
    pub field: Vec<[f32; 2]>,
    /// Their correlation.
    pub correlation: Option<f64>,
    /// Gain reductions of compressor and limiter, dB, oldest first.
    pub reductions: Vec<[f32; 2]>,
    /// Highest gain reduction of both together since the window was opened or peaks were reset, dB.
    pub highest_reduction: f32,
    /// The same of compressor and limiter apart.
    pub highest_reductions: [f32; 2],
}

impl AnalyserFrame {
    /// Returns a frame of silence.
    pub fn silent() -> Self {
        Self { levels: [FLOOR_DB; 2], holds: [FLOOR_DB; 2], ..Self::default() }
    }

    /// Returns true while levels or spectra are still falling.
    pub fn is_moving(&self) -> bool {
        let spectra = self.before.iter().chain(&self.after).chain(&self.sidechain);
        self.levels.iter().chain(spectra).any(|&level| level > FLOOR_DB + 1.0)
    }
}

/// Frequency of every point, Hz, and its octaves from 1 kHz.
static AXIS: LazyLock<Vec<(f64, f32)>> = LazyLock::new(|| {
    (0..SPECTRUM_POINTS).map(frequency).map(|frequency| (frequency.0, tilt(frequency, 1.0))).collect()
});

/// Computes frames from a [`Scope`]: two FFTs for each spectrum of a frame, at most thirty times a second, on the window's thread.
pub struct Analyser {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    input: Vec<f32>,
    output: Vec<Complex32>,
    scratch: Vec<Complex32>,
    frames: Vec<[f32; 2]>,
    powers: Vec<f32>,
    /// Goals of the spectra before and after the chain and of the sidechain, dB at each point.
    goals: [Vec<f32>; 3],
    display: SpectrumDisplay,
    /// Seconds since the goals were computed.
    since_spectra: f32,
    /// Seconds since the figures changed.
    since_figures: f32,
    seen: u64,
    /// Number of gain reductions ever written; `None` before the first frame.
    reductions_seen: Option<u64>,
    time: Option<f64>,
    held: [f32; 2],
    /// Seconds since the last sound.
    stale: f32,
    picture: AnalyserFrame,
}

impl Default for Analyser {
    fn default() -> Self {
        Self::new(SCOPE_FRAMES / 2)
    }
}

impl Analyser {
    fn new(length: usize) -> Self {
        let fft = fourier::forward(length);
        let phase = core::f32::consts::TAU / length as f32;
        Self {
            window: (0..length).map(|i| 0.5 - 0.5 * (phase * i as f32).cos()).collect(),
            input: fft.make_input_vec(),
            output: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
            frames: Vec::with_capacity(SCOPE_FRAMES),
            powers: Vec::new(),
            goals: Default::default(),
            display: SpectrumDisplay::default(),
            since_spectra: SPECTRUM_INTERVAL_SECONDS,
            since_figures: FIGURE_INTERVAL_SECONDS,
            seen: 0,
            reductions_seen: None,
            time: None,
            held: [0.0; 2],
            stale: 0.0,
            picture: AnalyserFrame::silent(),
        }
    }

    /// Updates and returns the frame at `time` seconds.
    pub fn update(&mut self, scope: &Scope, time: f64) -> &AnalyserFrame {
        let rate = scope.rate().unwrap_or(Hz(48_000.0));
        let elapsed = self.time.map_or(0.0, |last| (time - last).clamp(0.0, 1.0)) as f32;
        self.time = Some(time);
        if elapsed == 0.0 && self.seen > 0 {
            return &self.picture;
        }
        let wanted = if rate.0 > 60_000.0 { SCOPE_FRAMES } else { SCOPE_FRAMES / 2 };
        if self.window.len() != wanted {
            *self = Self {
                picture: std::mem::take(&mut self.picture),
                seen: self.seen,
                reductions_seen: self.reductions_seen,
                display: self.display,
                time: self.time,
                ..Self::new(wanted)
            };
        }
        let written = scope.written();
        let fresh = written.wrapping_sub(self.seen).min(SCOPE_FRAMES as u64) as usize;
        self.seen = written;
        (self.since_spectra, self.since_figures) =
            (self.since_spectra + elapsed, self.since_figures + elapsed);
        self.stale = if fresh > 0 { 0.0 } else { self.stale + elapsed };
        let is_due = fresh > 0 && self.since_spectra >= SPECTRUM_INTERVAL_SECONDS;
        if is_due {
            self.since_spectra = 0.0;
            if self.display.sidechain {
                self.update_goal(scope, ScopePoint::Sidechain, rate);
            }
            self.update_goal(scope, ScopePoint::Before, rate);
            self.update_goal(scope, ScopePoint::After, rate);
        } else if fresh > 0 {
            scope.read_frames(ScopePoint::After, fresh.max(FIELD_FRAMES), &mut self.frames);
        }
        self.picture.fades = self.stale > FALL_DELAY_SECONDS;
        if self.picture.fades {
            self.goals.iter_mut().for_each(|goal| goal.fill(FLOOR_DB));
        }
        let time = elapsed / self.display.speed.factor();
        smooth_levels(&mut self.picture.before, &self.goals[0], time);
        smooth_levels(&mut self.picture.after, &self.goals[1], time);
        if self.display.sidechain {
            smooth_levels(&mut self.picture.sidechain, &self.goals[2], time);
        }
        if self.display.holds {
            self.picture.held.resize(SPECTRUM_POINTS, FLOOR_DB);
            let levels = self.picture.held.iter_mut().zip(&self.picture.after);
            levels.for_each(|(held, level)| *held = held.max(*level));
        }
        self.levels(fresh, elapsed);
        let newest = &self.frames[self.frames.len().saturating_sub(FIELD_FRAMES)..];
        if self.stale > STALE_SECONDS {
            self.picture.field.clear();
            self.picture.correlation = None;
        } else if is_due {
            self.picture.field.clear();
            self.picture.field.extend_from_slice(newest);
        }
        if fresh > 0 && (self.since_figures >= FIGURE_INTERVAL_SECONDS || self.picture.correlation.is_none())
        {
            self.since_figures = 0.0;
            self.picture.correlation = correlation(newest);
        }
        self.update_reductions(scope);
        &self.picture
    }

    /// Sets how spectra are drawn; what a change makes wrong is forgotten.
    pub fn set_display(&mut self, display: SpectrumDisplay) {
        if self.display == display {
            return;
        }
        if !display.holds || display.tilt != self.display.tilt {
            self.picture.held.clear();
        }
        if !display.sidechain {
            self.picture.sidechain.clear();
            self.goals[2].clear();
        }
        // levels already drawn move with the tilt, also while nothing sounds
        let change = display.tilt - self.display.tilt;
        let spectra = [&mut self.picture.before, &mut self.picture.after, &mut self.picture.sidechain];
        for levels in spectra.into_iter().chain(&mut self.goals) {
            for (level, (_, octaves)) in levels.iter_mut().zip(AXIS.iter()) {
                if *level > FLOOR_DB {
                    *level = (*level + change * octaves).max(FLOOR_DB);
                }
            }
        }
        self.display = display;
    }

    /// Forgets the highest gain reductions and the held spectrum.
    pub fn reset_peaks(&mut self) {
        self.picture.held.clear();
        (self.picture.highest_reduction, self.picture.highest_reductions) = (0.0, [0.0; 2]);
    }

    /// Takes new gain reductions. What is still in the ring from before the window was opened does not count.
    fn update_reductions(&mut self, scope: &Scope) {
        let written = scope.read_reductions(REDUCTION_COUNT, &mut self.picture.reductions);
        let fresh = written.saturating_sub(self.reductions_seen.unwrap_or(written)) as usize;
        self.reductions_seen = Some(written);
        let newest = &self.picture.reductions[self.picture.reductions.len().saturating_sub(fresh)..];
        let highest = newest.iter().map(|[compressor, limiter]| compressor + limiter);
        self.picture.highest_reduction = highest.fold(self.picture.highest_reduction, f32::max);
        for reductions in newest {
            for (highest, reduction) in self.picture.highest_reductions.iter_mut().zip(reductions) {
                *highest = highest.max(*reduction);
            }
        }
        scope.read_peaks(REDUCTION_COUNT, &mut self.picture.peaks);
    }

    /// Computes the goal of the spectrum at `point`. Leaves the point's samples in `frames`.
    fn update_goal(&mut self, scope: &Scope, point: ScopePoint, rate: Hz) {
        scope.read_frames(point, self.window.len(), &mut self.frames);
        self.transform();
        let bin = rate.0 / self.window.len() as f64;
        let mut goal = std::mem::take(&mut self.goals[point as usize]);
        goal.clear();
        goal.extend(AXIS.iter().map(|&(hz, octaves)| self.level_at(hz, self.display.tilt * octaves, bin)));
        self.goals[point as usize] = goal;
    }

    /// Computes the power per bin of both channels, scaled so that a full-scale sine in both reads 0 dB.
    fn transform(&mut self) {
        self.powers.clear();
        self.powers.resize(self.output.len(), 0.0);
        let padding = self.window.len() - self.frames.len();
        let scale = 2.0 / self.window.iter().sum::<f32>();
        for side in 0..2 {
            self.input[..padding].fill(0.0);
            for ((x, frame), w) in
                self.input[padding..].iter_mut().zip(&self.frames).zip(&self.window[padding..])
            {
                *x = frame[side] * w * scale;
            }
            // lengths are the plan's own
            if self.fft.process_with_scratch(&mut self.input, &mut self.output, &mut self.scratch).is_ok() {
                for (power, x) in self.powers.iter_mut().zip(&self.output) {
                    *power += 0.5 * x.norm_sqr();
                }
            }
        }
    }

    fn level_at(&self, hz: f64, tilt: f32, bin: f64) -> f32 {
        let centre = hz / bin;
        let last = self.powers.len() - 1;
        if centre >= last as f64 {
            return FLOOR_DB;
        }
        let half = (centre * SMOOTHING_OCTAVES * 0.5 * core::f64::consts::LN_2).max(1.0);
        let (low, high) = ((centre - half).max(0.0), (centre + half).min(last as f64));
        // a triangle over the bins around
        let (mut sum, mut weights) = (0.0, 0.0);
        for i in low.ceil() as usize..=high.floor() as usize {
            let weight = (1.0 - (i as f64 - centre).abs() / half).max(1e-3);
            sum += weight * f64::from(self.powers[i]);
            weights += weight;
        }
        let power = if weights > 0.0 { sum / weights } else { 0.0 };
        ((0.5 * decibels(power + 1e-30)) as f32 + tilt).max(FLOOR_DB)
    }

    fn levels(&mut self, fresh: usize, elapsed: f32) {
        let newest = &self.frames[self.frames.len().saturating_sub(fresh)..];
        for side in 0..2 {
            let peak = newest.iter().map(|frame| frame[side].abs()).fold(0.0, f32::max);
            let now = (decibels(f64::from(peak)) as f32).max(FLOOR_DB);
            let (level, hold) = (&mut self.picture.levels[side], &mut self.picture.holds[side]);
            *level = now.max(*level - DROP_DB_PER_SECOND * elapsed).max(FLOOR_DB);
            self.held[side] += elapsed;
            if now >= *hold {
                (*hold, self.held[side]) = (now, 0.0);
            } else if self.held[side] > HOLD_SECONDS {
                *hold = level.max(*hold - DROP_DB_PER_SECOND * elapsed);
            }
        }
    }
}

/// Moves levels towards their goals.
fn smooth_levels(levels: &mut Vec<f32>, goal: &[f32], elapsed: f32) {
    levels.resize(SPECTRUM_POINTS, FLOOR_DB);
    let (rise, fall) = (1.0 - (-elapsed / RISE_SECONDS).exp(), 1.0 - (-elapsed / FALL_SECONDS).exp());
    for (level, &goal) in levels.iter_mut().zip(goal) {
        *level += (goal - *level) * if goal > *level { rise } else { fall };
        if *level < FLOOR_DB + 1.0 {
            *level = FLOOR_DB;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugin_core::gauges::Gauges;
    use plugin_core::gauges::scope::ScopeWatch;

    fn after(signal: impl Fn(f64) -> [f64; 2], seconds: f64) -> AnalyserFrame {
        let gauges = Arc::new(Gauges::default());
        let _watch = ScopeWatch::new(Arc::clone(&gauges));
        let scope = gauges.scope();
        scope.publish_rate(Hz(48_000.0));
        let mut analyser = Analyser::default();
        let mut time = 0.0;
        while time < seconds {
            let frames: Vec<_> = (0..1600).map(|i| signal(time + f64::from(i) / 48_000.0)).collect();
            let side = |i: usize| frames.iter().map(|frame| frame[i]).collect::<Vec<_>>();
            scope.write_frames(ScopePoint::After, &side(0), &side(1));
            time += 1600.0 / 48_000.0;
            analyser.update(scope, time);
        }
        analyser.update(scope, time + 1e-3).clone()
    }

    fn sine(hz: f64, amplitude: f64) -> impl Fn(f64) -> [f64; 2] {
        move |t| [amplitude * (core::f64::consts::TAU * hz * t).sin(); 2]
    }

    #[test]
    fn a_sine_peaks_at_its_frequency() {
        for hz in [60.0, 1000.0, 9000.0] {
            let picture = after(sine(hz, 0.5), 1.5);
            let highest = (0..SPECTRUM_POINTS).max_by(|&a, &b| picture.after[a].total_cmp(&picture.after[b]));
            let got = frequency(highest.expect("points")).0;
            assert!((got / hz).log2().abs() < 0.12, "{hz}: {got}");
            assert!(picture.before.iter().all(|&level| level < -100.0), "silence came in");
        }
    }

    #[test]
    fn levels_are_peaks_and_fall_after_the_hold() {
        let loud = after(sine(100.0, 0.5), 0.5);
        assert!((loud.levels[0] + 6.02).abs() < 0.1 && (loud.holds[1] + 6.02).abs() < 0.1);
        let later = |t: f64| if t < 0.5 { sine(100.0, 0.5)(t) } else { [0.0; 2] };
        let held = after(later, 1.0);
        assert!((held.holds[0] + 6.02).abs() < 0.1 && held.levels[0] < -15.0, "{:?}", held.levels);
        let gone = after(later, 9.0);
        assert_eq!((gone.levels, gone.holds), ([FLOOR_DB; 2], [FLOOR_DB; 2]));
        assert!(!gone.is_moving() && loud.is_moving());
    }

    /// A host whose blocks are longer than a frame: between two of them nothing falls.
    #[test]
    fn spectra_do_not_flutter_between_blocks_and_fall_when_the_sound_ends() {
        let gauges = Arc::new(Gauges::default());
        let _watch = ScopeWatch::new(Arc::clone(&gauges));
        let scope = gauges.scope();
        scope.publish_rate(Hz(48_000.0));
        let mut analyser = Analyser::default();
        let mut noise = 1u32;
        let mut block = || -> Vec<f64> {
            let mut next = || {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from(noise >> 8) / f64::from(1 << 24) - 0.5
            };
            (0..4096).map(|_| next()).collect()
        };
        let at = |levels: &[f32]| {
            levels.iter().filter(|level| **level > FLOOR_DB).sum::<f32>() / SPECTRUM_POINTS as f32
        };
        let (mut time, mut written, mut heard) = (0.0f64, 0.0, Vec::new());
        while time < 4.0 {
            time += 1.0 / 60.0;
            while written <= time.min(2.0) {
                let side = block();
                scope.write_frames(ScopePoint::After, &side, &side);
                written += 4096.0 / 48_000.0;
            }
            let level = at(&analyser.update(scope, time).after);
            if (1.0..2.0).contains(&time) {
                heard.push(level);
            }
        }
        let step = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(step < 1.0 && heard.len() > 50, "by {step} dB from one frame to the next");
        assert!(analyser.picture.after.iter().all(|level| *level == FLOOR_DB), "all is silent");
    }

    #[test]
    fn figures_change_ten_times_a_second() {
        let gauges = Arc::new(Gauges::default());
        let _watch = ScopeWatch::new(Arc::clone(&gauges));
        let scope = gauges.scope();
        scope.publish_rate(Hz(48_000.0));
        let mut analyser = Analyser::default();
        let (mut changes, mut last) = (0, None);
        for frame in 0..120 {
            // what leaves turns from mono to its opposite
            let right: Vec<f64> = (0..800).map(|i| f64::from(i % 50 - 25 + frame)).collect();
            let left: Vec<f64> = right.iter().map(|x| x + 60.0 - f64::from(frame)).collect();
            scope.write_frames(ScopePoint::After, &left, &right);
            let now = analyser.update(scope, f64::from(frame) / 60.0).correlation;
            changes += usize::from(now != last);
            last = now;
        }
        assert!((15..=21).contains(&changes), "{changes} in two seconds");
    }

    #[test]
    fn correlation_is_of_what_leaves() {
        let sum = after(sine(300.0, 0.3), 0.4);
        assert!((sum.correlation.expect("sounds") - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_axis_goes_there_and_back() {
        for hz in [10.0, 440.0, 30_000.0] {
            assert!((at_fraction(fraction_of(Hz(hz))).0 / hz - 1.0).abs() < 1e-12);
        }
    }
}
