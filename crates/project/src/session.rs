//! The settings of a project: one entry for each stem, the master, and the files that are made.

use super::bundle::Bundle;
use super::delivery::{DeliverSettings, Version};
use super::fader::Fader;
use super::noise::Stretch;
use super::placement::{AdmSettings, AtmosPlacement};
use super::timed_move::TimedMove;
use audiofile::error::Result;
use chain::{ChainKind, ChainSettings, LatencyClass};
use session::role::Role;

/// The settings of one stem.
#[derive(Clone, Debug, PartialEq)]
pub struct StemSession {
    /// Its role.
    pub role: Role,
    /// Left out of the sum.
    pub mute: bool,
    /// Latency class of its chain.
    pub latency: LatencyClass,
    /// Its chain, a Master's trim included.
    pub chain: ChainSettings,
    /// The part of its file that its noise print is still to be learned from.
    pub learn_from: Option<Stretch>,
    /// Fader and pan, after its chain.
    pub fader: Fader,
    /// Moves after its fader.
    pub moves: Vec<TimedMove>,
    /// Its place in an Atmos file.
    pub placement: AtmosPlacement,
    /// The versions it is heard in; none: by role.
    pub versions: Option<Vec<Version>>,
}

impl StemSession {
    /// The settings that change nothing, for a stem of `role` called `name`.
    pub fn neutral(role: Role, name: &str) -> Self {
        Self {
            role,
            mute: false,
            latency: ChainKind::Stem.default_class(),
            chain: ChainSettings::default(),
            learn_from: None,
            fader: Fader::default(),
            moves: Vec::new(),
            placement: AtmosPlacement::for_stem(role, name),
            versions: None,
        }
    }

    /// True if it is heard in that version of the song.
    pub fn is_in(&self, version: Version) -> bool {
        self.versions.as_ref().map_or_else(|| version.includes(self.role), |list| list.contains(&version))
    }
}

/// The loudness that a master is to have.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum MasterLoudness {
    /// One constant gain toward -14 LUFS that stops where limiting would exceed 2 dB; never down for loudness.
    #[default]
    Auto,
    /// As the chains leave it; only the ceiling is held.
    AsIs,
    /// As the plugins sound in a host: nothing but the chains, in single precision between them.
    AsHeard,
    /// On the target of this id.
    Target(String),
}

impl MasterLoudness {
    /// The loudness of that name.
    pub fn from_id(id: &str) -> Self {
        match id {
            "auto" => Self::Auto,
            "as-is" => Self::AsIs,
            "as-heard" => Self::AsHeard,
            target => Self::Target(target.to_owned()),
        }
    }

    /// The name in session files.
    pub fn id(&self) -> &str {
        match self {
            Self::Auto => "auto",
            Self::AsIs => "as-is",
            Self::AsHeard => "as-heard",
            Self::Target(id) => id,
        }
    }
}

/// A bundle's settings, complete: one entry per stem, in bundle order.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The stems.
    pub stems: Vec<StemSession>,
    /// The master chain.
    pub master: ChainSettings,
    /// Latency class of the master chain.
    pub master_latency: LatencyClass,
    /// Loudness of the master.
    pub loudness: MasterLoudness,
    /// Target ids to report; empty: all.
    pub targets: Vec<String>,
    /// The Atmos file.
    pub adm: AdmSettings,
    /// The delivery.
    pub deliver: DeliverSettings,
    /// Sentences for the user: stems of the folder that the file does not list, keys without a source.
    pub notes: Vec<String>,
}

impl Session {
    /// The session without a file: roles guessed, chains neutral.
    pub fn neutral(bundle: &Bundle) -> Self {
        Self {
            stems: bundle.stems.iter().map(|stem| StemSession::neutral(stem.role, &stem.name)).collect(),
            master: ChainSettings::default(),
            master_latency: ChainKind::Master.default_class(),
            loudness: MasterLoudness::Auto,
            targets: Vec::new(),
            adm: AdmSettings::default(),
            deliver: DeliverSettings::default(),
            notes: Vec::new(),
        }
    }

    /// Learns the noise prints that the session asks for from the files of `bundle`: the second step of opening a session, before
    /// anything is rendered.
    ///
    /// # Errors
    /// If a stem cannot be read.
    pub fn learn_noise(&mut self, bundle: &Bundle) -> Result<()> {
        for (stem, file) in self.stems.iter_mut().zip(&bundle.stems) {
            if let Some(stretch) = stem.learn_from.take() {
                stem.chain.denoise.print = super::noise::learn(&file.path, &stem.chain, stretch)?;
            }
        }
        Ok(())
    }
}
