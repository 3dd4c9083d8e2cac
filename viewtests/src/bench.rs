//! Test window: view model in, edits applied to plain settings, no host.

use crate::painter::{Image, Painter};
use crate::{references, session};
use chain::{ChainKind, ChainSettings};
use dsp::denoise::NoisePrint;
use editor::edits::{Edit, Edits};
use editor::master::MasterView;
use editor::stem::{StemView, WindowRequests};
use editor::theme::{self, Palette};
use editor::view_model::ViewModel;
use egui::{Pos2, Vec2};
use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, HarnessBuilder};
use plugin_core::landing::Landing;
use plugin_core::session_view::ExportResult;
use units::{Db, Lu, Lufs, Ms};

/// A view, its model and the edits so far.
pub struct TestWindow {
    /// Model that the view shows; edits change it.
    pub model: ViewModel,
    /// Queue and undo history of edits.
    pub edits: Edits,
    /// Every edit so far.
    pub done: Vec<Edit>,
    /// The last requests to the window.
    pub requests: WindowRequests,
    /// Colours.
    pub palette: Palette,
    kept: [Option<ChainSettings>; 4],
    view: View,
    painter: Painter,
}

/// View of a Stem or a Master.
enum View {
    Stem(Box<StemView>),
    Master(Box<MasterView>),
}

/// Test window with its harness.
pub type Driven = Harness<'static, TestWindow>;

/// Returns the centre of the element called `name`.
pub fn middle(driven: &Driven, name: &str) -> Pos2 {
    driven.get_by_label(name).rect().center()
}

/// Drags from `from` to `to` without releasing.
pub fn pull(driven: &mut Driven, from: Pos2, to: Pos2) {
    driven.hover_at(from);
    driven.run();
    driven.drag_at(from);
    driven.step();
    for part in 1..=4 {
        driven.hover_at(from + (to - from) * (part as f32 / 4.0));
        driven.step();
    }
}

/// Opens the view of a Stem or a Master, as the model says.
pub fn view(model: ViewModel, palette: Palette, size: Vec2, pixels_per_point: f32) -> Driven {
    let painter = Painter::default();
    let bench = TestWindow {
        edits: Edits::default(),
        done: Vec::new(),
        requests: WindowRequests::default(),
        palette,
        kept: Default::default(),
        view: match model.chain_kind {
            ChainKind::Stem => View::Stem(Box::default()),
            ChainKind::Master => View::Master(Box::default()),
        },
        painter: painter.clone(),
        model,
    };
    HarnessBuilder::default()
        .with_size(size)
        .with_pixels_per_point(pixels_per_point)
        // as fast as a screen, so that double clicks are; tooltips take their time
        .with_step_dt(1.0 / 60.0)
        .with_max_steps(120)
        .with_theme(if palette.dark { egui::Theme::Dark } else { egui::Theme::Light })
        .with_context_setup(move |ctx| theme::install(ctx, &palette))
        .renderer(painter)
        .build_ui_state(|ui, bench: &mut TestWindow| bench.frame(ui), bench)
}

impl TestWindow {
    fn frame(&mut self, ui: &mut egui::Ui) {
        // the harness leaves a margin that a window has not
        let whole = egui::UiBuilder::new().max_rect(ui.ctx().content_rect());
        let mut whole = ui.new_child(whole);
        whole.set_clip_rect(ui.ctx().content_rect());
        let (model, edits, palette) = (&self.model, &mut self.edits, &self.palette);
        // a real window is cleared to it
        whole.painter().rect_filled(whole.max_rect(), 0.0, palette.background);
        self.requests = match &mut self.view {
            View::Stem(view) => view.draw_view(&mut whole, model, edits, palette),
            View::Master(view) => view.draw_view(&mut whole, model, edits, palette),
        };
        for edit in self.edits.take() {
            self.apply(&edit);
            self.done.push(edit);
        }
    }

    /// Applies an edit as a plugin would.
    fn apply(&mut self, edit: &Edit) {
        let model = &mut self.model;
        match edit {
            Edit::Begin(_) | Edit::End(_) => {}
            Edit::Set(row, value) => row.set(&mut model.settings, *value),
            Edit::Class(class) => model.class = *class,
            Edit::Slot(slot) => {
                self.kept[model.slot] = Some(model.settings.clone());
                model.used[model.slot] = true;
                if let Some(kept) = self.kept[*slot].clone() {
                    model.settings = kept;
                }
                model.slot = *slot;
            }
            Edit::CopyTo(slot) => {
                self.kept[*slot] = Some(model.settings.clone());
                model.used[*slot] = true;
            }
            Edit::Role(role) => {
                model.role_is_guessed = role.is_none();
                model.role = role.unwrap_or_default();
            }
            Edit::MonitorMode(listen) => {
                (model.listen, model.asked) = (*listen, None);
                model.master.references.heard = None;
            }
            Edit::Restart => (model.heard.0, model.peaks) = (0.0, [None; 2]),
            Edit::ResetPeaks => {
                model.peaks = [None; 2];
                (model.picture.highest_reduction, model.picture.highest_reductions) = (0.0, [0.0; 2]);
            }
            Edit::ResetStems => {
                for stem in &mut session::snapshot(model).stems {
                    stem.reading.integrated = None;
                }
            }
            Edit::MarkBand(..) => {}
            Edit::RemoveMark => session::snapshot(model).mark = None,
            Edit::SpectrumDisplay(display) => model.display.spectrum = *display,
            Edit::MeterDisplay(display) => model.display.meter = display.clone(),
            Edit::RestartWithPlay(restarts) => model.restarts_with_play = *restarts,
            // as if noise had been heard for two seconds and a half since
            Edit::LearnNoise(true) => model.learning = Some(Ms(2500.0)),
            Edit::LearnNoise(false) => {
                (model.learning, model.settings.denoise.print) = (None, Some(NoisePrint::NONE));
            }
            Edit::Noise(print) => model.settings.denoise.print = print.as_deref().copied(),
            Edit::NoiseCurve(curve) => model.settings.denoise.curve = *curve,
            Edit::TakeTrim => {
                model.settings.level = model.settings.level + model.trim;
                model.trim.0 = 0.0;
            }
            Edit::SavePreset(preset) => model.presets.push(preset.clone()),
            Edit::Predict(proposal) => {
                model.master.answer = proposal.and_then(|proposal| session::answer(model, proposal));
            }
            Edit::Land(request) => {
                let level = model.settings.level;
                if let Some(analysis) = session::snapshot(model).analysis.as_mut() {
                    std::sync::Arc::make_mut(analysis).landing = request.map(|request| {
                        let limiting = request.limiting.min(Db(2.4));
                        Ok(Landing {
                            request,
                            from: level,
                            level: level + Db(1.3),
                            loudness: Lufs(request.loudness.0 - 0.9 * f64::from(u8::from(limiting.0 < 2.4))),
                            half_width: Lu(0.12),
                            reduction: limiting,
                            length: Ms(48_000.0),
                            is_limited: true,
                        })
                    });
                }
            }
            Edit::RequestTrim(request) => {
                let stem = session::snapshot(model).stems.iter_mut().find(|stem| stem.id == request.stem);
                if let Some(stem) = stem.filter(|stem| stem.revision == request.base) {
                    (stem.trim, stem.revision) = (request.trim, stem.revision + 1);
                }
            }
            Edit::Trims(changes) => {
                for change in changes {
                    let stem = session::snapshot(model).stems.iter_mut().find(|stem| stem.id == change.stem);
                    if let Some(stem) = stem.filter(|stem| stem.trim == change.before) {
                        (stem.trim, stem.revision) = (change.after, stem.revision + 1);
                    }
                }
            }
            Edit::BusPosition(placement) => model.master.placement = *placement,
            Edit::ExportSession => {
                session::snapshot(model).exported = Some(ExportResult {
                    path: Ok("/home/me/Documents/Stemlink/Mix session 2.toml".into()),
                    remarks: vec!["Bass: fader and pan are unknown".into()],
                });
            }
            Edit::ConfirmMute(stem) => {
                if let Some(known) = session::analysis(model) {
                    known.session.unconfirmed_mutes.retain(|asked| asked != stem);
                }
            }
            Edit::Songs(songs) => {
                model.master.songs =
                    songs.iter().map(|song| session::song(&song.name, song.start, song.end, -9.0)).collect();
            }
            Edit::References(paths) => references::set_files(model, paths),
            Edit::PlayReference(path) => references::play(model, path.as_deref()),
            Edit::FollowTransport(along) => model.master.references.along = *along,
            Edit::ListFolder(folder) => {
                model.master.references.listing = Some(references::listing(folder.as_deref()));
            }
            Edit::Audition(None) => session::snapshot(model).auditions = Default::default(),
            Edit::Audition(Some((stem, audition))) => {
                session::snapshot(model).auditions.toggle(*stem, *audition);
            }
            Edit::Follow(stem) => session::snapshot(model).follows = *stem,
            Edit::RemovePreset(name) => model.presets.retain(|preset| preset.name != *name),
        }
    }
}

/// Returns an image of the view.
pub fn picture(driven: &Driven) -> Image {
    let output = driven.output();
    let primitives = driven.ctx.tessellate(output.shapes.clone(), output.pixels_per_point);
    let size = driven.ctx.content_rect().size();
    driven.state().painter.draw(&primitives, size, output.pixels_per_point)
}
