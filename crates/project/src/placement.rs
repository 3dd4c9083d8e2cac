//! Places of stems in an Atmos file: by role, unless the session file sets them.

use serde::Deserialize;

use session::role::{Role, is_high_drum};
use units::{Db, Hz, Lufs};

/// A position in the room: X to the right, Y to the front, Z up, each -1 to 1.
pub type RoomPosition = [f64; 3];

/// The destination of a stem.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AtmosPlace {
    /// To bed channels, left and right; a centre takes both sides.
    Bed {
        /// The word for it.
        word: &'static str,
        /// Bed channels for left and right, in the order of the profile: L R C LFE Lss Rss Lrs Rrs Lts Rts.
        channels: [usize; 2],
    },
    /// As objects, one for each side; a mono stem is one object between them.
    Object {
        /// Position of the left side.
        left: RoomPosition,
        /// Position of the right side.
        right: RoomPosition,
    },
}

/// Binaural distance of an object, on headphones.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Binaural {
    /// Not virtualized.
    Off,
    /// Near.
    Near,
    /// Far.
    Far,
    /// In between.
    Mid,
    /// Left to the renderer.
    Unset,
}

impl Binaural {
    /// The word in session files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Near => "near",
            Self::Far => "far",
            Self::Mid => "mid",
            Self::Unset => "unset",
        }
    }
}

/// The place of a stem in the room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtmosPlacement {
    /// Its destination.
    pub place: AtmosPlace,
    /// Gain on the way there, on top of its chain's.
    pub gain: Db,
    /// Gain of what goes to the LFE besides, of the mean of both sides; none by default but for bass and drums that reach down there.
    pub lfe: Option<Db>,
    /// On headphones; objects only.
    pub binaural: Binaural,
}

/// The words for bed channels.
pub(super) const BEDS: [(&str, [usize; 2]); 5] =
    [("front", [0, 1]), ("center", [2, 2]), ("sides", [4, 5]), ("rears", [6, 7]), ("tops", [8, 9])];

/// Send of bass and drums to the LFE: with the 10 dB that it plays louder, a third of their level.
const SEND: Db = Db(-20.0);

impl AtmosPlacement {
    /// By role, and of drums by name: what carries the song in front, harmony to the sides, effects behind and above; what
    /// reaches down to the LFE there too.
    pub fn for_stem(role: Role, name: &str) -> Self {
        let pair = |x: f64, y: f64, z: f64| AtmosPlace::Object { left: [-x, y, z], right: [x, y, z] };
        let front = AtmosPlace::Bed { word: BEDS[0].0, channels: BEDS[0].1 };
        let (place, lfe, binaural) = match role {
            Role::Drums if is_high_drum(name) => (front, None, Binaural::Near),
            Role::Drums | Role::Bass => (front, Some(SEND), Binaural::Near),
            Role::Vocals => (pair(0.3, 1.0, 0.0), None, Binaural::Near),
            Role::Backing => (pair(0.8, 0.4, 0.3), None, Binaural::Mid),
            Role::Keys => (pair(1.0, 0.5, 0.0), None, Binaural::Mid),
            Role::Fx => (pair(0.9, -0.6, 0.6), None, Binaural::Far),
            Role::Other => (front, None, Binaural::Mid),
        };
        Self { place, gain: Db(0.0), lfe, binaural }
    }

    /// The place in a word or as positions.
    pub fn description(&self, mono: bool) -> String {
        match self.place {
            AtmosPlace::Bed { word, .. } => format!("bed {word}"),
            AtmosPlace::Object { left, right } if mono => format!("object {}", triple(midpoint(left, right))),
            AtmosPlace::Object { left, right } => format!("objects {} {}", triple(left), triple(right)),
        }
    }
}

/// The middle between two positions.
pub fn midpoint(a: RoomPosition, b: RoomPosition) -> RoomPosition {
    std::array::from_fn(|i| (a[i] + b[i]) / 2.0)
}

fn triple([x, y, z]: RoomPosition) -> String {
    format!("({x}, {y}, {z})")
}

/// Settings of the Atmos file as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdmSettings {
    /// Loudness of the 5.1 render aimed at, at most -18 LUFS.
    pub aim: Lufs,
    /// Corner of the LFE's low-pass.
    pub lfe_low_pass: Hz,
}

impl Default for AdmSettings {
    fn default() -> Self {
        Self { aim: Lufs(-18.5), lfe_low_pass: Hz(120.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_reaches_down_there_goes_to_the_lfe() {
        let lfe = |role, name| AtmosPlacement::for_stem(role, name).lfe;
        for name in ["Drums", "Kick", "Toms", "Kick and Hats"] {
            assert_eq!(lfe(Role::Drums, name), Some(SEND), "{name}");
        }
        for name in ["HiHat", "Claps", "Overheads", "Shaker 2"] {
            assert_eq!(lfe(Role::Drums, name), None, "{name}");
        }
        assert_eq!((lfe(Role::Bass, "Clap Bass"), lfe(Role::Vocals, "Vox")), (Some(SEND), None));
    }
}
