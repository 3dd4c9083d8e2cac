//! What is heard instead of a plugin's output, for as long as a person compares.
//!
//! Neither a parameter nor state: nothing here is saved, automated or rendered. It ends when the host activates, when a
//! state is loaded and when the window is closed, and there is none in an offline render. A Stem is also heard otherwise
//! for a person at a Master, for as long as that lasts; it ends for the same reasons, whichever of the two they befall.

use chain::monitor::MonitorMode;
use session::audition::AuditionEffect;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use units::Db;

/// From the window's thread to the audio thread, in a word.
#[derive(Debug, Default)]
pub struct MonitorControl {
    mode: AtomicU64,
    /// What a Master wants: above [`EFFECT_BITS`] bits the number that it was wanted under.
    audition: AtomicU64,
    /// Another one whenever listening has ended for good; a Master names the one that it has seen.
    revision: AtomicU64,
    /// The host renders: what is wanted has no effect.
    rendering: AtomicBool,
}

impl MonitorControl {
    /// A person wants to hear `listen`.
    pub fn set_mode(&self, mode: MonitorMode) {
        self.mode.store(encode(mode), Ordering::Relaxed);
    }

    /// A person hears the output again.
    pub fn clear_mode(&self) {
        self.set_mode(MonitorMode::Off);
    }

    /// Nothing that was wanted so far, here or at a Master, has any effect.
    pub fn end_all(&self) {
        self.clear_mode();
        self.revision.fetch_add(1, Ordering::Relaxed);
    }

    /// The host activates, to render or to play: whatever was wanted ends.
    pub fn restart(&self, renders: bool) {
        self.end_all();
        self.rendering.store(renders, Ordering::Relaxed);
    }

    /// The number under which a Master may want something.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// A Master wants the Stem heard so, under that number; `None`: as it is.
    pub fn set_audition_effect(&self, revision: u64, effect: Option<AuditionEffect>) {
        let word = match effect {
            None => 0,
            Some(AuditionEffect::Muted) => 1,
            Some(AuditionEffect::Bypassed) => 2,
        };
        self.audition.store(revision << EFFECT_BITS | word, Ordering::Relaxed);
    }

    /// What a Master wants. Reads three words.
    pub fn audition_effect(&self) -> Option<AuditionEffect> {
        let word = self.audition.load(Ordering::Relaxed);
        // whoever has asked before listening ended is not heard, however late it came
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

    /// What is to be heard. Reads four words.
    pub fn mode(&self) -> MonitorMode {
        match self.audition_effect() {
            Some(AuditionEffect::Muted) => MonitorMode::Mute,
            Some(AuditionEffect::Bypassed) => MonitorMode::Bypass(Db(0.0)),
            None if self.rendering.load(Ordering::Relaxed) => MonitorMode::Off,
            None => decode(self.mode.load(Ordering::Relaxed)),
        }
    }
}

/// Bits of how a Stem is heard.
const EFFECT_BITS: u32 = 2;

/// Which way, and its gain or band.
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
    };
    which << 32 | detail & 0xffff_ffff
}

/// A gain in hundredths of a decibel: its 16 bits.
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
