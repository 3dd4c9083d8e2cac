//! Controller between a plugin and its view: snapshot, parameters and meters become the view model, edits become host
//! gestures and commands.

use super::Recall;
use super::analyser::{Analyser, FIGURE_INTERVAL_SECONDS, NamedSpectrum};
use super::edits::{Edit, Edits};
use super::files::presets as preset_files;
use super::files::reference_loader::ReferenceLoader;
use super::files::window_settings::WindowSettings;
use super::looks::{self, Looks};
use super::master::MasterView;
use super::master::song_spectra::SongSpectra;
use super::master_model::master_model;
use super::neighbours::Neighbours;
use super::references::ReferenceController;
use super::refusals::{ClassWish, HOST_TIMEOUT_SECONDS, Refusals};
use super::stem::{MIN_SIZE, StemView, WindowRequests};
use super::theme::{self, Palette};
use super::trims;
use super::view_model::{Clash, MasterModel, ViewModel};
use chain::ChainKind;
use chain::monitor::MonitorMode;
use chain::parameters::{Parameter, ParameterKind, Value};
use dsp::denoise::NoisePrint;
use egui::Ui;
use meter::Reading;
use nice_plug::context::gui::ParamSetter;
use plugin_core::command::UiCommand;
use plugin_core::context::PluginContext;
use plugin_core::control::Control;
use plugin_core::gauges::history::LoudnessHistory;
use plugin_core::gauges::matching::LoudnessMatch;
use plugin_core::gauges::scope::ScopeWatch;
use plugin_core::gauges::{Gauges, Health};
use plugin_core::groups::Visitor;
use plugin_core::presets::Preset;
use plugin_core::session_view::{BusPosition, MasterLink, SessionSnapshot};
use plugin_core::shared::PluginShared;
use plugin_core::{self, ChainParams, Output};
use session::record::StemId;
use session::target::{NormalizationTarget, builtin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use units::{Db, Hz, Ms};

/// Number of hops (one hour) above which integrated figures are computed only once a second.
const LONG_PROGRAMME_HOPS: u64 = 36_000;

/// Window of an editor, with its state while it is closed.
pub(super) struct WindowController {
    stem: StemView,
    master: MasterView,
    edits: Edits,
    analyser: Analyser,
    matching: LoudnessMatch,
    neighbours: Neighbours,
    /// Latest readings of other stems and of the chain.
    readings: Option<SlowReadings>,
    /// Time after which another frame is due: a newer snapshot exists, or a host's time runs out.
    refresh_after: Option<Duration>,
    /// The last frame still falls, or noise is being learned.
    moves: bool,
    /// Revision of the snapshot that was drawn last.
    drawn: Option<u64>,
    palette: Palette,
    /// Number of the choice of looks that this window follows.
    looks: u64,
    remembered: WindowSettings,
    /// Time at which another scale was chosen, seconds; the host then resizes the window or refuses.
    rescaled: Option<f64>,
    /// Scale asked for, if the window has stayed too small for it.
    refused_scale: Option<f32>,
    class_wish: ClassWish,
    /// The next frame is drawn at another scale, in a window of the same size.
    fitted: bool,
    /// `None` while the window is closed.
    watch: Option<ScopeWatch<Gauges>>,
    /// Hops and heard duration at the last reading.
    /// Progress of the meter when it was last read, and the length of its programme.
    seen: Option<((u64, u64), Ms)>,
    reading: Reading,
    histories: Histories,
    song_spectra: SongSpectra,
    presets: Vec<Preset>,
    targets: Vec<NormalizationTarget>,
    /// Noise print from before learning, while learning.
    learning: Option<Option<NoisePrint>>,
    /// References of a Master.
    references: ReferenceController,
}

/// Readings that are taken less often than a frame is drawn.
struct SlowReadings {
    /// Time of the readings, seconds.
    time: f64,
    /// Revision of the snapshot at that time.
    revision: u64,
    health: Health,
    others: Vec<NamedSpectrum>,
    clashes: Vec<Clash>,
}

/// Loudness over time, at the progress of the meter at which it was computed.
#[derive(Default)]
struct Histories {
    seen: Option<(u64, u64)>,
    recent: Arc<LoudnessHistory>,
    song: Arc<LoudnessHistory>,
}

impl Histories {
    /// Computes the histories if they are shown and the meter has gone on since.
    fn update(&mut self, gauges: &Gauges, is_shown: bool, seen: Option<(u64, u64)>) {
        if !is_shown {
            *self = Self::default();
        } else if self.seen.is_none() || self.seen != seen {
            self.seen = seen;
            self.recent = Arc::new(gauges.recent_loudness());
            self.song = Arc::new(gauges.song_loudness());
        }
    }
}

impl Default for WindowController {
    fn default() -> Self {
        Self {
            stem: StemView::default(),
            master: MasterView::default(),
            edits: Edits::default(),
            analyser: Analyser::default(),
            matching: LoudnessMatch::default(),
            neighbours: Neighbours::default(),
            readings: None,
            refresh_after: None,
            moves: false,
            drawn: None,
            palette: Palette::DARK,
            looks: 0,
            remembered: WindowSettings::default(),
            rescaled: None,
            refused_scale: None,
            class_wish: ClassWish::default(),
            fitted: false,
            watch: None,
            seen: None,
            reading: Reading::default(),
            histories: Histories::default(),
            song_spectra: SongSpectra::default(),
            presets: Vec::new(),
            targets: builtin(),
            learning: None,
            references: ReferenceController::default(),
        }
    }
}

impl WindowController {
    /// Prepares for a window that has been opened; `drawn` becomes true when it is on the screen.
    pub(super) fn open<O: Output>(
        &mut self,
        ctx: &egui::Context,
        plugin: &Arc<PluginContext<O>>,
        drawn: &Arc<AtomicBool>,
    ) {
        plugin.open_window();
        if O::CHAIN_KIND == ChainKind::Master {
            let (ctx, drawn) = (ctx.clone(), Arc::clone(drawn));
            self.references.open(move || {
                if drawn.load(Ordering::Relaxed) {
                    ctx.request_repaint();
                }
            });
        }
        self.looks = looks::revision();
        theme::install(ctx, &self.palette);
        self.watch = Some(ScopeWatch::new(Arc::clone(&plugin.meters)));
        (self.analyser, self.matching, self.seen) = (Analyser::default(), LoudnessMatch::default(), None);
        (self.readings, self.drawn) = (None, None);
        self.read_presets::<O>();
    }

    /// Sets the appearance of the next window.
    pub(super) fn open_with(&mut self, settings: WindowSettings) {
        self.palette = palette(settings.dark);
        self.remembered = settings;
    }

    /// Returns the present appearance.
    pub(super) fn remembered(&self) -> WindowSettings {
        self.remembered.clone()
    }

    /// Returns the colour that the window is cleared to: views draw on it, and a layer of every pixel is saved.
    pub(super) fn background(&self) -> egui::Color32 {
        self.palette.background
    }

    /// Returns true while a window is open.
    pub(super) fn is_open(&self) -> bool {
        self.watch.is_some()
    }

    /// Ends the audio thread's writes for a closed window. Returns the loader of references.
    pub(super) fn close<O: Output>(&mut self, plugin: &PluginContext<O>) -> Option<ReferenceLoader> {
        if self.watch.take().is_some() {
            self.remember::<O>(|_| ());
        }
        let loader = self.references.close(&plugin.shared);
        plugin.close_window();
        loader
    }

    /// Changes the settings of all windows, read again because other instances may have changed them.
    fn remember<O: Output>(&mut self, change: impl FnOnce(&mut WindowSettings)) {
        let saved = WindowSettings::load();
        let mut settings = saved.clone();
        settings.set_size(O::CHAIN_KIND, self.remembered.size(O::CHAIN_KIND));
        change(&mut settings);
        if settings != saved {
            settings.save();
        }
    }

    /// Publishes the looks of this window to all others.
    fn share_looks(&mut self) {
        let looks = Looks { dark: self.remembered.dark, display: self.remembered.display.clone() };
        self.looks = looks::choose(looks);
    }

    /// Takes the looks that were chosen in another window.
    fn follow_looks(&mut self, ctx: &egui::Context) {
        let revision = looks::revision();
        if std::mem::replace(&mut self.looks, revision) == revision {
            return;
        }
        if let Some(Looks { dark, display }) = looks::chosen() {
            (self.remembered.dark, self.remembered.display) = (dark, display);
            self.palette = palette(dark);
            self.readings = None;
            theme::set_colours(ctx, &self.palette);
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
        self.remembered.set_size(O::CHAIN_KIND, room / zoom);
        if let Some(left) =
            self.rescaled.map(|then| then + HOST_TIMEOUT_SECONDS - now).filter(|left| *left > 0.0)
        {
            ctx.request_repaint_after(Duration::from_secs_f64(left));
            return;
        }
        self.rescaled = None;
        let scale = self.remembered.scale;
        let fitting = fitting(room, scale);
        self.refused_scale = (fitting < scale - 0.005).then_some(scale);
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

    /// Draws the view and applies the user's edits.
    pub(super) fn draw_view<O: Output>(
        &mut self,
        ui: &mut Ui,
        plugin: &PluginContext<O>,
        setter: &ParamSetter<'_>,
    ) {
        self.follow_looks(ui.ctx());
        let time = ui.input(|input| input.time);
        let model = self.view_model(plugin, time);
        self.follow_noise(&model);
        self.moves = model.picture.is_moving() || model.learning.is_some() || self.neighbours.is_moving();
        if let Some(pause) = self.refresh_after {
            super::request_frame(ui.ctx(), pause);
        }
        let requests = match O::CHAIN_KIND {
            ChainKind::Stem => self.stem.draw_view(ui, &model, &mut self.edits, &self.palette),
            ChainKind::Master => self.master.draw_view(ui, &model, &mut self.edits, &self.palette),
        };
        self.apply_requests::<O>(ui.ctx(), requests);
        let edits = self.edits.take();
        if !edits.is_empty() {
            self.apply(&edits, plugin, setter);
            ui.ctx().request_repaint();
        }
    }

    /// Returns true while the last frame falls back to silence, or noise is being learned.
    pub(super) fn is_moving(&self) -> bool {
        self.moves
    }

    /// Notes that a frame is about to be drawn; later changes need another one.
    pub(super) fn note_frame(&mut self, shared: &PluginShared) {
        self.drawn = Some(shared.snapshot().revision);
    }

    /// Returns true if another snapshot has been published since the last frame.
    pub(super) fn is_stale(&self, shared: &PluginShared) -> bool {
        self.drawn != Some(shared.snapshot().revision) || self.looks != looks::revision()
    }

    /// Records a learned print as an undo step.
    fn follow_noise(&mut self, model: &ViewModel) {
        let print = model.settings.denoise.print;
        match (model.learning, self.learning) {
            (Some(_), None) => self.learning = Some(print),
            (None, Some(before)) => {
                self.learning = None;
                self.edits.record_noise(before, print);
            }
            _ => {}
        }
    }

    fn apply_requests<O: Output>(&mut self, ctx: &egui::Context, requests: WindowRequests) {
        if let Some(dark) = requests.dark {
            self.palette = palette(dark);
            self.readings = None;
            theme::set_colours(ctx, &self.palette);
            self.remembered.dark = dark;
            self.remember::<O>(|settings| settings.dark = dark);
            self.share_looks();
        }
        if let Some(scale) = requests.scale {
            // the window grows along with what is in it
            ctx.set_zoom_factor(scale);
            self.rescaled = Some(ctx.input(|input| input.time));
            self.remembered.scale = scale;
            self.remember::<O>(|settings| settings.scale = scale);
        }
    }

    fn view_model<O: Output>(&mut self, plugin: &PluginContext<O>, time: f64) -> ViewModel {
        let PluginContext { params, meters, track, shared, .. } = plugin;
        // first: what changes while the rest is read has another revision
        let snapshot = shared.snapshot();
        let (scope, settings) = (meters.scope(), params.settings());
        self.read_meter(meters);
        let shows_history = match O::CHAIN_KIND {
            ChainKind::Stem => self.stem.shows_history(),
            ChainKind::Master => self.master.shows_history(),
        };
        self.histories.update(meters, shows_history, self.seen.map(|(progress, _)| progress));
        let spectrum = self.remembered.display.spectrum;
        self.analyser.set_display(spectrum);
        self.neighbours.tilt = spectrum.tilt;
        let listen = shared.monitor.mode();
        if listen == MonitorMode::Off {
            self.matching.update(scope);
        }
        let interval = f64::from(FIGURE_INTERVAL_SECONDS);
        let readings =
            self.readings.take().filter(|readings| (0.0..interval).contains(&(time - readings.time)));
        let readings = readings.unwrap_or_else(|| {
            let (others, clashes) = self.other_stems(params, scope.rate(), &snapshot, time);
            SlowReadings { time, revision: snapshot.revision, health: meters.health(), others, clashes }
        });
        let left = Duration::from_secs_f64((interval - (time - readings.time)).clamp(0.0, interval));
        let newer = (readings.revision != snapshot.revision).then_some(left);
        let class = params.class();
        let host = self.class_wish.time_left(class, meters.class(), time);
        let (restart, wait) =
            (host == Some(0.0), host.filter(|left| *left > 0.0).map(Duration::from_secs_f64));
        self.refresh_after = newer.into_iter().chain(wait).min();
        let (health, others, clashes) = (readings.health, readings.others.clone(), readings.clashes.clone());
        self.readings = Some(readings);
        let master = match O::CHAIN_KIND {
            ChainKind::Master => MasterModel {
                song_spectra: {
                    self.song_spectra.update(&snapshot.stems);
                    self.song_spectra.averages()
                },
                references: {
                    let (kept, songs) = (params.store.references(), params.store.songs());
                    let mix = self.reading.integrated;
                    self.references.update(&kept, &songs, mix, scope.rate(), shared)
                },
                ..master_model(&snapshot, plugin, &settings, &self.reading, &self.targets)
            },
            ChainKind::Stem => MasterModel::default(),
        };
        let chosen = params.store.role();
        let (slot, used) = params.store.slots();
        ViewModel {
            chain_kind: O::CHAIN_KIND,
            name: track.name(),
            colour: track.colour(),
            role: chosen.unwrap_or_else(|| track.role()),
            role_is_guessed: chosen.is_none(),
            settings,
            class,
            refusals: Refusals { restart, scale: self.refused_scale },
            classes: plugin_core::classes(),
            latency: meters.latency(),
            rate: scope.rate(),
            slot,
            used,
            reading: self.reading,
            peaks: meters.channel_peaks(),
            display: self.remembered.display.clone(),
            recent: Arc::clone(&self.histories.recent),
            song: Arc::clone(&self.histories.song),
            playhead: shared.transport.position(),
            // a Master's figures are of the session that it has heard
            heard: match snapshot.session() {
                Some(_) if O::CHAIN_KIND == ChainKind::Master => snapshot.heard_length(),
                _ => self.seen.map_or(Ms(0.0), |(_, length)| length),
            },
            restarts_with_play: params.store.restarts_with_play(),
            health,
            broken: meters.panics() > 0,
            notice: params.store.notice(),
            picture: self.analyser.update(scope, time).clone(),
            others,
            clashes,
            trim: params.trim(),
            learning: params.store.noise().learned_duration(),
            listen,
            asked: shared.monitor.audition_effect(),
            match_gain: self.matching.gain(),
            presets: self.presets.clone(),
            snapshot,
            master,
        }
    }

    /// Returns the other stems' spectra, and the ranges in which they mask this one.
    fn other_stems<O: Output>(
        &mut self,
        params: &ChainParams<O>,
        rate: Option<Hz>,
        snapshot: &SessionSnapshot,
        time: f64,
    ) -> (Vec<NamedSpectrum>, Vec<Clash>) {
        match (O::CHAIN_KIND, &snapshot.master, params.store.identity().instance) {
            // only a Master knows which stems belong to one mix
            (ChainKind::Stem, MasterLink::Linked(_), Some(me)) => {
                let rate = rate.unwrap_or(Hz(48_000.0));
                self.neighbours.update(&snapshot.stems, StemId(me.get()), (rate, time), &self.palette)
            }
            _ => (Vec::new(), Vec::new()),
        }
    }

    /// Reads the meter when it has news; on long programmes less often, because gating covers all of it.
    fn read_meter(&mut self, gauges: &Gauges) {
        let (since, hops) = gauges.progress();
        let pause = if hops > LONG_PROGRAMME_HOPS { 10 } else { 1 };
        let is_stale = |((then_since, then), _)| since != then_since || hops >= then + pause;
        if self.seen.is_none_or(is_stale) {
            self.reading = gauges.reading();
            self.seen = Some(((since, hops), gauges.programme_length()));
        }
    }

    fn apply<O: Output>(&mut self, edits: &[Edit], plugin: &PluginContext<O>, setter: &ParamSetter<'_>) {
        let PluginContext { params, meters, shared, .. } = plugin;
        params.each(&mut Apply { edits, setter });
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
                        let changes = trims::switch_trims(&params.store, &shared.snapshot().stems, *slot);
                        shared.send_command(UiCommand::RequestTrims(changes));
                    }
                    let chosen = params.store.switch_slot(*slot, params.snapshot());
                    params.each(&mut Recall { snapshot: &chosen, setter });
                }
                Edit::CopyTo(slot) => {
                    params.store.keep_slot(*slot, params.snapshot());
                    if O::CHAIN_KIND == ChainKind::Master {
                        trims::save_trims(&params.store, &shared.snapshot().stems, *slot);
                    }
                }
                Edit::Role(role) => params.store.set_role(*role),
                Edit::Predict(proposal) => shared.send_command(UiCommand::Predict(*proposal)),
                Edit::Land(request) => shared.send_command(UiCommand::Land(*request)),
                Edit::RequestTrim(request) => shared.send_command(UiCommand::RequestTrim(*request)),
                Edit::Trims(changes) => shared.send_command(UiCommand::RequestTrims(changes.clone())),
                Edit::BusPosition(placement) => params.store.set_last(*placement == BusPosition::Final),
                Edit::ExportSession => shared.send_command(UiCommand::ExportSession),
                Edit::ConfirmMute(stem) => shared.send_command(UiCommand::ConfirmMute(*stem)),
                Edit::Songs(songs) => {
                    params.store.set_songs(songs.clone());
                    shared.send_command(UiCommand::SongsChanged);
                }
                Edit::References(paths) => params.store.set_references(paths),
                Edit::PlayReference(path) => self.references.play_reference(path.as_deref(), shared),
                Edit::FollowTransport(along) => self.references.follow_transport(*along),
                Edit::ListFolder(folder) => self.references.list_folder(folder.as_deref()),
                Edit::Follow(stem) => shared.send_command(UiCommand::Follow(*stem)),
                // turning it off here also ends a Master's solo or mute of this Stem
                Edit::MonitorMode(MonitorMode::Off) if shared.monitor.audition_effect().is_some() => {
                    shared.monitor.end_all();
                }
                Edit::MonitorMode(listen) => shared.monitor.set_mode(*listen),
                Edit::Audition(audition) => shared.send_command(UiCommand::Audition(*audition)),
                Edit::Restart => {
                    meters.restart_reading();
                    self.analyser.reset_peaks();
                    self.song_spectra.reset();
                    shared.send_command(UiCommand::Restart);
                }
                Edit::ResetPeaks => {
                    meters.reset_channel_peaks();
                    self.analyser.reset_peaks();
                }
                Edit::ResetStems => shared.send_command(UiCommand::ResetStems),
                Edit::MarkBand(stem, mark) => shared.send_command(UiCommand::MarkBand(*stem, *mark)),
                Edit::RemoveMark => shared.set_mark(None),
                Edit::MeterDisplay(display) => {
                    self.remembered.display.meter = display.clone();
                    self.remember::<O>(|settings| settings.display.meter = display.clone());
                    self.share_looks();
                }
                Edit::SpectrumDisplay(display) => {
                    self.remembered.display.spectrum = *display;
                    self.readings = None;
                    self.remember::<O>(|settings| settings.display.spectrum = *display);
                    self.share_looks();
                }
                Edit::RestartWithPlay(restarts) => {
                    params.store.set_restart_with_play(*restarts);
                    meters.set_restart_with_play(*restarts);
                }
                Edit::LearnNoise(true) => params.store.noise().start_learning(),
                Edit::LearnNoise(false) => params.store.noise().keep_learned(),
                Edit::Noise(print) => params.store.noise().set_print(print.as_deref()),
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

/// Returns the colours of an appearance.
pub(super) fn palette(dark: bool) -> Palette {
    if dark { Palette::DARK } else { Palette::LIGHT }
}

/// Returns the scale, reduced to what fits; at least half of the smallest scale.
pub(super) fn fitting(room: egui::Vec2, scale: f32) -> f32 {
    let most = (room / MIN_SIZE).min_elem();
    if most >= scale { scale } else { ((most * 100.0).floor() / 100.0).max(0.5 * theme::SCALES[0]) }
}

/// Moves a Master's trim into the level parameter; what exceeds its range stays a trim.
fn take_trim<O: Output>(params: &ChainParams<O>, setter: &ParamSetter<'_>) {
    struct TakeTrim<'a, 'b> {
        setter: &'a ParamSetter<'b>,
        trim: Db,
    }
    impl Visitor for TakeTrim<'_, '_> {
        fn visit<C: Control>(&mut self, row: &'static Parameter, control: &C) {
            if row.id != "level" {
                return;
            }
            let before = control.value(row);
            let (Value::Number(Some(level)), ParameterKind::Number { min, max, .. }) = (before, row.kind)
            else {
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
        let mut visitor = TakeTrim { setter, trim };
        params.each(&mut visitor);
        visitor.trim
    });
}

/// Passes edits on to the host.
struct Apply<'a, 'b> {
    edits: &'a [Edit],
    setter: &'a ParamSetter<'b>,
}

impl Visitor for Apply<'_, '_> {
    fn visit<C: Control>(&mut self, row: &'static Parameter, control: &C) {
        for edit in self.edits {
            match edit {
                Edit::Begin(of) if *of == row => self.setter.begin_set_parameter(control),
                Edit::Set(of, value) if *of == row => {
                    self.setter.set_parameter(control, C::plain(row, *value));
                }
                Edit::End(of) if *of == row => self.setter.end_set_parameter(control),
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
        assert_eq!(fitting(MIN_SIZE * 2.0, 2.0), 2.0);
        let fits = fitting(vec2(1000.0, 640.0), 2.0);
        assert!((MIN_SIZE * fits).x <= 1000.0 && (MIN_SIZE * fits).y <= 640.0 && fits > 1.3, "{fits}");
        assert!((0.3..0.75).contains(&fitting(vec2(300.0, 200.0), 1.0)));
    }
}
