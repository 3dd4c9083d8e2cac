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
pub struct Listening {
    wanted: AtomicU64,
    /// What a Master wants: above [`HEARING`] bits the number that it was wanted under.
    asked: AtomicU64,
    /// Another one whenever listening has ended for good; a Master names the one that it has seen.
    number: AtomicU64,
    /// The host renders: what is wanted has no effect.
    barred: AtomicBool,
}

impl Listening {
    /// A person wants to hear `listen`.
    pub fn want(&self, listen: MonitorMode) {
        self.wanted.store(encode(listen), Ordering::Relaxed);
    }

    /// A person hears the output again.
    pub fn end(&self) {
        self.want(MonitorMode::Off);
    }

    /// Nothing that was wanted so far, here or at a Master, has any effect.
    pub fn end_all(&self) {
        self.end();
        self.number.fetch_add(1, Ordering::Relaxed);
    }

    /// The host activates, to render or to play: whatever was wanted ends.
    pub fn start(&self, renders: bool) {
        self.end_all();
        self.barred.store(renders, Ordering::Relaxed);
    }

    /// The number under which a Master may want something.
    pub fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    /// A Master wants the Stem heard so, under that number; `None`: as it is.
    pub fn ask(&self, number: u64, hearing: Option<AuditionEffect>) {
        let word = match hearing {
            None => 0,
            Some(AuditionEffect::Muted) => 1,
            Some(AuditionEffect::Bypassed) => 2,
        };
        self.asked.store(number << HEARING | word, Ordering::Relaxed);
    }

    /// What a Master wants. Reads three words.
    pub fn asked(&self) -> Option<AuditionEffect> {
        let word = self.asked.load(Ordering::Relaxed);
        // whoever has asked before listening ended is not heard, however late it came
        if self.barred.load(Ordering::Relaxed) || word >> HEARING != self.number() << HEARING >> HEARING {
            return None;
        }
        match word & ((1 << HEARING) - 1) {
            1 => Some(AuditionEffect::Muted),
            2 => Some(AuditionEffect::Bypassed),
            _ => None,
        }
    }

    /// What is to be heard. Reads four words.
    pub fn wanted(&self) -> MonitorMode {
        match self.asked() {
            Some(AuditionEffect::Muted) => MonitorMode::Mute,
            Some(AuditionEffect::Bypassed) => MonitorMode::Bypass(Db(0.0)),
            None if self.barred.load(Ordering::Relaxed) => MonitorMode::Off,
            None => decode(self.wanted.load(Ordering::Relaxed)),
        }
    }
}

/// Bits of how a Stem is heard.
const HEARING: u32 = 2;

/// Which way, and its gain or band.
fn encode(listen: MonitorMode) -> u64 {
    let gain = |db: Db| u64::from((db.0 as f32).to_bits());
    let (which, detail) = match listen {
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
        let listening = Listening::default();
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
            listening.want(listen);
            assert_eq!(listening.wanted(), listen);
        }
    }

    #[test]
    fn nothing_outlives_activation_and_nothing_is_heard_in_a_render() {
        let listening = Listening::default();
        listening.want(MonitorMode::Mono);
        listening.start(false);
        assert_eq!(listening.wanted(), MonitorMode::Off);
        listening.start(true);
        listening.want(MonitorMode::Mono);
        listening.ask(listening.number(), Some(AuditionEffect::Muted));
        assert_eq!((listening.wanted(), listening.asked()), (MonitorMode::Off, None));
    }

    #[test]
    fn what_a_master_wants_comes_first_and_ends_with_its_number() {
        let listening = Listening::default();
        listening.want(MonitorMode::Mono);
        listening.ask(listening.number(), Some(AuditionEffect::Bypassed));
        assert_eq!(listening.wanted(), MonitorMode::Bypass(Db(0.0)));
        listening.ask(listening.number(), Some(AuditionEffect::Muted));
        assert_eq!((listening.wanted(), listening.asked()), (MonitorMode::Mute, Some(AuditionEffect::Muted)));
        listening.end();
        assert_eq!(
            listening.wanted(),
            MonitorMode::Mute,
            "the Stem's own window is closed: that is not the Master's"
        );
        let old = listening.number();
        listening.end_all();
        assert_eq!((listening.wanted(), listening.asked()), (MonitorMode::Off, None));
        listening.ask(old, Some(AuditionEffect::Muted));
        assert_eq!(listening.wanted(), MonitorMode::Off, "asked before, come after");
        listening.want(MonitorMode::Mono);
        listening.ask(listening.number(), None);
        assert_eq!(listening.wanted(), MonitorMode::Mono);
    }
}
