//! User actions in a view, and their undo history.
//!
//! A view reads plain settings and leaves [`Edit`]s behind. Nothing here knows a host: the window turns edits into
//! the host's gestures, a test applies them to a plain struct.

use super::display::{MeterDisplay, SpectrumDisplay};
use chain::LatencyClass;
use chain::monitor::MonitorMode;
use chain::parameters::{Parameter, Value};
use dsp::denoise::{NoisePrint, ThresholdCurve};
use plugin_core::command::{Proposal, TrimChange, TrimRequest};
use plugin_core::document::SLOT_COUNT;
use plugin_core::document::songs::SongRange;
use plugin_core::landing::LandingRequest;
use plugin_core::presets::Preset;
use plugin_core::session_view::{BandMark, BusPosition};
use session::audition::Audition;
use session::record::StemId;
use session::role::Role;
use units::Db;

/// One action of the user.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Start of a parameter gesture.
    Begin(&'static Parameter),
    /// New value of a parameter within its gesture.
    Set(&'static Parameter, Value),
    /// End of a parameter gesture.
    End(&'static Parameter),
    /// Another latency class.
    Class(LatencyClass),
    /// Recall of settings A to D, by index.
    Slot(usize),
    /// Copy of the settings in use to that slot.
    CopyTo(usize),
    /// The stem's role; `None` guesses it from the track's name.
    Role(Option<Role>),
    /// Monitor mode: the output, or something else in its place.
    MonitorMode(MonitorMode),
    /// Reset of the meters, and of what a Master has heard.
    Restart,
    /// Reset of held peaks.
    ResetPeaks,
    /// Reset of the meters of all Stems.
    ResetStems,
    /// Band in which another stem covers a Stem, for that Stem to show.
    MarkBand(StemId, BandMark),
    /// The mark of a Stem's own window is done with.
    RemoveMark,
    /// Display of loudness in all windows.
    MeterDisplay(MeterDisplay),
    /// Display of spectra in all windows.
    SpectrumDisplay(SpectrumDisplay),
    /// Option that a play from the start begins anew.
    RestartWithPlay(bool),
    /// Moves the trim that Masters have asked for into the level parameter.
    TakeTrim,
    /// Preset to save in the user's folder.
    SavePreset(Preset),
    /// Name of the user preset to remove.
    RemovePreset(String),
    /// Move to predict; `None` ends the last prediction. Nothing audible changes.
    Predict(Option<Proposal>),
    /// Loudness to land on, to estimate; `None` ends the last estimate. Nothing audible changes.
    Land(Option<LandingRequest>),
    /// Trim to ask of a Stem.
    RequestTrim(TrimRequest),
    /// Trims to ask of several Stems; only Stems whose trim is still the former one are changed.
    Trims(Vec<TrimChange>),
    /// Position of a Master on the bus.
    BusPosition(BusPosition),
    /// Export of the session to a file.
    ExportSession,
    /// Confirmation that a missing stem is muted on purpose: its mute is recorded.
    ConfirmMute(StemId),
    /// Start of noise learning (true), or its end, at which the print is taken (false).
    LearnNoise(bool),
    /// New noise print; `None`: the noise is tracked.
    Noise(Option<Box<NoisePrint>>),
    /// Offsets of the noise reduction threshold per octave, dB.
    NoiseCurve(ThresholdCurve),
    /// Songs on the timeline.
    Songs(Vec<SongRange>),
    /// Paths of the reference files.
    References(Vec<String>),
    /// Path of the reference to play instead of the output; `None`: the output.
    PlayReference(Option<String>),
    /// References follow the transport (true), or their loudest passage repeats (false).
    FollowTransport(bool),
    /// Folder to list for the file chooser; `None`: the music folder.
    ListFolder(Option<String>),
    /// Solo, mute or bypass of a stem to toggle; `None` clears all.
    Audition(Option<(StemId, Audition)>),
    /// Stem that the unlinked part of the mix follows in predictions; `None`: no stem.
    Follow(Option<StemId>),
}

/// Values of a parameter before and after one step.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ParameterChange {
    row: &'static Parameter,
    before: Value,
    after: Value,
}

/// Undo step of one gesture.
#[derive(Clone, Debug)]
enum UndoStep {
    Values(Vec<ParameterChange>),
    /// The noise print before and after.
    Noise(Box<[Option<NoisePrint>; 2]>),
    /// The threshold per octave before and after.
    Curve(Box<[ThresholdCurve; 2]>),
    /// The references' files before and after.
    References(Box<[Vec<String>; 2]>),
    /// The songs before and after.
    Songs(Box<[Vec<SongRange>; 2]>),
    /// Trims asked of Stems.
    Trims(Vec<TrimChange>),
}

impl UndoStep {
    /// Goes on to where `later` led, which was made at the same [`TurnTarget`].
    fn merge(&mut self, later: Self) {
        match (self, later) {
            (Self::Values(first), Self::Values(later)) => {
                for (first, later) in first.iter_mut().zip(later) {
                    first.after = later.after;
                }
            }
            (Self::Curve(first), Self::Curve(later)) => first[1] = later[1],
            // nothing else is turned
            _ => {}
        }
    }
}

/// Target of wheel or arrow keys.
#[derive(Clone, Copy, Debug, PartialEq)]
enum TurnTarget {
    Parameter(&'static Parameter),
    /// A point of the threshold per octave.
    Octave(usize),
}

/// Turn of the wheel or arrow key at a target; time in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Turn {
    place: TurnTarget,
    time: f64,
}

impl Turn {
    /// Returns true if it belongs to the same step as `last`.
    fn follows(self, last: Self) -> bool {
        self.place == last.place && self.time - last.time < TURN_INTERVAL_SECONDS
    }
}

/// Undo history of one slot.
#[derive(Clone, Debug, Default)]
struct History {
    done: Vec<UndoStep>,
    undone: Vec<UndoStep>,
    /// Turn that ended the last step.
    turned: Option<Turn>,
}

/// Largest number of undo steps per slot.
const MAX_UNDO_STEPS: usize = 200;
/// Longest pause between turns at one target that form one step, seconds.
const TURN_INTERVAL_SECONDS: f64 = 0.6;

/// Queue of edits, and the undo steps made of them. One gesture is one step, however many parameters it moves.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    queue: Vec<Edit>,
    grasped: Vec<ParameterChange>,
    step: Vec<ParameterChange>,
    /// Nesting depth of [`Self::together`]; edits form one step while it is above 0.
    together: usize,
    /// Turn in progress.
    turn: Option<Turn>,
    histories: [History; SLOT_COUNT],
    slot: usize,
}

impl Edits {
    /// Returns the edits since the last call.
    pub fn take(&mut self) -> Vec<Edit> {
        std::mem::take(&mut self.queue)
    }

    /// Follows the slot in use: each has its own steps.
    pub fn follow_slot(&mut self, slot: usize) {
        self.slot = slot.min(SLOT_COUNT - 1);
    }

    fn history(&mut self) -> &mut History {
        &mut self.histories[self.slot]
    }

    /// Queues an edit that is neither a parameter change nor an undo step.
    pub fn request(&mut self, edit: Edit) {
        self.queue.push(edit);
    }

    /// Begins a gesture on a parameter whose value is `value`.
    pub fn begin(&mut self, row: &'static Parameter, value: Value) {
        if !self.grasped.iter().any(|g| g.row == row) {
            self.grasped.push(ParameterChange { row, before: value, after: value });
            self.queue.push(Edit::Begin(row));
        }
    }

    /// Sets a parameter within its gesture.
    pub fn set(&mut self, row: &'static Parameter, value: Value) {
        if let Some(grasped) = self.grasped.iter_mut().find(|g| g.row == row)
            && grasped.after != value
        {
            grasped.after = value;
            self.queue.push(Edit::Set(row, value));
        }
    }

    /// Ends a parameter's gesture; the last end completes the step.
    pub fn end(&mut self, row: &'static Parameter) {
        if let Some(at) = self.grasped.iter().position(|g| g.row == row) {
            let change = self.grasped.remove(at);
            self.queue.push(Edit::End(row));
            if change.before != change.after {
                self.step.push(change);
            }
            self.complete();
        }
    }

    /// Returns true during a gesture on `row`.
    pub fn holds(&self, row: &Parameter) -> bool {
        self.grasped.iter().any(|g| g.row == row)
    }

    /// Returns the value last set within the gesture on `row`.
    pub fn held(&self, row: &Parameter) -> Option<Value> {
        self.grasped.iter().find(|g| g.row == row).map(|g| g.after)
    }

    /// Sets a parameter in a gesture of its own.
    pub fn put(&mut self, row: &'static Parameter, now: Value, value: Value) {
        self.begin(row, now);
        self.set(row, value);
        self.end(row);
    }

    /// [`Self::put`] by wheel or arrows at `time` seconds: turns that follow each other are one step.
    pub fn turn(&mut self, row: &'static Parameter, now: Value, value: Value, time: f64) {
        self.turning(Turn { place: TurnTarget::Parameter(row), time }, |edits| edits.put(row, now, value));
    }

    /// [`Self::put_curve`] by wheel or arrows at one octave at `time` seconds: turns that follow each other are one step.
    pub fn turn_curve(&mut self, octave: usize, now: ThresholdCurve, curve: ThresholdCurve, time: f64) {
        self.turning(Turn { place: TurnTarget::Octave(octave), time }, |edits| edits.put_curve(now, curve));
    }

    fn turning(&mut self, turn: Turn, edit: impl FnOnce(&mut Self)) {
        self.turn = Some(turn);
        edit(self);
        self.turn = None;
    }

    /// Runs `edit`; everything it does is one step.
    pub fn together(&mut self, edit: impl FnOnce(&mut Self)) {
        self.together += 1;
        edit(self);
        self.together -= 1;
        self.complete();
    }

    fn complete(&mut self) {
        if self.together > 0 || !self.grasped.is_empty() || self.step.is_empty() {
            return;
        }
        let step = std::mem::take(&mut self.step);
        self.remember(UndoStep::Values(step));
    }

    /// Records a step: the noise print has changed.
    pub fn record_noise(&mut self, before: Option<NoisePrint>, after: Option<NoisePrint>) {
        if before != after {
            self.remember(UndoStep::Noise(Box::new([before, after])));
        }
    }

    /// Records a step: the threshold curve has changed.
    pub fn record_curve(&mut self, before: ThresholdCurve, after: ThresholdCurve) {
        if before != after {
            self.remember(UndoStep::Curve(Box::new([before, after])));
        }
    }

    /// Sets the threshold curve, as a step.
    pub fn put_curve(&mut self, now: ThresholdCurve, curve: ThresholdCurve) {
        if now != curve {
            self.queue.push(Edit::NoiseCurve(curve));
            self.record_curve(now, curve);
        }
    }

    /// Sets the noise print, as a step.
    pub fn put_noise(&mut self, now: Option<NoisePrint>, print: Option<NoisePrint>) {
        self.queue.push(Edit::Noise(print.map(Box::new)));
        self.record_noise(now, print);
    }

    /// Sets the reference files, as a step.
    pub fn put_references(&mut self, now: Vec<String>, files: Vec<String>) {
        if now != files {
            self.queue.push(Edit::References(files.clone()));
            self.remember(UndoStep::References(Box::new([now, files])));
        }
    }

    /// Sets the songs on the timeline, as a step.
    pub fn put_songs(&mut self, now: Vec<SongRange>, songs: Vec<SongRange>) {
        if now != songs {
            self.queue.push(Edit::Songs(songs.clone()));
            self.remember(UndoStep::Songs(Box::new([now, songs])));
        }
    }

    /// Asks a Stem, whose trim is `now`, for another one.
    pub fn ask_trim(&mut self, now: Db, request: TrimRequest) {
        if now != request.trim {
            self.queue.push(Edit::RequestTrim(request));
            self.remember(UndoStep::Trims(vec![TrimChange {
                stem: request.stem,
                before: now,
                after: request.trim,
            }]));
        }
    }

    /// Asks several Stems for other trims, in one step.
    pub fn put_trims(&mut self, mut changes: Vec<TrimChange>) {
        changes.retain(|change| change.before != change.after);
        if !changes.is_empty() {
            self.queue.push(Edit::Trims(changes.clone()));
            self.remember(UndoStep::Trims(changes));
        }
    }

    fn remember(&mut self, step: UndoStep) {
        let turn = self.turn;
        let history = self.history();
        history.undone.clear();
        let last = std::mem::replace(&mut history.turned, turn);
        let follows = turn.zip(last).is_some_and(|(turn, last)| turn.follows(last));
        if let Some(first) = history.done.last_mut().filter(|_| follows) {
            first.merge(step);
            return;
        }
        history.done.push(step);
        if history.done.len() > MAX_UNDO_STEPS {
            history.done.remove(0);
        }
    }

    /// Returns true if there is a step to undo.
    pub fn can_undo(&self) -> bool {
        !self.histories[self.slot].done.is_empty()
    }

    /// Returns true if there is a step to redo.
    pub fn can_redo(&self) -> bool {
        !self.histories[self.slot].undone.is_empty()
    }

    /// Undoes the last step.
    pub fn undo(&mut self) {
        self.history().turned = None;
        if let Some(step) = self.history().done.pop() {
            match &step {
                UndoStep::Values(changes) => {
                    changes.iter().rev().for_each(|change| self.replay(change.row, change.before));
                }
                UndoStep::Noise(prints) => self.queue.push(Edit::Noise(prints[0].map(Box::new))),
                UndoStep::Curve(curves) => self.queue.push(Edit::NoiseCurve(curves[0])),
                UndoStep::References(files) => self.queue.push(Edit::References(files[0].clone())),
                UndoStep::Songs(songs) => self.queue.push(Edit::Songs(songs[0].clone())),
                UndoStep::Trims(changes) => {
                    let back = changes.iter().map(|change| change.reversed()).collect();
                    self.queue.push(Edit::Trims(back));
                }
            }
            self.history().undone.push(step);
        }
    }

    /// Redoes the last undone step.
    pub fn redo(&mut self) {
        self.history().turned = None;
        if let Some(step) = self.history().undone.pop() {
            match &step {
                UndoStep::Values(changes) => {
                    changes.iter().for_each(|change| self.replay(change.row, change.after));
                }
                UndoStep::Noise(prints) => self.queue.push(Edit::Noise(prints[1].map(Box::new))),
                UndoStep::Curve(curves) => self.queue.push(Edit::NoiseCurve(curves[1])),
                UndoStep::References(files) => self.queue.push(Edit::References(files[1].clone())),
                UndoStep::Songs(songs) => self.queue.push(Edit::Songs(songs[1].clone())),
                UndoStep::Trims(changes) => self.queue.push(Edit::Trims(changes.clone())),
            }
            self.history().done.push(step);
        }
    }

    fn replay(&mut self, row: &'static Parameter, value: Value) {
        self.queue.extend([Edit::Begin(row), Edit::Set(row, value), Edit::End(row)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::parameters::PARAMETERS;

    fn row(id: &str) -> &'static Parameter {
        PARAMETERS.find(id).expect("exists")
    }

    fn db(x: f64) -> Value {
        Value::Number(Some(x))
    }

    fn last(edits: &mut Edits, row: &Parameter) -> Option<Value> {
        edits.take().into_iter().rev().find_map(|edit| match edit {
            Edit::Set(of, value) if of == row => Some(value),
            _ => None,
        })
    }

    #[test]
    fn a_drag_is_one_gesture_and_one_step() {
        let (mut edits, level) = (Edits::default(), row("level"));
        edits.begin(level, db(0.0));
        for x in [1.0, 2.0, 2.0, 3.0] {
            edits.set(level, db(x));
        }
        assert!(!edits.can_undo(), "not before it is let go");
        edits.end(level);
        let set = |x| Edit::Set(level, db(x));
        assert_eq!(edits.take(), [Edit::Begin(level), set(1.0), set(2.0), set(3.0), Edit::End(level)]);
        edits.undo();
        assert_eq!(edits.take(), [Edit::Begin(level), set(0.0), Edit::End(level)]);
        assert!(!edits.can_undo() && edits.can_redo());
        edits.redo();
        assert_eq!(last(&mut edits, level), Some(db(3.0)));
    }

    #[test]
    fn a_node_moves_two_parameters_in_one_step() {
        let (mut edits, f, g) = (Edits::default(), row("eq2_freq"), row("eq2_gain"));
        edits.begin(f, db(80.0));
        edits.begin(g, db(0.0));
        edits.set(f, db(100.0));
        edits.set(g, db(3.0));
        edits.end(f);
        edits.end(g);
        edits.take();
        edits.undo();
        let undone = edits.take();
        assert!(undone.contains(&Edit::Set(f, db(80.0))) && undone.contains(&Edit::Set(g, db(0.0))));
        assert!(!edits.can_undo());
    }

    #[test]
    fn turns_of_the_wheel_in_a_row_are_one_step_later_ones_another() {
        let (mut edits, q, level) = (Edits::default(), row("eq1_q"), row("level"));
        edits.put(level, db(0.0), db(1.0));
        for (now, to, time) in [(1.0, 1.1, 0.0), (1.1, 1.2, 0.2), (1.2, 1.3, 0.4), (1.3, 1.4, 5.0)] {
            edits.turn(q, db(now), db(to), time);
        }
        edits.take();
        edits.undo();
        assert_eq!(last(&mut edits, q), Some(db(1.3)));
        edits.undo();
        assert_eq!(last(&mut edits, q), Some(db(1.0)));
        edits.undo();
        assert_eq!(last(&mut edits, level), Some(db(0.0)));
        assert!(!edits.can_undo());
    }

    #[test]
    fn a_turn_goes_on_at_its_place_only_and_not_what_was_done_or_undone_before() {
        let (mut edits, q) = (Edits::default(), row("eq1_q"));
        let bent = |octave: usize, db: f64| {
            let mut curve = ThresholdCurve::default();
            curve[octave] = units::Db(db);
            curve
        };
        let flat = ThresholdCurve::default();
        edits.put(q, db(1.0), db(1.1));
        // at its end already: no step, and none that was put is changed
        edits.turn(q, db(1.1), db(1.1), 0.0);
        edits.turn(q, db(1.1), db(1.2), 0.1);
        edits.turn_curve(3, flat, bent(3, 0.5), 0.2);
        edits.turn_curve(3, bent(3, 0.5), bent(3, 1.0), 0.3);
        edits.turn_curve(4, bent(3, 1.0), flat, 0.4);
        edits.undo();
        edits.turn_curve(4, bent(3, 1.0), bent(4, 1.0), 0.5);
        edits.take();
        for curve in [bent(3, 1.0), flat] {
            edits.undo();
            assert_eq!(edits.take(), [Edit::NoiseCurve(curve)]);
        }
        for before in [1.1, 1.0] {
            edits.undo();
            assert_eq!(last(&mut edits, q), Some(db(before)));
        }
        assert!(!edits.can_undo());
        edits.redo();
        edits.redo();
        edits.redo();
        edits.take();
        edits.turn_curve(3, bent(3, 1.0), bent(3, 2.0), 0.6);
        edits.undo();
        assert_eq!(
            edits.take().pop(),
            Some(Edit::NoiseCurve(bent(3, 1.0))),
            "done again is not gone on with"
        );
    }

    #[test]
    fn what_changes_nothing_is_no_step_and_a_new_step_ends_redoing() {
        let (mut edits, level) = (Edits::default(), row("level"));
        edits.put(level, db(1.0), db(1.0));
        assert!(!edits.can_undo());
        edits.put(level, db(1.0), db(2.0));
        edits.undo();
        edits.put(level, db(1.0), db(3.0));
        assert!(!edits.can_redo());
    }

    #[test]
    fn each_slot_has_its_own_steps() {
        let (mut edits, level) = (Edits::default(), row("level"));
        edits.put(level, db(0.0), db(1.0));
        edits.follow_slot(1);
        assert!(!edits.can_undo());
        edits.follow_slot(0);
        assert!(edits.can_undo());
    }

    #[test]
    fn a_noise_print_is_a_step_among_others() {
        let (mut edits, level) = (Edits::default(), row("level"));
        let print = NoisePrint::new(&[-90.0; dsp::denoise::BANDS]);
        edits.record_noise(None, print);
        edits.put(level, db(0.0), db(1.0));
        edits.put_noise(print, None);
        edits.take();
        edits.undo();
        assert_eq!(edits.take(), [Edit::Noise(print.map(Box::new))]);
        edits.undo();
        edits.take();
        edits.undo();
        assert_eq!(edits.take(), [Edit::Noise(None)]);
        assert!(!edits.can_undo());
        edits.redo();
        assert_eq!(edits.take(), [Edit::Noise(print.map(Box::new))]);
        edits.record_noise(print, print);
        assert!(edits.can_redo(), "nothing has changed");
    }

    #[test]
    fn what_stems_are_asked_for_is_taken_back_and_asked_again() {
        let mut edits = Edits::default();
        let change =
            |stem, before, after| TrimChange { stem: StemId(stem), before: Db(before), after: Db(after) };
        let request = TrimRequest { stem: StemId(1), base: 7, trim: Db(2.0) };
        edits.ask_trim(Db(2.0), request);
        assert!(!edits.can_undo(), "nothing is asked for");
        edits.ask_trim(Db(-1.0), request);
        edits.put_trims(vec![change(1, 2.0, 0.0), change(2, 0.0, 0.0), change(3, 1.5, 0.0)]);
        assert_eq!(
            edits.take(),
            [Edit::RequestTrim(request), Edit::Trims(vec![change(1, 2.0, 0.0), change(3, 1.5, 0.0)])]
        );
        edits.undo();
        assert_eq!(edits.take(), [Edit::Trims(vec![change(1, 0.0, 2.0), change(3, 0.0, 1.5)])]);
        edits.undo();
        assert_eq!(edits.take(), [Edit::Trims(vec![change(1, 2.0, -1.0)])]);
        edits.redo();
        assert_eq!(edits.take(), [Edit::Trims(vec![change(1, -1.0, 2.0)])]);
    }

    #[test]
    fn songs_are_a_step_among_others() {
        let mut edits = Edits::default();
        let songs = |ends: &[f64]| {
            let song = |end: &f64| SongRange { name: "Song".into(), start: 0.0, end: *end };
            ends.iter().map(song).collect::<Vec<_>>()
        };
        edits.put_songs(songs(&[]), songs(&[9.0]));
        edits.put_songs(songs(&[9.0]), songs(&[9.0]));
        edits.take();
        edits.undo();
        assert_eq!(edits.take(), [Edit::Songs(songs(&[]))]);
        assert!(!edits.can_undo());
        edits.redo();
        assert_eq!(edits.take(), [Edit::Songs(songs(&[9.0]))]);
    }

    #[test]
    fn references_are_a_step_among_others() {
        let mut edits = Edits::default();
        let files = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        edits.put_references(files(&[]), files(&["a"]));
        edits.put_references(files(&["a"]), files(&["a", "b"]));
        edits.put_references(files(&["a"]), files(&["a"]));
        edits.take();
        edits.undo();
        assert_eq!(edits.take(), [Edit::References(files(&["a"]))]);
        edits.undo();
        assert_eq!(edits.take(), [Edit::References(files(&[]))]);
        edits.redo();
        assert_eq!(edits.take(), [Edit::References(files(&["a"]))]);
    }

    #[test]
    fn what_is_done_together_is_undone_together() {
        let (mut edits, a, b) = (Edits::default(), row("comp_on"), row("comp_ratio"));
        edits.together(|edits| {
            edits.put(a, Value::Switch(false), Value::Switch(true));
            edits.put(b, db(1.5), db(4.0));
        });
        edits.take();
        edits.undo();
        assert_eq!(edits.take().len(), 6);
        assert!(!edits.can_undo());
    }
}
