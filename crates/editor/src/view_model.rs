//! Plain values that a view draws.

use super::analyser::{AnalyserFrame, NamedSpectrum};
use super::display::DisplaySettings;
use super::edits::Edits;
use super::refusals::Refusals;
use super::theme::Palette;
use chain::monitor::MonitorMode;
use chain::parameters::{PARAMETERS, Parameter, Value};
use chain::{ChainKind, ChainSettings, LatencyClass};
use egui::Color32;
use meter::Reading;
use plugin_core::document::SLOT_COUNT;
use plugin_core::gauges::Health;
use plugin_core::gauges::history::LoudnessHistory;
use plugin_core::presets::Preset;
use plugin_core::references::ReferenceList;
use plugin_core::session_view::{BusPosition, MoveAnswer, SessionSnapshot, TimelineSong};
use session::audition::AuditionEffect;
use session::masking::BandLevels;
use session::record::StemId;
use session::role::Role;
use session::session_report::PlatformReport;
use session::target::NormalizationTarget;
use std::sync::Arc;
use units::{Db, Dbtp, Hz, Ms};

/// Everything that the view of one chain shows: equal models are drawn alike.
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
    /// Latency class asked for.
    pub class: LatencyClass,
    /// All latency classes with their names, in order of latency.
    pub classes: &'static [(LatencyClass, &'static str)],
    /// Wishes that the host has not granted in time.
    pub refusals: Refusals,
    /// Latency reported to the host, samples.
    pub latency: u64,
    /// Sample rate; `None` before the host has activated the plugin.
    pub rate: Option<Hz>,
    /// Slot in use, A to D, from 0.
    pub slot: usize,
    /// Slots that hold settings of their own.
    pub used: [bool; SLOT_COUNT],
    /// Readings of the meter.
    pub reading: Reading,
    /// Highest true peak of each channel since they were reset.
    pub peaks: [Option<Dbtp>; 2],
    /// Display of meters and spectra.
    pub display: DisplaySettings,
    /// Loudness of the last minute; empty unless it is shown.
    pub recent: Arc<LoudnessHistory>,
    /// Loudness over the song; empty unless it is shown.
    pub song: Arc<LoudnessHistory>,
    /// Position of the transport.
    pub playhead: Option<Ms>,
    /// Duration that the reading covers.
    pub heard: Ms,
    /// True if a play from the start begins anew.
    pub restarts_with_play: bool,
    /// Faults that the chain has counted.
    pub health: Health,
    /// The chain has stopped after an error and passes its input.
    pub broken: bool,
    /// Reason for which the last state was refused.
    pub notice: Option<String>,
    /// Spectra, levels and gain reductions to draw.
    pub picture: AnalyserFrame,
    /// Spectra of the other stems.
    pub others: Vec<NamedSpectrum>,
    /// Ranges in which other stems mask this one.
    pub clashes: Vec<Clash>,
    /// Trim that Masters have asked for, on top of the level parameter.
    pub trim: Db,
    /// Duration of noise learned so far; `None` while not learning.
    pub learning: Option<Ms>,
    /// Monitor mode chosen in this window.
    pub listen: MonitorMode,
    /// Audition that a Master asks of a Stem.
    pub asked: Option<AuditionEffect>,
    /// Gain that makes the input as loud as the output; `None` before enough was heard.
    pub match_gain: Option<Db>,
    /// The user's own presets.
    pub presets: Vec<Preset>,
    /// The session as the plugin has published it.
    pub snapshot: Arc<SessionSnapshot>,
    /// The rest of a Master's view; empty in a Stem.
    pub master: MasterModel,
}

/// Frequency range in which another stem masks this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Clash {
    /// Name of the other stem.
    pub name: String,
    /// Its colour.
    pub colour: Color32,
    /// Lower edge.
    pub low: Hz,
    /// Upper edge.
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
    /// True if sound comes from the host and no position on the timeline with it.
    pub lacks_position: bool,
    /// Average spectra of the stems over what was played.
    pub song_spectra: Vec<(StemId, BandLevels)>,
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
    /// Returns the value of `row`.
    pub fn value(&self, row: &Parameter) -> Value {
        row.get(&self.settings)
    }

    /// Returns the number of `row`; 0 if it is off or no number.
    pub fn number(&self, row: &Parameter) -> f64 {
        if let Value::Number(Some(x)) = self.value(row) { x } else { 0.0 }
    }

    /// Returns true if the switch `row` is on.
    pub fn is_on(&self, row: &Parameter) -> bool {
        self.value(row) == Value::Switch(true)
    }

    /// Returns the class at `index` of [`Self::classes`] and its name if the class asked for is a lower one; else `None`.
    pub fn lacks(&self, index: usize) -> Option<(LatencyClass, &'static str)> {
        let now = self.classes.iter().position(|(class, _)| *class == self.class).unwrap_or(0);
        if now >= index { None } else { self.classes.get(index).copied() }
    }

    /// The name of the class asked for.
    pub fn class_name(&self) -> &'static str {
        self.classes.iter().find(|(class, _)| *class == self.class).map_or("", |(_, name)| name)
    }
}

/// Returns the parameter of that id, if this kind of chain has it.
pub fn row(chain_kind: ChainKind, id: &str) -> Option<&'static Parameter> {
    PARAMETERS.find(id).filter(|row| row.only.is_none_or(|only| only == chain_kind))
}

/// Context of widgets for one frame: model, edits, colours.
pub struct ViewCx<'a> {
    /// Model to draw.
    pub model: &'a ViewModel,
    /// Queue of edits.
    pub edits: &'a mut Edits,
    /// Colours.
    pub palette: Palette,
    /// The track's colour, adapted to the palette.
    pub track: Color32,
}

impl ViewCx<'_> {
    /// Returns the parameter of that id, if this kind of chain has it.
    pub fn row(&self, id: &str) -> Option<&'static Parameter> {
        row(self.model.chain_kind, id)
    }

    /// Returns the value of `row`; during a gesture, the value last set.
    pub fn value(&self, row: &Parameter) -> Value {
        self.edits.held(row).unwrap_or_else(|| self.model.value(row))
    }

    /// Returns the number of `row`; `None` if it is off or no number.
    pub fn number(&self, row: &Parameter) -> Option<f64> {
        if let Value::Number(x) = self.value(row) { x } else { None }
    }

    /// Returns true if the switch `row` is on.
    pub fn is_on(&self, row: &Parameter) -> bool {
        self.value(row) == Value::Switch(true)
    }

    /// Sets `row` in a gesture of its own.
    pub fn put(&mut self, row: &'static Parameter, value: Value) {
        let now = self.model.value(row);
        self.edits.put(row, now, value);
    }

    /// Begins a gesture on `row`.
    pub fn begin(&mut self, row: &'static Parameter) {
        let now = self.model.value(row);
        self.edits.begin(row, now);
    }
}
