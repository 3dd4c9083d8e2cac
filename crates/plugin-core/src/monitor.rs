//! Monitor mode: the signal that a user hears in place of the output, for comparison.
//!
//! Neither a parameter nor state: it is not saved, automated or rendered. It ends when the host activates, when a
//! state is loaded and when the window closes, and has no effect in an offline render. A Master's user may also mute
//! or bypass a Stem; that ends for the same reasons, on either side.

use chain::monitor::MonitorMode;
use session::audition::AuditionEffect;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use units::Db;

/// Monitor mode for the audio thread, one word. Written by window and link threads.
#[derive(Debug, Default)]
pub struct MonitorControl {
    mode: AtomicU64,
    /// Audition by a Master: revision above [`EFFECT_BITS`] bits of effect.
    audition: AtomicU64,
    /// Counts the ends of listening; a Master's audition names the revision that it has seen.
    revision: AtomicU64,
    /// True in an offline render: every mode is without effect.
    rendering: AtomicBool,
}

impl MonitorControl {
    /// Selects a monitor mode for the window.
    pub fn set_mode(&self, mode: MonitorMode) {
        self.mode.store(encode(mode), Ordering::Relaxed);
    }

    /// Returns to the output.
    pub fn clear_mode(&self) {
        self.set_mode(MonitorMode::Off);
    }

    /// Ends every mode, of the window and of a Master.
    pub fn end_all(&self) {
        self.clear_mode();
        self.revision.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends every mode at activation; `renders` disables them during an offline render.
    pub fn restart(&self, renders: bool) {
        self.end_all();
        self.rendering.store(renders, Ordering::Relaxed);
    }

    /// Returns the revision that a Master's audition must name.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// Sets a Master's audition under `revision`; `None` ends it.
    pub fn set_audition_effect(&self, revision: u64, effect: Option<AuditionEffect>) {
        let word = match effect {
            None => 0,
            Some(AuditionEffect::Muted) => 1,
            Some(AuditionEffect::Bypassed) => 2,
        };
        self.audition.store(revision << EFFECT_BITS | word, Ordering::Relaxed);
    }

    /// Returns a Master's audition. Reads three words.
    pub fn audition_effect(&self) -> Option<AuditionEffect> {
        let word = self.audition.load(Ordering::Relaxed);
        // an audition from before the last end has no effect, however late it arrives
        if self.rendering.load(Ordering::Relaxed)
            || word >> EFFECT_BITS != self.revision() << EFFECT_BITS >> EFFECT_BITS
        {
            return None;
        }
        match word & ((1 << EFFECT_BITS) - 1) {
            1 => Some(AuditionEffect::Muted),
            2 => Some(AuditionEffect::Bypassed),
            _ => None,
        }
    }

    /// Returns the mode in effect. Reads four words.
    pub fn mode(&self) -> MonitorMode {
        match self.audition_effect() {
            Some(AuditionEffect::Muted) => MonitorMode::Mute,
            Some(AuditionEffect::Bypassed) => MonitorMode::Bypass(Db(0.0)),
            None if self.rendering.load(Ordering::Relaxed) => MonitorMode::Off,
            None => decode(self.mode.load(Ordering::Relaxed)),
        }
    }
}

/// Bits of an audition effect.
const EFFECT_BITS: u32 = 2;

/// Encodes the mode in the upper half, its gain or band in the lower.
fn encode(mode: MonitorMode) -> u64 {
    let gain = |db: Db| u64::from((db.0 as f32).to_bits());
    let (which, detail) = match mode {
        MonitorMode::Off => (0, 0),
        MonitorMode::Delta => (1, 0),
        MonitorMode::Bypass(db) => (2, gain(db)),
        MonitorMode::Gain(db) => (3, gain(db)),
        MonitorMode::Mono => (4, 0),
        MonitorMode::Side => (5, 0),
        MonitorMode::Left => (6, 0),
        MonitorMode::Right => (7, 0),
        MonitorMode::Band(band) => (8, band as u64),
        MonitorMode::Key(band) => (9, band as u64),
        MonitorMode::Removed => (10, 0),
        MonitorMode::Reference { song, gain } => (11, u64::from(song) << 16 | u64::from(hundredths(gain))),
        MonitorMode::Mute => (12, 0),
        MonitorMode::Unity(db) => (13, gain(db)),
    };
    which << 32 | detail & 0xffff_ffff
}

/// Gain in hundredths of a decibel, as 16 bits.
fn hundredths(gain: Db) -> u16 {
    ((gain.0 * 100.0).round() as i16).cast_unsigned()
}

fn decode(word: u64) -> MonitorMode {
    let detail = word as u32;
    let gain = Db(f64::from(f32::from_bits(detail)));
    match word >> 32 {
        1 => MonitorMode::Delta,
        2 => MonitorMode::Bypass(gain),
        3 => MonitorMode::Gain(gain),
        4 => MonitorMode::Mono,
        5 => MonitorMode::Side,
        6 => MonitorMode::Left,
        7 => MonitorMode::Right,
        8 => MonitorMode::Band(detail as usize),
        9 => MonitorMode::Key(detail as usize),
        10 => MonitorMode::Removed,
        11 => MonitorMode::Reference {
            song: (detail >> 16) as u16,
            gain: Db(f64::from((detail as u16).cast_signed()) / 100.0),
        },
        12 => MonitorMode::Mute,
        13 => MonitorMode::Unity(gain),
        _ => MonitorMode::Off,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_listening_arrives_as_it_is() {
        let monitor = MonitorControl::default();
        for listen in [
            MonitorMode::Off,
            MonitorMode::Delta,
            MonitorMode::Bypass(Db(-3.25)),
            MonitorMode::Gain(Db(4.5)),
            MonitorMode::Unity(Db(-6.5)),
            MonitorMode::Mono,
            MonitorMode::Side,
            MonitorMode::Left,
            MonitorMode::Right,
            MonitorMode::Band(7),
            MonitorMode::Key(0),
            MonitorMode::Removed,
            MonitorMode::Reference { song: 65_535, gain: Db(-12.34) },
            MonitorMode::Reference { song: 0, gain: Db(0.05) },
            MonitorMode::Mute,
        ] {
            monitor.set_mode(listen);
            assert_eq!(monitor.mode(), listen);
        }
    }

    #[test]
    fn nothing_outlives_activation_and_nothing_is_heard_in_a_render() {
        let monitor = MonitorControl::default();
        monitor.set_mode(MonitorMode::Mono);
        monitor.restart(false);
        assert_eq!(monitor.mode(), MonitorMode::Off);
        monitor.restart(true);
        monitor.set_mode(MonitorMode::Mono);
        monitor.set_audition_effect(monitor.revision(), Some(AuditionEffect::Muted));
        assert_eq!((monitor.mode(), monitor.audition_effect()), (MonitorMode::Off, None));
    }

    #[test]
    fn what_a_master_wants_comes_first_and_ends_with_its_number() {
        let monitor = MonitorControl::default();
        monitor.set_mode(MonitorMode::Mono);
        monitor.set_audition_effect(monitor.revision(), Some(AuditionEffect::Bypassed));
        assert_eq!(monitor.mode(), MonitorMode::Bypass(Db(0.0)));
        monitor.set_audition_effect(monitor.revision(), Some(AuditionEffect::Muted));
        assert_eq!(
            (monitor.mode(), monitor.audition_effect()),
            (MonitorMode::Mute, Some(AuditionEffect::Muted))
        );
        monitor.clear_mode();
        assert_eq!(
            monitor.mode(),
            MonitorMode::Mute,
            "the Stem's own window is closed: that is not the Master's"
        );
        let old = monitor.revision();
        monitor.end_all();
        assert_eq!((monitor.mode(), monitor.audition_effect()), (MonitorMode::Off, None));
        monitor.set_audition_effect(old, Some(AuditionEffect::Muted));
        assert_eq!(monitor.mode(), MonitorMode::Off, "asked before, come after");
        monitor.set_mode(MonitorMode::Mono);
        monitor.set_audition_effect(monitor.revision(), None);
        assert_eq!(monitor.mode(), MonitorMode::Mono);
    }
}
