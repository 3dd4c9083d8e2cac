//! Meters published by the audio thread, without locks.
//!
//! [`MeterTap`] stays with the audio thread: it accumulates hops and peaks at constant cost and publishes each
//! finished hop as one atomic word. [`Gauges`] is read by any other thread, which derives integrated readings. Hops
//! are recorded whether a window is open or not, up to the last [`RING_HOPS`].

pub mod matching;
pub mod scope;

use atomic_float::AtomicF32;
use chain::LatencyClass;
use meter::layout::Layout;
use meter::loudness::{self, ABSOLUTE_GATE, BLOCK_HOPS, HopMeter, SHORT_TERM_HOPS};
use meter::true_peak::TruePeak;
use meter::{Reading, reading_from_hops};
use scope::Scope;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use units::{Db, Dbtp, Hz, Lufs, Ms, Power, decibels};

/// Hops in the ring: four hours.
pub const RING_HOPS: usize = 4 * 3600 * 10;

/// Published meters. Read by any thread; one thread at a time writes.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Ring of hops: power and true peak, two `f32` in a word. Allocated by the first [`MeterTap`].
    hops: OnceLock<Box<[AtomicU64]>>,
    /// Hops written; the newest is at `(written - 1) % RING_HOPS`.
    written: AtomicU64,
    /// First hop of the reading.
    since: AtomicU64,
    /// Highest sample since the reading was restarted, linear.
    sample_peak: AtomicF32,
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
    /// Returns the reading since [`Self::restart_reading`]. Allocates; not for the audio thread.
    pub fn reading(&self) -> Reading {
        let Some(ring) = self.hops.get() else { return Reading::default() };
        // Acquire: a reader of the count sees the hops
        let written = self.written.load(Ordering::Acquire);
        // a few hops short of the whole ring, so that the writer does not overtake the reader
        let oldest = written.saturating_sub(RING_HOPS as u64 - 16);
        let since = self.since.load(Ordering::Relaxed).max(oldest).min(written);
        let powers: Vec<Power> = (since..written).map(|hop| Power(hop_at(ring, hop).0)).collect();
        let last = |window: usize| {
            let start = powers.len().checked_sub(window)?;
            loudness::windows(&powers[start..], window).next()?.loudness().filter(is_shown)
        };
        let sample_peak = f64::from(self.sample_peak.load(Ordering::Relaxed));
        let short_term = last(SHORT_TERM_HOPS);
        let recent_peak = peak_over(ring, since.max(written.saturating_sub(SHORT_TERM_HOPS as u64))..written);
        Reading {
            momentary: last(BLOCK_HOPS),
            short_term,
            psr: short_term.zip(Dbtp::from_amplitude(recent_peak)).map(|(s, peak)| Db(peak.0 - s.0)),
            true_peak: Dbtp::from_amplitude(peak_over(ring, since..written)),
            sample_peak: (sample_peak > 0.0).then(|| Db(decibels(sample_peak))),
            ..reading_from_hops(&powers)
        }
    }

    /// Returns the number of published hops. The reading changes only with it, or with a restart.
    pub fn hops(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Returns the length of the programme that the reading covers.
    pub fn programme_length(&self) -> Ms {
        let written = self.written.load(Ordering::Acquire);
        Ms(written.saturating_sub(self.since.load(Ordering::Relaxed)) as f64 * 100.0)
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

    /// Restarts the reading: earlier hops no longer count.
    pub fn restart_reading(&self) {
        self.since.store(self.written.load(Ordering::Acquire), Ordering::Relaxed);
        self.sample_peak.store(0.0, Ordering::Relaxed);
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
    peaks: [TruePeak; 2],
    gauges: Arc<Gauges>,
}

impl MeterTap {
    /// Creates a tap for audio at `rate` that publishes to `gauges`. Allocates.
    pub fn new(rate: Hz, mono: bool, gauges: Arc<Gauges>) -> Self {
        gauges.hops.get_or_init(|| std::iter::repeat_with(AtomicU64::default).take(RING_HOPS).collect());
        let layout = if mono { Layout::mono() } else { Layout::stereo() };
        Self {
            hops: (rate.0 >= loudness::MIN_RATE.0).then(|| HopMeter::new(rate, &layout)),
            peaks: [TruePeak::new(), TruePeak::new()],
            gauges,
        }
    }

    /// Meters finite audio: one or two channels, equally long.
    pub fn process(&mut self, channels: &[&[f64]]) {
        let Some(hops) = &mut self.hops else { return };
        let frames = channels.first().map_or(0, |channel| channel.len());
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + hops.frames_to_hop());
            for (peak, samples) in self.peaks.iter_mut().zip(channels) {
                peak.process(&samples[at..end]);
            }
            if let Some(power) = hops.process(channels, at..end) {
                let (true_peak, sample_peak) = self
                    .peaks
                    .iter_mut()
                    .take(channels.len())
                    .map(TruePeak::take)
                    .fold((0.0, 0.0), |m, p| (f64::max(m.0, p.0), f64::max(m.1, p.1)));
                publish_hop(&self.gauges, power.0, true_peak, sample_peak);
            }
            at = end;
        }
    }
}

fn publish_hop(gauges: &Gauges, power: f64, true_peak: f64, sample_peak: f64) {
    let Some(ring) = gauges.hops.get() else { return };
    let at = gauges.written.load(Ordering::Relaxed);
    ring[(at % RING_HOPS as u64) as usize].store(pack(power, true_peak), Ordering::Relaxed);
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
            tap.process(&[l, r]);
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
    fn a_restarted_reading_knows_nothing_of_what_was_before() {
        let gauges = Arc::new(Gauges::default());
        let mut tap = MeterTap::new(Hz(48_000.0), true, Arc::clone(&gauges));
        tap.process(&[&noise(1, 96_000, 0.4)]);
        assert!(gauges.reading().integrated.is_some());
        gauges.restart_reading();
        assert_eq!(gauges.reading(), Reading::default());
    }

    #[test]
    fn below_the_absolute_gate_a_meter_shows_nothing() {
        let gauges = Arc::new(Gauges::default());
        let mut tap = MeterTap::new(Hz(48_000.0), true, Arc::clone(&gauges));
        tap.process(&[&noise(1, 4 * 48_000, 1e-4)]);
        let quiet = gauges.reading();
        assert_eq!(
            (quiet.momentary, quiet.short_term, gauges.current_loudness()),
            (None, None, (None, None))
        );
        tap.process(&[&noise(1, 4 * 48_000, 1e-3)]);
        assert!(gauges.reading().momentary.is_some() && gauges.current_loudness().1.is_some());
    }

    #[test]
    fn before_the_first_tap_and_below_8_khz_there_is_no_reading() {
        let gauges = Arc::new(Gauges::default());
        assert_eq!(gauges.reading(), Reading::default());
        let mut tap = MeterTap::new(Hz(4000.0), true, Arc::clone(&gauges));
        tap.process(&[&noise(1, 40_000, 0.4)]);
        assert_eq!(gauges.reading(), Reading::default());
    }
}
