//! What a view draws, as plain values.

use super::edits::Edits;
use super::picture::{Named, Picture};
use super::theme::Palette;
use chain::monitor::MonitorMode;
use chain::parameters::{PARAMETERS, Parameter, Value};
use chain::{ChainKind, ChainSettings, LatencyClass};
use egui::Color32;
use meter::Reading;
use plugin_core::document::SLOT_COUNT;
use plugin_core::gauges::Health;
use plugin_core::presets::Preset;
use plugin_core::references::ReferenceList;
use plugin_core::session_view::{BusPosition, MoveAnswer, SessionSnapshot, TimelineSong};
use session::audition::AuditionEffect;
use session::role::Role;
use session::session_report::PlatformReport;
use session::target::NormalizationTarget;
use std::sync::Arc;
use units::{Db, Hz, Ms};

/// Everything that the view of one chain shows: equal facts are drawn alike.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewModel {
    /// Stem or Master.
    pub chain_kind: ChainKind,
    /// The track's name; empty if the host has not said.
    pub name: String,
    /// The track's colour, if the host has said.
    pub colour: Option<[u8; 3]>,
    /// The role, chosen or guessed.
    pub role: Role,
    /// The role was guessed from the name.
    pub role_is_guessed: bool,
    /// The parameters' values, with a host's modulation.
    pub settings: ChainSettings,
    /// The class that is asked for.
    pub class: LatencyClass,
    /// The classes that there are, by name, in order of latency.
    pub classes: &'static [(LatencyClass, &'static str)],
    /// The latency that the host was told, samples.
    pub latency: u64,
    /// The rate of what is heard; `None` before the host has activated.
    pub rate: Option<Hz>,
    /// Which of A to D is in use.
    pub slot: usize,
    /// Which of A to D hold settings of their own.
    pub used: [bool; SLOT_COUNT],
    /// What the meter says.
    pub reading: Reading,
    /// How long a programme the reading is of.
    pub heard: Ms,
    /// What the chain says of itself.
    pub health: Health,
    /// The chain has stopped after an error and passes its input.
    pub broken: bool,
    /// Why the last state was refused.
    pub notice: Option<String>,
    /// Spectra, levels and reductions of the last moments.
    pub picture: Picture,
    /// Spectra of the other stems.
    pub others: Vec<Named>,
    /// Where other stems mask this one.
    pub clashes: Vec<Clash>,
    /// What a Master has asked a Stem's level to change by, on top of the parameter.
    pub trim: Db,
    /// Noise is being learned: from so much sound so far.
    pub learning: Option<Ms>,
    /// What is heard instead of the output.
    pub listen: MonitorMode,
    /// How a Master wants a Stem heard, if not as it is.
    pub asked: Option<AuditionEffect>,
    /// The gain with which the input is as loud as the output; `None` before enough was heard.
    pub match_gain: Option<Db>,
    /// The user's own presets.
    pub presets: Vec<Preset>,
    /// The session as the plugin has published it.
    pub snapshot: Arc<SessionSnapshot>,
    /// The rest of a Master's view; empty in a Stem.
    pub master: MasterModel,
}

/// A stretch of the spectrum in which another stem is in the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Clash {
    /// Whose.
    pub name: String,
    /// From.
    pub low: Hz,
    /// To.
    pub high: Hz,
}

/// Part of a Master's view that follows from the published session together with its own reading, parameters, saved
/// state and transport.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MasterModel {
    /// Place on the master bus.
    pub placement: BusPosition,
    /// Playback of the Master's output by each platform; empty without loudness.
    pub platforms: Vec<PlatformReport>,
    /// The platforms' rules.
    pub targets: Vec<NormalizationTarget>,
    /// The last move that was asked for.
    pub answer: Option<MoveAnswer>,
    /// The saved songs, each with its loudness where that is known.
    pub songs: Vec<TimelineSong>,
    /// Position of the transport.
    pub playhead: Option<Ms>,
    /// Loop of the host.
    pub looped: Option<(Ms, Ms)>,
    /// Songs to compare with.
    pub references: ReferenceList,
}

impl MasterModel {
    /// The rule of a platform.
    pub fn target(&self, id: &str) -> Option<&NormalizationTarget> {
        self.targets.iter().find(|target| target.id == id)
    }
}

impl ViewModel {
    /// The value of `row`.
    pub fn value(&self, row: &Parameter) -> Value {
        row.get(&self.settings)
    }

    /// The number that `row` has; 0 when it is off or no number.
    pub fn number(&self, row: &Parameter) -> f64 {
        if let Value::Number(Some(x)) = self.value(row) { x } else { 0.0 }
    }

    /// True when the switch `row` is on.
    pub fn is_on(&self, row: &Parameter) -> bool {
        self.value(row) == Value::Switch(true)
    }

    /// Whether the class asked for offers what needs the class at `index` of [`Self::classes`]; if not, its name.
    pub fn lacks(&self, index: usize) -> Option<(LatencyClass, &'static str)> {
        let now = self.classes.iter().position(|(class, _)| *class == self.class).unwrap_or(0);
        if now >= index { None } else { self.classes.get(index).copied() }
    }

    /// The name of the class asked for.
    pub fn class_name(&self) -> &'static str {
        self.classes.iter().find(|(class, _)| *class == self.class).map_or("", |(_, name)| name)
    }
}

/// The row of that id, if this seat has it.
pub fn row(chain_kind: ChainKind, id: &str) -> Option<&'static Parameter> {
    PARAMETERS.find(id).filter(|row| row.only.is_none_or(|only| only == chain_kind))
}

/// What widgets draw from and leave edits with, for one frame.
pub struct ViewCx<'a> {
    /// What there is to show.
    pub facts: &'a ViewModel,
    /// Where edits go.
    pub edits: &'a mut Edits,
    /// Colours.
    pub look: Palette,
    /// The track's colour, seen well.
    pub track: Color32,
}

impl ViewCx<'_> {
    /// The row of that id, if this seat has it.
    pub fn row(&self, id: &str) -> Option<&'static Parameter> {
        row(self.facts.chain_kind, id)
    }

    /// The value that `row` has, or is being given at this moment.
    pub fn value(&self, row: &Parameter) -> Value {
        self.edits.held(row).unwrap_or_else(|| self.facts.value(row))
    }

    /// The number that `row` has; `None` when it is off or no number.
    pub fn number(&self, row: &Parameter) -> Option<f64> {
        if let Value::Number(x) = self.value(row) { x } else { None }
    }

    /// True when the switch `row` is on.
    pub fn is_on(&self, row: &Parameter) -> bool {
        self.value(row) == Value::Switch(true)
    }

    /// Grasps, sets and lets go.
    pub fn put(&mut self, row: &'static Parameter, value: Value) {
        let now = self.facts.value(row);
        self.edits.put(row, now, value);
    }

    /// Grasps.
    pub fn begin(&mut self, row: &'static Parameter) {
        let now = self.facts.value(row);
        self.edits.begin(row, now);
    }
}
