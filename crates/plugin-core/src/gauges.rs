//! Meters published by the audio thread, without locks.
//!
//! [`MeterTap`] stays with the audio thread: it accumulates hops and peaks at constant cost and publishes each
//! finished hop as one atomic word. [`Gauges`] is read by any other thread, which derives integrated readings. Hops
//! are recorded whether a window is open or not, up to the last [`RING_HOPS`].

pub mod history;
pub mod matching;
mod programme;
pub mod scope;

use atomic_float::AtomicF32;
use chain::LatencyClass;
use meter::layout::Layout;
use meter::loudness::{self, ABSOLUTE_GATE, BLOCK_HOPS, HopMeter, SHORT_TERM_HOPS};
use meter::true_peak::TruePeak;
use meter::{Reading, reading_from_hops};
use programme::{NO_PLACE, Programme};
use scope::Scope;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use units::{Db, Dbtp, Hz, Lufs, Ms, Power, decibels};

/// Hops in the ring: four hours.
pub const RING_HOPS: usize = 4 * 3600 * 10;

/// Published meters. Read by any thread; one thread at a time writes.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Ring of hops: power and true peak, two `f32` in a word. Allocated by the first [`MeterTap`].
    hops: OnceLock<Box<[AtomicU64]>>,
    /// Ring of the hops' numbers on the project's timeline, [`NO_PLACE`] without one.
    places: OnceLock<Box<[AtomicI64]>>,
    /// Hops written; the newest is at `(written - 1) % RING_HOPS`.
    written: AtomicU64,
    /// First hop of the reading.
    since: AtomicU64,
    /// True if a play from the start begins a new reading.
    restarts_with_play: AtomicBool,
    /// Highest sample since the reading was restarted, linear.
    sample_peak: AtomicF32,
    /// Highest true peak of each channel since they were reset, linear.
    channel_peaks: [AtomicF32; 2],
    /// Gain reduction, dB.
    compressor_reduction: AtomicF32,
    limiter_reduction: AtomicF32,
    sanitized: AtomicU64,
    faults: AtomicU64,
    panics: AtomicU64,
    latency: AtomicU64,
    /// Index of the active class in [`LatencyClass::ALL`], from 1; 0 before the first activation.
    class: AtomicU8,
    scope: Scope,
}

impl AsRef<Scope> for Gauges {
    fn as_ref(&self) -> &Scope {
        &self.scope
    }
}

/// Gain reduction and fault counts of the chain after a block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Health {
    /// Gain reduction of the compressor, never negative.
    pub compressor_reduction: Db,
    /// Gain reduction of the limiter, never negative.
    pub limiter_reduction: Db,
    /// Non-finite input samples since reset.
    pub sanitized: u64,
    /// Non-finite output samples since reset.
    pub faults: u64,
}

impl Gauges {
    /// Returns the reading since [`Self::restart_reading`]; of a range of the timeline that was heard more than once,
    /// the last time counts. Allocates; not for the audio thread.
    pub fn reading(&self) -> Reading {
        let Some(ring) = self.hops.get() else { return Reading::default() };
        let (since, written) = self.range();
        let programme = self.programme();
        let last = |window: usize| {
            let first = written.checked_sub(window as u64).filter(|first| *first >= since)?;
            let powers: Vec<Power> = (first..written).map(|hop| Power(hop_at(ring, hop).0)).collect();
            loudness::windows(&powers, window).next()?.loudness().filter(is_shown)
        };
        let sample_peak = f64::from(self.sample_peak.load(Ordering::Relaxed));
        let short_term = last(SHORT_TERM_HOPS);
        let recent_peak = peak_over(ring, since.max(written.saturating_sub(SHORT_TERM_HOPS as u64))..written);
        Reading {
            momentary: last(BLOCK_HOPS),
            short_term,
            psr: short_term.zip(Dbtp::from_amplitude(recent_peak)).map(|(s, peak)| Db(peak.0 - s.0)),
            true_peak: Dbtp::from_amplitude(programme.true_peak),
            sample_peak: (sample_peak > 0.0).then(|| Db(decibels(sample_peak))),
            ..reading_from_hops(&programme.powers)
        }
    }

    /// First hop of the reading, and the one after its last.
    fn range(&self) -> (u64, u64) {
        // Acquire: a reader of the count sees the hops
        let written = self.written.load(Ordering::Acquire);
        // a few hops short of the whole ring, so that the writer does not overtake the reader
        let oldest = written.saturating_sub(RING_HOPS as u64 - 16);
        (self.since.load(Ordering::Relaxed).max(oldest).min(written), written)
    }

    /// Hops of the reading on the timeline.
    fn programme(&self) -> Programme {
        let (Some(ring), Some(places)) = (self.hops.get(), self.places.get()) else {
            return Programme::default();
        };
        let (since, written) = self.range();
        Programme::new((since..written).map(|hop| {
            let place = places[(hop % RING_HOPS as u64) as usize].load(Ordering::Relaxed);
            (place, hop_at(ring, hop))
        }))
    }

    /// Returns the number of published hops. The reading changes only with it, or with a restart.
    pub fn hops(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Returns the length of the programme that the reading covers; a range of the timeline counts once. Allocates.
    pub fn programme_length(&self) -> Ms {
        Ms(self.programme().heard as f64 * 100.0)
    }

    /// Returns the first hop of the reading and the number of published hops: the reading changes only with them.
    pub fn progress(&self) -> (u64, u64) {
        (self.since.load(Ordering::Relaxed), self.hops())
    }

    /// Sets whether a play from the start, after a stop, begins a new reading.
    pub fn set_restart_with_play(&self, restarts: bool) {
        self.restarts_with_play.store(restarts, Ordering::Relaxed);
    }

    /// Returns the sample rings for windows.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns momentary and short-term loudness. Does not allocate.
    pub fn current_loudness(&self) -> (Option<Lufs>, Option<Lufs>) {
        let Some(ring) = self.hops.get() else { return (None, None) };
        let written = self.written.load(Ordering::Acquire);
        let last = |window: usize| {
            let from = written.checked_sub(window as u64)?;
            let mut powers = [Power(0.0); SHORT_TERM_HOPS];
            for (power, hop) in powers.iter_mut().zip(from..written) {
                power.0 = hop_at(ring, hop).0;
            }
            loudness::windows(&powers[..window], window).next()?.loudness().filter(is_shown)
        };
        (last(BLOCK_HOPS), last(SHORT_TERM_HOPS))
    }

    /// Restarts the reading: earlier hops no longer count, nor do earlier peaks.
    pub fn restart_reading(&self) {
        self.since.store(self.written.load(Ordering::Acquire), Ordering::Relaxed);
        self.sample_peak.store(0.0, Ordering::Relaxed);
        self.reset_channel_peaks();
    }

    /// Returns the highest true peak of each channel since the last reset, of a mono signal twice; `None` for silence.
    /// Unlike those of [`Self::reading`] they stay when a range of the timeline is heard again.
    pub fn channel_peaks(&self) -> [Option<Dbtp>; 2] {
        let peak = |cell: &AtomicF32| Dbtp::from_amplitude(f64::from(cell.load(Ordering::Relaxed)));
        [peak(&self.channel_peaks[0]), peak(&self.channel_peaks[1])]
    }

    /// Resets the peaks of the channels, and nothing else.
    pub fn reset_channel_peaks(&self) {
        self.channel_peaks.iter().for_each(|peak| peak.store(0.0, Ordering::Relaxed));
    }

    /// Returns the chain's last published health.
    pub fn health(&self) -> Health {
        let db = |cell: &AtomicF32| Db(f64::from(cell.load(Ordering::Relaxed)));
        Health {
            compressor_reduction: db(&self.compressor_reduction),
            limiter_reduction: db(&self.limiter_reduction),
            sanitized: self.sanitized.load(Ordering::Relaxed),
            faults: self.faults.load(Ordering::Relaxed),
        }
    }

    /// Publishes the chain's health.
    pub fn publish_health(&self, health: Health) {
        self.compressor_reduction.store(health.compressor_reduction.0 as f32, Ordering::Relaxed);
        self.limiter_reduction.store(health.limiter_reduction.0 as f32, Ordering::Relaxed);
        self.sanitized.store(health.sanitized, Ordering::Relaxed);
        self.faults.store(health.faults, Ordering::Relaxed);
    }

    /// Returns the number of contained panics.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Counts a contained panic.
    pub fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the latency last reported to the host, samples.
    pub fn latency(&self) -> u64 {
        self.latency.load(Ordering::Relaxed)
    }

    /// Returns the latency class of the last activation; `None` before the first.
    pub fn class(&self) -> Option<LatencyClass> {
        let place = usize::from(self.class.load(Ordering::Relaxed));
        LatencyClass::ALL.get(place.checked_sub(1)?).copied()
    }

    /// Publishes the latency class of an activation.
    pub fn publish_class(&self, class: LatencyClass) {
        self.class.store(class as u8 + 1, Ordering::Relaxed);
    }

    /// Publishes the latency.
    pub fn publish_latency(&self, samples: u64) {
        self.latency.store(samples, Ordering::Relaxed);
    }
}

/// True for a loudness that a meter shows: at or above the absolute gate.
fn is_shown(loudness: &Lufs) -> bool {
    *loudness >= ABSOLUTE_GATE
}

/// Power and linear true peak of one hop.
fn hop_at(ring: &[AtomicU64], hop: u64) -> (f64, f64) {
    unpack(ring[(hop % RING_HOPS as u64) as usize].load(Ordering::Relaxed))
}

/// Highest linear true peak in a range of hops.
fn peak_over(ring: &[AtomicU64], hops: core::ops::Range<u64>) -> f64 {
    hops.map(|hop| hop_at(ring, hop).1).fold(0.0, f64::max)
}

fn pack(power: f64, true_peak: f64) -> u64 {
    u64::from((power as f32).to_bits()) << 32 | u64::from((true_peak as f32).to_bits())
}

fn unpack(word: u64) -> (f64, f64) {
    let float = |bits: u64| f64::from(f32::from_bits(bits as u32));
    (float(word >> 32), float(word))
}

/// Audio thread's side of the meters, mono or stereo. Neither allocates nor waits after `new`.
#[derive(Debug)]
pub struct MeterTap {
    /// `None` below 8 kHz, where loudness is undefined.
    hops: Option<HopMeter>,
    hop_frames: usize,
    peaks: [TruePeak; 2],
    /// Timeline position of the next frame if nothing jumps, frames.
    next: Option<i64>,
    /// False if frames are missing at the start of the current hop.
    is_whole: bool,
    /// True if the transport has stood since the last frame.
    has_stood: bool,
    /// First place of the reading, and that reading's first hop.
    first: i64,
    since: u64,
    gauges: Arc<Gauges>,
}

/// Difference from the expected position up to which the host has rounded, frames.
const POSITION_SLACK_FRAMES: u64 = 2;

impl MeterTap {
    /// Creates a tap for audio at `rate` that publishes to `gauges`. Allocates.
    pub fn new(rate: Hz, mono: bool, gauges: Arc<Gauges>) -> Self {
        gauges.hops.get_or_init(|| std::iter::repeat_with(AtomicU64::default).take(RING_HOPS).collect());
        gauges.places.get_or_init(|| std::iter::repeat_with(AtomicI64::default).take(RING_HOPS).collect());
        let layout = if mono { Layout::mono() } else { Layout::stereo() };
        Self {
            hops: (rate.0 >= loudness::MIN_RATE.0).then(|| HopMeter::new(rate, &layout)),
            hop_frames: loudness::hop_frames(rate).max(1),
            peaks: [TruePeak::new(), TruePeak::new()],
            next: None,
            is_whole: true,
            has_stood: true,
            first: NO_PLACE,
            since: 0,
            gauges,
        }
    }

    /// Records that the transport stands.
    pub fn pause(&mut self) {
        self.has_stood = true;
    }

    /// Follows the timeline to `position`: after a jump hops are on its grid again.
    fn seek(&mut self, position: Option<i64>) {
        let is_next = |at: i64| self.next.is_some_and(|next| next.abs_diff(at) <= POSITION_SLACK_FRAMES);
        if self.next.is_none() && position.is_none() || position.is_some_and(is_next) {
            return;
        }
        let offset = position.map_or(0, |at| at.rem_euclid(self.hop_frames as i64) as usize);
        if let Some(hops) = &mut self.hops {
            hops.restart_hop(offset);
        }
        // what does not follow on the timeline makes no peak between its samples
        self.peaks.iter_mut().for_each(TruePeak::reset);
        (self.next, self.is_whole) = (position, offset == 0);
        let since = self.gauges.since.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.since, since) != since {
            self.first = NO_PLACE;
        }
        let place = position.map(|at| at.div_euclid(self.hop_frames as i64));
        let is_from_start = place.is_some_and(|place| self.first != NO_PLACE && place <= self.first);
        if is_from_start && self.has_stood && self.gauges.restarts_with_play.load(Ordering::Relaxed) {
            self.gauges.restart_reading();
            (self.first, self.since) = (NO_PLACE, self.gauges.since.load(Ordering::Relaxed));
        }
    }

    /// Meters finite audio: one or two channels, equally long. `position`: of its first frame on the timeline, frames;
    /// `None` without one.
    pub fn process(&mut self, channels: &[&[f64]], position: Option<i64>) {
        self.seek(position);
        self.has_stood = false;
        let Some(hops) = &mut self.hops else { return };
        let frames = channels.first().map_or(0, |channel| channel.len());
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + hops.frames_to_hop());
            for (peak, samples) in self.peaks.iter_mut().zip(channels) {
                peak.process(&samples[at..end]);
            }
            let power = hops.process(channels, at..end);
            self.next = self.next.map(|next| next.saturating_add((end - at) as i64));
            if let Some(power) = power
                && std::mem::replace(&mut self.is_whole, true)
            {
                let place = self.next.map_or(NO_PLACE, |next| (next - 1).div_euclid(self.hop_frames as i64));
                self.first = if self.first == NO_PLACE { place } else { self.first.min(place) };
                let (mut true_peaks, mut sample_peak) = ([0.0; 2], 0.0);
                for (highest, peak) in true_peaks.iter_mut().zip(&mut self.peaks[..channels.len().min(2)]) {
                    let (true_peak, highest_sample) = peak.take();
                    *highest = true_peak;
                    sample_peak = f64::max(sample_peak, highest_sample);
                }
                if channels.len() == 1 {
                    true_peaks[1] = true_peaks[0];
                }
                publish_hop(&self.gauges, place, power.0, true_peaks, sample_peak);
            }
            at = end;
        }
    }
}

fn publish_hop(gauges: &Gauges, place: i64, power: f64, true_peaks: [f64; 2], sample_peak: f64) {
    let (Some(ring), Some(places)) = (gauges.hops.get(), gauges.places.get()) else { return };
    let at = gauges.written.load(Ordering::Relaxed);
    places[(at % RING_HOPS as u64) as usize].store(place, Ordering::Relaxed);
    let true_peak = f64::max(true_peaks[0], true_peaks[1]);
    ring[(at % RING_HOPS as u64) as usize].store(pack(power, true_peak), Ordering::Relaxed);
    for (highest, true_peak) in gauges.channel_peaks.iter().zip(true_peaks) {
        highest.fetch_max(true_peak as f32, Ordering::Relaxed);
    }
    gauges.sample_peak.fetch_max(sample_peak as f32, Ordering::Relaxed);
    // Release: a reader of the count sees the hop
    gauges.written.store(at + 1, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;
    use meter::Meter;
    use testkit::noise;

    #[test]
    fn readings_are_the_meter_s() {
        let (left, right) = (noise(1, 48_000 * 8, 0.4), noise(2, 48_000 * 8, 0.2));
        let gauges = Arc::new(Gauges::default());
        let mut tap = MeterTap::new(Hz(48_000.0), false, Arc::clone(&gauges));
        let mut meter = Meter::new(Hz(48_000.0), &Layout::stereo());
        for (l, r) in left.chunks(777).zip(right.chunks(777)) {
            tap.process(&[l, r], None);
            meter.process(&[l, r]);
        }
        let (ours, theirs) = (gauges.reading(), meter.reading());
        let near = |a: Option<f64>, b: Option<f64>| (a.expect("sounds") - b.expect("sounds")).abs() < 1e-4;
        assert!(near(ours.integrated.map(|x| x.0), theirs.integrated.map(|x| x.0)));
        assert!(near(ours.short_term.map(|x| x.0), theirs.short_term.map(|x| x.0)));
        assert!(near(ours.momentary.map(|x| x.0), theirs.momentary.map(|x| x.0)));
        assert!(near(ours.range.map(|x| x.0), theirs.range.map(|x| x.0)));
        assert!(near(ours.true_peak.map(|x| x.0), theirs.true_peak.map(|x| x.0)));
        assert!(near(ours.psr.map(|x| x.0), theirs.psr.map(|x| x.0)));
        assert_eq!(gauges.programme_length(), Ms(8000.0));
        assert!(near(ours.sample_peak.map(|x| x.0), theirs.sample_peak.map(|x| x.0)));
    }

    #[test]
    fn peaks_of_the_channels_stay_until_they_are_reset_and_a_mono_signal_has_them_twice() {
        let gauges = Arc::new(Gauges::default());
        let mut tap = MeterTap::new(Hz(48_000.0), false, Arc::clone(&gauges));
        assert_eq!(gauges.channel_peaks(), [None; 2]);
        let (loud, quiet) = (noise(1, 48_000, 0.9), noise(2, 48_000, 0.1));
        tap.process(&[&loud, &quiet], Some(0));
        let [left, right] = gauges.channel_peaks().map(|peak| peak.expect("sounds").0);
        let higher = gauges.reading().true_peak.expect("sounds").0;
        assert!((left - higher).abs() < 1e-4 && (left - right) > 15.0, "{left} {right} {higher}");
        // what is heard again more quietly changes the reading, not the held peak
        tap.process(&[&quiet, &quiet], Some(0));
        assert!(gauges.reading().true_peak.expect("sounds").0 < higher - 15.0);
        assert_eq!(gauges.channel_peaks()[0].map(|peak| peak.0), Some(left));
        gauges.reset_channel_peaks();
        assert_eq!(gauges.channel_peaks(), [None; 2]);
        assert!(gauges.reading().integrated.is_some());
        let mut mono = MeterTap::new(Hz(48_000.0), true, Arc::clone(&gauges));
        mono.process(&[&loud], None);
        let [left, right] = gauges.channel_peaks();
        assert!(left.is_some() && left == right);
        gauges.restart_reading();
        assert_eq!(gauges.channel_peaks(), [None; 2]);
    }

    #[test]
    fn a_restarted_reading_knows_nothing_of_what_was_before() {
        let gauges = Arc::new(Gauges::default());
        let mut tap = MeterTap::new(Hz(48_000.0), true, Arc::clone(&gauges));
        tap.process(&[&noise(1, 96_000, 0.4)], None);
        assert!(gauges.reading().integrated.is_some());
        gauges.restart_reading();
        assert_eq!(gauges.reading(), Reading::default());
    }

    #[test]
    fn a_range_of_the_timeline_counts_once_and_the_last_time() {
        let (rate, second) = (Hz(48_000.0), 48_000);
        let gauges = Arc::new(Gauges::default());
        let mut tap = MeterTap::new(rate, true, Arc::clone(&gauges));
        let (song, other) = (noise(1, 8 * second, 0.4), noise(2, 8 * second, 0.1));
        let mut play = |audio: &[f64], range: core::ops::Range<usize>| {
            for at in range.clone().step_by(777) {
                let end = range.end.min(at + 777);
                tap.process(&[&audio[at..end]], Some(at as i64));
            }
        };
        let close = |reading: Reading, audio: &[f64]| {
            let mut meter = Meter::new(rate, &Layout::mono());
            meter.process(&[audio]);
            let (found, truth) = (reading, meter.reading());
            let near =
                |a: Option<f64>, b: Option<f64>| (a.expect("sounds") - b.expect("sounds")).abs() < 0.01;
            assert!(
                near(found.integrated.map(|x| x.0), truth.integrated.map(|x| x.0)),
                "{found:?} {truth:?}"
            );
            assert!(near(found.range.map(|x| x.0), truth.range.map(|x| x.0)), "{found:?} {truth:?}");
            assert!(near(found.true_peak.map(|x| x.0), truth.true_peak.map(|x| x.0)), "{found:?} {truth:?}");
        };
        play(&song, 0..8 * second);
        close(gauges.reading(), &song);
        // a part of it again, off the grid, and again
        play(&song, 2 * second + 333..5 * second + 1000);
        play(&song, 2 * second + 333..5 * second + 1000);
        assert_eq!(gauges.programme_length(), Ms(8000.0));
        close(gauges.reading(), &song);
        // another mix in its place
        play(&other, 0..8 * second);
        assert_eq!(gauges.programme_length(), Ms(8000.0));
        close(gauges.reading(), &other);
    }

    #[test]
    fn a_play_from_the_start_begins_anew_only_as_an_option_and_after_a_stop() {
        let gauges = Arc::new(Gauges::default());
        let mut tap = MeterTap::new(Hz(48_000.0), true, Arc::clone(&gauges));
        let audio = noise(1, 96_000, 0.3);
        let play = |tap: &mut MeterTap, at: i64| tap.process(&[&audio], Some(at));
        play(&mut tap, 480_000);
        tap.pause();
        play(&mut tap, 576_000);
        assert_eq!(gauges.programme_length(), Ms(4000.0));
        tap.pause();
        play(&mut tap, 480_000);
        assert_eq!(gauges.programme_length(), Ms(4000.0), "that is the option");
        gauges.set_restart_with_play(true);
        play(&mut tap, 480_000);
        assert_eq!(gauges.programme_length(), Ms(4000.0), "a loop is not another play");
        tap.pause();
        play(&mut tap, 500_000);
        assert_eq!(gauges.programme_length(), Ms(4000.0), "from the middle");
        tap.pause();
        play(&mut tap, 480_000);
        assert_eq!(gauges.programme_length(), Ms(2000.0));
        tap.pause();
        play(&mut tap, 0);
        assert_eq!(gauges.programme_length(), Ms(2000.0), "from before what was heard");
    }

    #[test]
    fn below_the_absolute_gate_a_meter_shows_nothing() {
        let gauges = Arc::new(Gauges::default());
        let mut tap = MeterTap::new(Hz(48_000.0), true, Arc::clone(&gauges));
        tap.process(&[&noise(1, 4 * 48_000, 1e-4)], None);
        let quiet = gauges.reading();
        assert_eq!(
            (quiet.momentary, quiet.short_term, gauges.current_loudness()),
            (None, None, (None, None))
        );
        tap.process(&[&noise(1, 4 * 48_000, 1e-3)], None);
        assert!(gauges.reading().momentary.is_some() && gauges.current_loudness().1.is_some());
    }

    #[test]
    fn before_the_first_tap_and_below_8_khz_there_is_no_reading() {
        let gauges = Arc::new(Gauges::default());
        assert_eq!(gauges.reading(), Reading::default());
        let mut tap = MeterTap::new(Hz(4000.0), true, Arc::clone(&gauges));
        tap.process(&[&noise(1, 40_000, 0.4)], None);
        assert_eq!(gauges.reading(), Reading::default());
    }
}
