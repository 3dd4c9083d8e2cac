//! What is heard instead of a plugin's output, for as long as a person compares.
//!
//! Neither a parameter nor state: nothing here is saved, automated or rendered. It ends when the host activates, when a
//! state is loaded and when the window is closed, and there is none in an offline render.

use crate::chain::listen::Listen;
use crate::units::Db;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// From the window's thread to the audio thread, in a word.
#[derive(Debug, Default)]
pub struct Listening {
    wanted: AtomicU64,
    /// The host renders: what is wanted has no effect.
    barred: AtomicBool,
}

impl Listening {
    /// A person wants to hear `listen`.
    pub fn want(&self, listen: Listen) {
        self.wanted.store(encode(listen), Ordering::Relaxed);
    }

    /// A person hears the output again.
    pub fn end(&self) {
        self.want(Listen::Off);
    }

    /// The host activates, to render or to play: whatever was wanted ends.
    pub fn start(&self, renders: bool) {
        self.end();
        self.barred.store(renders, Ordering::Relaxed);
    }

    /// What is to be heard. Reads two words.
    pub fn wanted(&self) -> Listen {
        if self.barred.load(Ordering::Relaxed) {
            return Listen::Off;
        }
        decode(self.wanted.load(Ordering::Relaxed))
    }
}

/// Which way, and its gain or band.
fn encode(listen: Listen) -> u64 {
    let gain = |db: Db| u64::from((db.0 as f32).to_bits());
    let (which, detail) = match listen {
        Listen::Off => (0, 0),
        Listen::Delta => (1, 0),
        Listen::Bypass(db) => (2, gain(db)),
        Listen::Gain(db) => (3, gain(db)),
        Listen::Mono => (4, 0),
        Listen::Side => (5, 0),
        Listen::Left => (6, 0),
        Listen::Right => (7, 0),
        Listen::Band(band) => (8, band as u64),
        Listen::Key(band) => (9, band as u64),
        Listen::Removed => (10, 0),
        Listen::Reference { song, gain } => (11, u64::from(song) << 16 | u64::from(hundredths(gain))),
    };
    which << 32 | detail & 0xffff_ffff
}

/// A gain in hundredths of a decibel: its 16 bits.
fn hundredths(gain: Db) -> u16 {
    ((gain.0 * 100.0).round() as i16).cast_unsigned()
}

fn decode(word: u64) -> Listen {
    let detail = word as u32;
    let gain = Db(f64::from(f32::from_bits(detail)));
    match word >> 32 {
        1 => Listen::Delta,
        2 => Listen::Bypass(gain),
        3 => Listen::Gain(gain),
        4 => Listen::Mono,
        5 => Listen::Side,
        6 => Listen::Left,
        7 => Listen::Right,
        8 => Listen::Band(detail as usize),
        9 => Listen::Key(detail as usize),
        10 => Listen::Removed,
        11 => Listen::Reference {
            song: (detail >> 16) as u16,
            gain: Db(f64::from((detail as u16).cast_signed()) / 100.0),
        },
        _ => Listen::Off,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_listening_arrives_as_it_is() {
        let listening = Listening::default();
        for listen in [
            Listen::Off,
            Listen::Delta,
            Listen::Bypass(Db(-3.25)),
            Listen::Gain(Db(4.5)),
            Listen::Mono,
            Listen::Side,
            Listen::Left,
            Listen::Right,
            Listen::Band(7),
            Listen::Key(0),
            Listen::Removed,
            Listen::Reference { song: 65_535, gain: Db(-12.34) },
            Listen::Reference { song: 0, gain: Db(0.05) },
        ] {
            listening.want(listen);
            assert_eq!(listening.wanted(), listen);
        }
    }

    #[test]
    fn nothing_outlives_activation_and_nothing_is_heard_in_a_render() {
        let listening = Listening::default();
        listening.want(Listen::Mono);
        listening.start(false);
        assert_eq!(listening.wanted(), Listen::Off);
        listening.start(true);
        listening.want(Listen::Mono);
        assert_eq!(listening.wanted(), Listen::Off);
    }
}
