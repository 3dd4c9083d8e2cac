//! Where each stem goes in the room: by its role, unless the session file says.

use serde::Deserialize;

use session::role::Role;
use units::{Db, Hz, Lufs};

/// A position in the room: X to the right, Y to the front, Z up, each -1 to 1.
pub type Position = [f64; 3];

/// Where a stem goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
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
        left: Position,
        /// Position of the right side.
        right: Position,
    },
}

/// How near an object is on headphones.
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

/// A stem in the room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Where it goes.
    pub place: Place,
    /// Gain on the way there, on top of its chain's.
    pub gain: Db,
    /// Gain of what goes to the LFE besides, of the mean of both sides; none by default but for bass and drums.
    pub lfe: Option<Db>,
    /// On headphones; objects only.
    pub binaural: Binaural,
}

/// The words for bed channels.
const BEDS: [(&str, [usize; 2]); 5] =
    [("front", [0, 1]), ("center", [2, 2]), ("sides", [4, 5]), ("rears", [6, 7]), ("tops", [8, 9])];

/// What bass and drums send to the LFE: with the 10 dB that it plays louder, a third of their level.
const SEND: Db = Db(-20.0);

impl Placement {
    /// By role: what carries the song in front, harmony to the sides, effects behind and above.
    pub fn of(role: Role) -> Self {
        let pair = |x: f64, y: f64, z: f64| Place::Object { left: [-x, y, z], right: [x, y, z] };
        let front = Place::Bed { word: BEDS[0].0, channels: BEDS[0].1 };
        let (place, lfe, binaural) = match role {
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
    pub fn words(&self, mono: bool) -> String {
        match self.place {
            Place::Bed { word, .. } => format!("bed {word}"),
            Place::Object { left, right } if mono => format!("object {}", triple(between(left, right))),
            Place::Object { left, right } => format!("objects {} {}", triple(left), triple(right)),
        }
    }
}

/// The middle between two positions.
pub fn between(a: Position, b: Position) -> Position {
    std::array::from_fn(|i| (a[i] + b[i]) / 2.0)
}

fn triple([x, y, z]: Position) -> String {
    format!("({x}, {y}, {z})")
}

/// What a session says about the Atmos file as a whole.
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

/// `[adm]` of a session file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAdm {
    aim: Option<f64>,
    lfe_low_pass: Option<f64>,
}

/// `[stems.adm]` of a session file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlacement {
    place: Option<String>,
    left: Option<Position>,
    right: Option<Position>,
    gain: Option<f64>,
    lfe: Option<toml::Value>,
    binaural: Option<Binaural>,
}

/// A fault and its cure.
type Complaint = (String, String);

fn within(name: &str, value: f64, low: f64, high: f64, unit: &str) -> Result<f64, Complaint> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err((format!("{name} cannot be {value}"), format!("it takes {low} to {high} {unit}")))
}

impl RawAdm {
    pub(super) fn read(&self) -> Result<AdmSettings, Complaint> {
        let default = AdmSettings::default();
        let aim = self.aim.map(|x| within("aim", x, -31.0, -18.0, "LUFS")).transpose()?;
        let corner = self.lfe_low_pass.map(|x| within("lfe_low_pass", x, 100.0, 150.0, "Hz")).transpose()?;
        Ok(AdmSettings {
            aim: aim.map_or(default.aim, Lufs),
            lfe_low_pass: corner.map_or(default.lfe_low_pass, Hz),
        })
    }
}

impl RawPlacement {
    /// The placement of a stem of `role`.
    pub(super) fn read(&self, role: Role) -> Result<Placement, Complaint> {
        let mut placement = Placement::of(role);
        let words = || format!("it takes object, {}", BEDS.map(|(word, _)| word).join(", "));
        match self.place.as_deref() {
            None => {}
            Some("object") => {
                if let Place::Bed { .. } = placement.place {
                    placement.place = Place::Object { left: [-1.0, 1.0, 0.0], right: [1.0, 1.0, 0.0] };
                }
            }
            Some(word) => {
                let (word, channels) = *BEDS
                    .iter()
                    .find(|(bed, _)| *bed == word)
                    .ok_or_else(|| (format!("place cannot be {word:?}"), words()))?;
                placement.place = Place::Bed { word, channels };
            }
        }
        match (&mut placement.place, self.left, self.right) {
            (_, None, None) => {}
            (Place::Object { left, right }, l, r) => {
                for coordinate in l.into_iter().chain(r).flatten() {
                    within("a coordinate", coordinate, -1.0, 1.0, "(X right, Y front, Z up)")?;
                }
                *left = l.unwrap_or(*left);
                *right = r.unwrap_or(*right);
            }
            (Place::Bed { .. }, ..) => {
                return Err(("left and right are of objects".into(), "set place = \"object\"".into()));
            }
        }
        if let Some(gain) = self.gain {
            placement.gain = Db(within("gain", gain, -40.0, 12.0, "dB")?);
        }
        placement.lfe = match &self.lfe {
            None => placement.lfe,
            Some(toml::Value::String(off)) if off == "off" => None,
            Some(value) => {
                let number = value.as_float().or_else(|| value.as_integer().map(|i| i as f64));
                let number = number
                    .ok_or_else(|| (format!("lfe cannot be {value}"), "it takes dB or \"off\"".into()))?;
                Some(Db(within("lfe", number, -60.0, 0.0, "dB or \"off\"")?))
            }
        };
        placement.binaural = self.binaural.unwrap_or(placement.binaural);
        Ok(placement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, role: Role) -> Result<Placement, Complaint> {
        toml::from_str::<RawPlacement>(text).expect("is TOML").read(role)
    }

    #[test]
    fn a_table_changes_only_what_it_says() {
        assert_eq!(read("", Role::Vocals), Ok(Placement::of(Role::Vocals)));
        let moved = read("left = [-0.5, 1, 0]\nlfe = -12\n", Role::Vocals).expect("reads");
        assert_eq!(moved.place, Place::Object { left: [-0.5, 1.0, 0.0], right: [0.3, 1.0, 0.0] });
        assert_eq!((moved.lfe, moved.binaural), (Some(Db(-12.0)), Binaural::Near));
        let bed = read("place = \"rears\"\nlfe = \"off\"", Role::Bass).expect("reads");
        assert_eq!(bed.place, Place::Bed { word: "rears", channels: [6, 7] });
        assert_eq!(bed.lfe, None);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_cure() {
        for (text, role, word) in [
            ("place = \"roof\"", Role::Fx, "tops"),
            ("left = [0, 0, 2]", Role::Fx, "-1 to 1"),
            ("left = [0, 0, 0]", Role::Drums, "object"),
            ("gain = nan", Role::Fx, "-40 to 12"),
            ("lfe = \"loud\"", Role::Fx, "off"),
            ("lfe = 3", Role::Fx, "-60 to 0"),
        ] {
            let (fault, cure) = read(text, role).expect_err("is refused");
            assert!(cure.contains(word), "{text}: {fault}; {cure}");
        }
        assert!(RawAdm { aim: Some(-17.0), lfe_low_pass: None }.read().is_err());
        assert!(RawAdm { aim: None, lfe_low_pass: Some(200.0) }.read().is_err());
    }
}
