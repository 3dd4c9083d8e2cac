//! The tracks of the file: ten bed channels, then the objects; and which stem goes to which.

use super::bed::{BED, BED_LFE};
use super::panner;
use audiofile::error::{Error, Result, one_line};
use project::bundle::Bundle;
use project::placement::{AtmosPlace, AtmosPlacement, Binaural, RoomPosition, midpoint};
use project::session::Session;

/// The most objects that the profile allows.
pub const MAX_OBJECTS: usize = 118;

/// A track of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct AtmosTrack {
    /// Its name.
    pub name: String,
    /// Its position: a speaker's, or an object's.
    pub position: RoomPosition,
    /// Binaural distance, on headphones.
    pub binaural: Binaural,
}

/// A stem on its way to tracks.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The stem, by its place in the bundle.
    pub stem: usize,
    /// Its place in the room.
    pub placement: AtmosPlacement,
    /// Tracks with the gains of its left and right side.
    pub to: Vec<(usize, [f64; 2])>,
    /// The gain of either side to the LFE, linear.
    pub lfe: f64,
    /// True if it is mono.
    pub mono: bool,
}

/// Tracks and routes.
#[derive(Clone, Debug, PartialEq)]
pub struct AtmosPlan {
    /// The bed's ten, then the objects.
    pub tracks: Vec<AtmosTrack>,
    /// One for each stem that is not muted.
    pub routes: Vec<Route>,
}

impl AtmosPlan {
    /// The plan of a bundle with its session.
    ///
    /// # Errors
    /// If there are more objects than the profile allows, or nothing but muted stems.
    pub fn new(bundle: &Bundle, session: &Session) -> Result<Self> {
        let mut tracks: Vec<AtmosTrack> = BED
            .iter()
            .enumerate()
            .map(|(i, channel)| AtmosTrack {
                name: channel.name.into(),
                position: channel.position,
                binaural: if i == BED_LFE { Binaural::Off } else { Binaural::Mid },
            })
            .collect();
        let mut routes = Vec::new();
        for (i, (stem, settings)) in bundle.stems.iter().zip(&session.stems).enumerate() {
            if settings.mute {
                continue;
            }
            let placement = settings.placement;
            let gain = placement.gain.gain();
            // Both sides into one place: as loud as between two speakers.
            let half = std::f64::consts::FRAC_1_SQRT_2 * gain;
            let mono = stem.info.channels == 1;
            let mut object = |name: String, position| {
                tracks.push(AtmosTrack { name, position, binaural: placement.binaural });
                tracks.len() - 1
            };
            let name = one_line(&stem.name);
            let to = match placement.place {
                AtmosPlace::Bed { channels: [left, right], .. } if left == right => {
                    vec![(left, [half, half])]
                }
                AtmosPlace::Bed { channels: [left, right], .. } => {
                    vec![(left, [gain, 0.0]), (right, [0.0, gain])]
                }
                AtmosPlace::Object { left, right } if mono => {
                    vec![(object(name, midpoint(left, right)), [half, half])]
                }
                AtmosPlace::Object { left, right } => vec![
                    (object(format!("{name} L"), left), [gain, 0.0]),
                    (object(format!("{name} R"), right), [0.0, gain]),
                ],
            };
            let lfe = placement.lfe.map_or(0.0, |send| 0.5 * send.gain() * gain);
            routes.push(Route { stem: i, placement, to, lfe, mono });
        }
        let fault = |fault: String, cure: &str| {
            Err(Error::Bundle { path: bundle.dir.clone(), fault, cure: cure.into() })
        };
        if routes.is_empty() {
            return fault("has no stem that is not muted".into(), "unmute one in the session file");
        }
        let objects = tracks.len() - BED.len();
        if objects > MAX_OBJECTS {
            return fault(
                format!("makes {objects} objects, more than the {MAX_OBJECTS} that an Atmos file holds"),
                "place some stems in the bed: place = \"front\" under [stems.adm] of the session file",
            );
        }
        Ok(Self { tracks, routes })
    }

    /// The gains of every track in our 5.1 render.
    pub(super) fn render(&self) -> Vec<[f64; panner::CHANNELS]> {
        let positions = self.tracks.iter().map(|track| track.position);
        rendering(positions)
    }
}

/// The gains of tracks in our 5.1 render: a bed, then objects.
pub(super) fn rendering(positions: impl Iterator<Item = RoomPosition>) -> Vec<[f64; panner::CHANNELS]> {
    let gains = positions.enumerate().map(|(i, position)| {
        if i == BED_LFE {
            let mut gains = [0.0; panner::CHANNELS];
            gains[panner::LFE] = 1.0;
            return gains;
        }
        panner::gains(position)
    });
    gains.collect()
}
