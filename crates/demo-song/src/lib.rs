//! The demo song: five stems of half a minute, made from nothing by a small synthesizer.
//!
//! `score` says what is played and when, the instruments (`drums`, `bass`, `keys`, `voice`, `effects`)
//! play it on a `canvas`, `mix` sets the levels. Pure: no file, no clock, and the same bits on every run, so the
//! song can stand in tests, in documentation and in front of a user who has no stems at hand.
//!
//! A minor, 108 beats per minute; intro, verse, a chorus 4 dB louder, an ending that rings out. Together the stems
//! read -18 LUFS below -2 dBTP: a mix with room to be mastered. Kick and bass share their lowest octave, the keys
//! share the middle with the voice: moves have consequences.

mod bass;
mod canvas;
mod drums;
mod effects;
mod filter;
mod keys;
mod mix;
mod noise;
mod role;
mod room;
mod score;
mod voice;
mod wave;

use units::Hz;

pub use role::SongPart;

/// One stem of the demo song: two channels of equal length, full scale ±1.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoStem {
    /// The stem's name, as [`SongPart::name`] gives it.
    pub name: &'static str,
    /// Its part.
    pub role: SongPart,
    /// Left channel.
    pub left: Vec<f64>,
    /// Right channel.
    pub right: Vec<f64>,
}

impl DemoStem {
    /// Plays one stem, 30 s at `rate`.
    ///
    /// # Panics
    /// If `rate` is not within 44.1 to 192 kHz.
    pub fn render(role: SongPart, rate: Hz) -> Self {
        check(rate);
        let mut canvas = match role {
            SongPart::Drums => drums::play(rate),
            SongPart::Bass => bass::play(rate),
            SongPart::Keys => keys::play(rate),
            SongPart::Vocals => voice::sing(rate),
            SongPart::Effects => effects::play(rate),
        };
        mix::finish(role, &mut canvas);
        Self { name: role.name(), role, left: canvas.left, right: canvas.right }
    }

    /// The stem's file name in a bundle: `01_Drums_Stem.wav`.
    pub fn file_name(&self) -> String {
        self.role.file_name()
    }
}

fn check(rate: Hz) {
    assert!((44_100.0..=192_000.0).contains(&rate.0), "the demo song plays at 44.1 to 192 kHz");
}

/// Plays the whole song at `rate`: Drums, Bass, Keys, Vocals, FX, 30 s each, to be summed at unity.
///
/// # Panics
/// If `rate` is not within 44.1 to 192 kHz.
pub fn render(rate: Hz) -> Vec<DemoStem> {
    check(rate);
    // one musician, one thread: nothing is shared, so the bits do not depend on timing
    std::thread::scope(|scope| {
        let players = SongPart::ALL.map(|role| scope.spawn(move || DemoStem::render(role, rate)));
        players.map(|player| player.join().expect("no instrument panics at a rate it accepts")).into()
    })
}

#[cfg(test)]
mod tests;
