//! Between a plugin and the views: parameters and gauges become facts, edits become the host's gestures.

use super::Recall;
use super::edits::{Edit, Edits};
use super::facts::{Clash, Link, Linked, ViewModel};
use super::files::look::Look;
use super::files::shelf::Shelf;
use super::files::{presets as preset_files, sessions as session_files};
use super::master::MasterView;
use super::neighbours::Neighbours;
use super::picture::{Analyser, Named, TELLING};
use super::references::References;
use super::session::session;
use super::stem::{LEAST, StemView, WindowRequests};
use super::theme::{self, Palette};
use super::trims;
use chain::ChainKind;
use chain::listen::MonitorMode;
use chain::parameters::{Kind, Parameter, Value};
use dsp::denoise::NoisePrint;
use egui::Ui;
use meter::Reading;
use nice_plug::context::gui::ParamSetter;
use plugin_core::board::{Board, Master, Seen};
use plugin_core::control::Control;
use plugin_core::gauges::matching::Matching;
use plugin_core::gauges::scope::Watch;
use plugin_core::gauges::{Gauges, Health};
use plugin_core::groups::Visitor;
use plugin_core::presets::Preset;
use plugin_core::room::{Exported, Placement, SessionFacts};
use plugin_core::track::Track;
use plugin_core::{self, ChainParams, Output};
use session::record::StemId;
use session::target::{NormalizationTarget, builtin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use units::{Db, Hz, Ms};

/// How long a host may take to make a window larger, seconds.
const PATIENCE: f64 = 1.0;
/// From this many hops on, integrated figures are computed once a second only: an hour.
const LONG: u64 = 36_000;

/// The window's own part of an open editor, and what it remembers while it is closed.
pub(super) struct Window {
    stem: StemView,
    master: MasterView,
    edits: Edits,
    analyser: Analyser,
    matching: Matching,
    neighbours: Neighbours,
    /// What the other stems and the chain told when it was last asked, seconds.
    told: Option<(f64, Health, Vec<Named>, Vec<Clash>)>,
    /// What was drawn last, and when: seconds, and by the clock.
    shown: Option<(ViewModel, f64, Instant)>,
    look: Palette,
    remembered: Look,
    /// When another scale was chosen: the host is making the window as large, or refuses; seconds.
    rescaled: Option<f64>,
    /// The next frame is drawn at another scale, in a window of the same size.
    fitted: bool,
    /// Only while the window is open.
    watch: Option<Watch<Gauges>>,
    /// Hops and heard time at the last look, and what was read then.
    seen: Option<(u64, Ms)>,
    reading: Reading,
    presets: Vec<Preset>,
    targets: Vec<NormalizationTarget>,
    /// The noise print before the one that is being learned.
    learning: Option<Option<NoisePrint>>,
    exported: Option<Exported>,
    /// A Master's.
    references: References,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            stem: StemView::default(),
            master: MasterView::default(),
            edits: Edits::default(),
            analyser: Analyser::default(),
            matching: Matching::default(),
            neighbours: Neighbours::default(),
            told: None,
            shown: None,
            look: Palette::DARK,
            remembered: Look::default(),
            rescaled: None,
            fitted: false,
            watch: None,
            seen: None,
            reading: Reading::default(),
            presets: Vec::new(),
            targets: builtin(),
            learning: None,
            exported: None,
            references: References::default(),
        }
    }
}

impl Window {
    /// A window has been opened.
    /// `drawn` says when it is on the screen.
    pub(super) fn open<O: Output>(
        &mut self,
        ctx: &egui::Context,
        gauges: &Arc<Gauges>,
        drawn: &Arc<AtomicBool>,
    ) {
        if O::CHAIN_KIND == ChainKind::Master {
            let (ctx, drawn) = (ctx.clone(), Arc::clone(drawn));
            self.references.open(move || {
                if drawn.load(Ordering::Relaxed) {
                    ctx.request_repaint();
                }
            });
        }
        theme::install(ctx, &self.look);
        self.watch = Some(Watch::new(Arc::clone(gauges)));
        (self.analyser, self.matching, self.seen) = (Analyser::default(), Matching::default(), None);
        (self.told, self.shown) = (None, None);
        self.read_presets::<O>();
    }

    /// The next window is to look so.
    pub(super) fn look_like(&mut self, look: Look) {
        self.remembered = look;
        self.look = palette(look.dark);
    }

    /// How it looks.
    pub(super) fn remembered(&self) -> Look {
        self.remembered
    }

    /// Whether a window is open.
    pub(super) fn is_open(&self) -> bool {
        self.watch.is_some()
    }

    /// The window has been closed: the audio thread writes for nobody. Returns what reads references.
    pub(super) fn close<O: Output>(&mut self, board: &Board) -> Option<Shelf> {
        if self.watch.take().is_some() {
            self.remember::<O>(|_| ());
        }
        board.audition(None);
        self.references.close(board)
    }

    /// Changes what is remembered for all windows. Others may have changed the rest of it meanwhile.
    fn remember<O: Output>(&mut self, change: impl FnOnce(&mut Look)) {
        let kept = Look::load();
        let mut look = kept;
        look.resized(O::CHAIN_KIND, self.remembered.size(O::CHAIN_KIND));
        change(&mut look);
        if look != kept {
            look.save();
        }
    }

    /// Draws everything smaller where a host leaves too little room for the scale, so that nothing is cut. `room`: the
    /// window's size now, points of the system.
    pub(super) fn fit<O: Output>(&mut self, ui: &Ui, room: egui::Vec2) {
        let (ctx, now) = (ui.ctx(), ui.input(|input| input.time));
        let zoom = ctx.zoom_factor();
        if std::mem::take(&mut self.fitted) {
            // from this frame on it is drawn so; the framework would have the window resized along with it
            ctx.send_viewport_cmd(egui::ViewportCommand::InnerSize(room / zoom));
        }
        self.remembered.resized(O::CHAIN_KIND, room / zoom);
        if let Some(left) = self.rescaled.map(|then| then + PATIENCE - now).filter(|left| *left > 0.0) {
            ctx.request_repaint_after(Duration::from_secs_f64(left));
            return;
        }
        self.rescaled = None;
        let fitting = fitting(room, self.remembered.scale);
        if (fitting - zoom).abs() > 0.005 {
            ctx.set_zoom_factor(fitting);
            self.fitted = true;
        }
    }

    fn read_presets<O: Output>(&mut self) {
        self.presets = preset_files::folder(O::CHAIN_KIND)
            .map(|folder| preset_files::read_all(&folder, O::CHAIN_KIND).0)
            .unwrap_or_default();
    }

    /// Draws the view and does what a person wants.
    pub(super) fn show<O: Output>(
        &mut self,
        ui: &mut Ui,
        plugin: (&ChainParams<O>, &Gauges, &Track, &Board),
        setter: &ParamSetter<'_>,
    ) {
        let (params, gauges, _, board) = plugin;
        // stems that have come since are asked, too
        board.tend();
        let time = ui.input(|input| input.time);
        let facts = self.facts(plugin, time);
        self.follow_noise(&facts);
        let wishes = match O::CHAIN_KIND {
            ChainKind::Stem => self.stem.show(ui, &facts, &mut self.edits, &self.look),
            ChainKind::Master => self.master.show(ui, &facts, &mut self.edits, &self.look),
        };
        self.heed::<O>(ui.ctx(), wishes);
        let edits = self.edits.take();
        if !edits.is_empty() {
            self.apply(&edits, params, (gauges, board), setter);
            ui.ctx().request_repaint();
        }
        self.shown = Some((facts, time, Instant::now()));
    }

    /// True while the picture that was drawn last falls back to silence, or noise is being learned.
    pub(super) fn is_moving(&self) -> bool {
        let is_moving = |facts: &ViewModel| facts.picture.is_moving() || facts.learning.is_some();
        self.shown.as_ref().is_some_and(|(facts, ..)| is_moving(facts))
    }

    /// Whether there is something else to be seen than what was drawn last. For any thread.
    pub(super) fn is_stale<O: Output>(&mut self, plugin: (&ChainParams<O>, &Gauges, &Track, &Board)) -> bool {
        let Some((shown, time, then)) = self.shown.take() else { return true };
        let now = self.facts(plugin, time + then.elapsed().as_secs_f64());
        let is_stale = now != shown;
        self.shown = Some((shown, time, then));
        is_stale
    }

    /// A print that has been learned is a step that can be undone.
    fn follow_noise(&mut self, facts: &ViewModel) {
        let print = facts.settings.denoise.print;
        match (facts.learning, self.learning) {
            (Some(_), None) => self.learning = Some(print),
            (None, Some(before)) => {
                self.learning = None;
                self.edits.learned(before, print);
            }
            _ => {}
        }
    }

    fn heed<O: Output>(&mut self, ctx: &egui::Context, wishes: WindowRequests) {
        if let Some(dark) = wishes.dark {
            self.look = palette(dark);
            self.told = None;
            theme::set_colours(ctx, &self.look);
            self.remembered.dark = dark;
            self.remember::<O>(|look| look.dark = dark);
        }
        if let Some(scale) = wishes.scale {
            // the window grows along with what is in it
            ctx.set_zoom_factor(scale);
            self.rescaled = Some(ctx.input(|input| input.time));
            self.remembered.scale = scale;
            self.remember::<O>(|look| look.scale = scale);
        }
    }

    fn facts<O: Output>(
        &mut self,
        (params, gauges, track, board): (&ChainParams<O>, &Gauges, &Track, &Board),
        time: f64,
    ) -> ViewModel {
        let scope = gauges.scope();
        self.read(gauges);
        let listen = board.listening.wanted();
        if listen == MonitorMode::Off {
            self.matching.look(scope);
        }
        let link = link(board);
        let told = self.told.take().filter(|(then, ..)| (0.0..f64::from(TELLING)).contains(&(time - then)));
        let (then, health, others, clashes) = told.unwrap_or_else(|| {
            let (others, clashes) = self.others(params, scope.rate(), board, &link, time);
            (time, gauges.health(), others, clashes)
        });
        self.told = Some((then, health, others.clone(), clashes.clone()));
        let chosen = params.store.role();
        let (slot, used) = params.store.slots();
        ViewModel {
            chain_kind: O::CHAIN_KIND,
            name: track.name(),
            colour: track.colour(),
            role: chosen.unwrap_or_else(|| track.role()),
            role_is_guessed: chosen.is_none(),
            settings: params.settings(),
            class: params.class(),
            classes: plugin_core::classes(),
            latency: gauges.latency(),
            rate: scope.rate(),
            slot,
            used,
            reading: self.reading,
            heard: gauges.heard(),
            health,
            broken: gauges.panics() > 0,
            notice: params.store.notice(),
            picture: self.analyser.look(scope, time).clone(),
            others,
            clashes,
            link,
            trim: params.trim(),
            learning: params.store.noise().heard(),
            listen,
            asked: board.listening.asked(),
            match_gain: self.matching.gain(),
            presets: self.presets.clone(),
            session: match O::CHAIN_KIND {
                ChainKind::Master => SessionFacts {
                    exported: self.exported.clone(),
                    references: {
                        let (kept, mix) = (params.store.references(), self.reading.integrated);
                        self.references.look(&kept, mix, scope.rate(), board)
                    },
                    ..session(board, params, &self.reading, &self.targets)
                },
                ChainKind::Stem => SessionFacts { trouble: board.trouble(), ..SessionFacts::default() },
            },
        }
    }

    /// The other stems behind a Stem's spectrum, and where they are in its way.
    fn others<O: Output>(
        &mut self,
        params: &ChainParams<O>,
        rate: Option<Hz>,
        board: &Board,
        link: &Link,
        time: f64,
    ) -> (Vec<Named>, Vec<Clash>) {
        match (O::CHAIN_KIND, link, params.store.identity().instance) {
            // who belongs together is what a Master has found out
            (ChainKind::Stem, Link::Linked(_), Some(me)) => {
                let (cards, _) = board.look();
                let rate = rate.unwrap_or(Hz(48_000.0));
                self.neighbours.look(&cards, StemId(me.get()), (rate, time), &self.look)
            }
            _ => (Vec::new(), Vec::new()),
        }
    }

    /// Reads the meter when it has something new; on long programmes less often, for gates go over all of it.
    fn read(&mut self, gauges: &Gauges) {
        let (hops, heard) = (gauges.hops(), gauges.heard());
        let pause = if hops > LONG { 10 } else { 1 };
        let stale = self.seen.is_none_or(|(then, length)| hops >= then + pause || heard.0 < length.0);
        if stale {
            self.reading = gauges.reading();
            self.seen = Some((hops, heard));
        }
    }

    fn apply<O: Output>(
        &mut self,
        edits: &[Edit],
        params: &ChainParams<O>,
        (gauges, board): (&Gauges, &Board),
        setter: &ParamSetter<'_>,
    ) {
        params.each(&mut Apply { rows: params.rows().iter(), edits, setter });
        for edit in edits {
            match edit {
                Edit::Begin(_) | Edit::Set(..) | Edit::End(_) => {}
                Edit::Class(class) => {
                    let index = plugin_core::classes().iter().position(|(one, _)| one == class).unwrap_or(0);
                    setter.begin_set_parameter(&params.latency_class);
                    setter.set_parameter(&params.latency_class, index as i32);
                    setter.end_set_parameter(&params.latency_class);
                }
                Edit::Slot(slot) => {
                    if O::CHAIN_KIND == ChainKind::Master {
                        trims::switch(&params.store, board, *slot);
                    }
                    let chosen = params.store.switch_to(*slot, params.snapshot());
                    params.each(&mut Recall { rows: params.rows().iter(), snapshot: &chosen, setter });
                }
                Edit::CopyTo(slot) => {
                    params.store.keep(*slot, params.snapshot());
                    if O::CHAIN_KIND == ChainKind::Master {
                        trims::keep(&params.store, board, *slot);
                    }
                }
                Edit::Role(role) => params.store.choose_role(*role),
                Edit::Predict(proposal) => board.predict(*proposal),
                Edit::AskTrim(wish) => board.ask(*wish),
                Edit::Trims(changes) => trims::ask(board, changes),
                Edit::Placement(placement) => params.store.sit_last(*placement == Placement::Final),
                Edit::ExportSession => self.exported = Some(export(board)),
                Edit::ConfirmMute(stem) => board.confirm_mute(*stem),
                Edit::Songs(songs) => params.store.keep_songs(songs.clone()),
                Edit::References(paths) => params.store.keep_references(paths),
                Edit::Hear(path) => self.references.hear(path.as_deref(), board),
                Edit::PlayAlong(along) => self.references.along(*along),
                Edit::Browse(folder) => self.references.browse(folder.as_deref()),
                Edit::Follow(stem) => board.follow(*stem),
                // who ends it here ends what a Master wants, too
                Edit::MonitorMode(MonitorMode::Off) if board.listening.asked().is_some() => {
                    board.listening.end_all()
                }
                Edit::MonitorMode(listen) => board.listening.want(*listen),
                Edit::Audition(audition) => board.audition(*audition),
                Edit::Restart => gauges.restart(),
                Edit::LearnNoise(true) => params.store.noise().learn(),
                Edit::LearnNoise(false) => params.store.noise().keep(),
                Edit::Noise(print) => params.store.noise().set(print.as_deref()),
                Edit::NoiseCurve(curve) => params.store.noise().set_curve(curve),
                Edit::TakeTrim => take_trim(params, setter),
                Edit::SavePreset(preset) => {
                    // what cannot be written does not appear in the menu
                    let folder = preset_files::folder(O::CHAIN_KIND);
                    if let Some((folder, name)) = folder.zip(preset_files::tidy_name(&preset.name)) {
                        let _ = preset_files::save(&folder, &name, &preset.values);
                    }
                    self.read_presets::<O>();
                }
                Edit::RemovePreset(name) => {
                    if let Some(folder) = preset_files::folder(O::CHAIN_KIND) {
                        let _ = preset_files::remove(&folder, name);
                    }
                    self.read_presets::<O>();
                }
            }
        }
    }
}

/// Writes the session into a file.
fn export(board: &Board) -> Exported {
    let Some(sheet) = board.sheet() else {
        let why = "The host has not activated the plugin yet: play the song".into();
        return Exported { path: Err(why), remarks: Vec::new() };
    };
    let path = match session_files::folder() {
        None => Err("There is no home folder to write into".into()),
        Some(folder) => session_files::save(&folder, &sheet.name, &sheet.write())
            .map(|path| path.display().to_string())
            .map_err(|error| format!("{}: {error}", folder.display())),
    };
    Exported { path, remarks: sheet.remarks() }
}

/// The colours of an appearance.
pub(super) fn palette(dark: bool) -> Palette {
    if dark { Palette::DARK } else { Palette::LIGHT }
}

/// The scale, or what of it has room: down to half of the smallest.
pub(super) fn fitting(room: egui::Vec2, scale: f32) -> f32 {
    let most = (room / LEAST).min_elem();
    if most >= scale { scale } else { ((most * 100.0).floor() / 100.0).max(0.5 * theme::SCALES[0]) }
}

/// What the link says of a Stem.
fn link(board: &Board) -> Link {
    match board.master() {
        Master::Sees(Seen { stems, share, heard, exact }) => {
            Link::Linked(Linked { stems, share, heard, exact })
        }
        Master::Waiting => Link::Waiting,
        Master::Lost => Link::Lost,
    }
}

/// Makes a Master's trim a part of the level that the host knows; what that has no room for stays a trim.
fn take_trim<O: Output>(params: &ChainParams<O>, setter: &ParamSetter<'_>) {
    struct Take<'a, 'b> {
        rows: core::slice::Iter<'a, &'static Parameter>,
        setter: &'a ParamSetter<'b>,
        trim: Db,
    }
    impl Visitor for Take<'_, '_> {
        fn visit<C: Control>(&mut self, control: &C) {
            let Some(row) = self.rows.next().filter(|row| row.id == "level") else { return };
            let before = control.value(row);
            let (Value::Number(Some(level)), Kind::Number { min, max, .. }) = (before, row.kind) else {
                return;
            };
            let wanted = Value::Number(Some((level + self.trim.0).clamp(min, max)));
            self.setter.begin_set_parameter(control);
            self.setter.set_parameter(control, C::plain(row, wanted));
            self.setter.end_set_parameter(control);
            // what the parameter has taken, rounded as it rounds
            if let Value::Number(Some(taken)) = control.value(row) {
                self.trim = Db(self.trim.0 - (taken - level));
            }
        }
    }
    params.store.move_trim(|trim| {
        let mut take = Take { rows: params.rows().iter(), setter, trim };
        params.each(&mut take);
        take.trim
    });
}

/// Passes edits on to the host.
struct Apply<'a, 'b> {
    rows: core::slice::Iter<'a, &'static Parameter>,
    edits: &'a [Edit],
    setter: &'a ParamSetter<'b>,
}

impl Visitor for Apply<'_, '_> {
    fn visit<C: Control>(&mut self, control: &C) {
        let Some(row) = self.rows.next() else { return };
        for edit in self.edits {
            match edit {
                Edit::Begin(of) if of == row => self.setter.begin_set_parameter(control),
                Edit::Set(of, value) if of == row => {
                    self.setter.set_parameter(control, C::plain(row, *value));
                }
                Edit::End(of) if of == row => self.setter.end_set_parameter(control),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;

    #[test]
    fn what_does_not_fit_is_drawn_smaller_and_what_fits_as_it_was_chosen() {
        assert_eq!(fitting(vec2(1000.0, 640.0), 1.0), 1.0);
        assert_eq!(fitting(LEAST * 2.0, 2.0), 2.0);
        let fits = fitting(vec2(1000.0, 640.0), 2.0);
        assert!((LEAST * fits).x <= 1000.0 && (LEAST * fits).y <= 640.0 && fits > 1.3, "{fits}");
        assert!((0.3..0.75).contains(&fitting(vec2(300.0, 200.0), 1.0)));
    }
}
