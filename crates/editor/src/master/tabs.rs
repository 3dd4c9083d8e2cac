//! Line below the header: tabs, loudest passage, checklist.

use super::landing::LandingMenu;
use super::{FirstMinute, Tab, checklist, references};
use crate::controls::{Weight, pill, pill_width};
use crate::edits::Edit;
use crate::format::time;
use crate::notices::notices;
use crate::paint::{self, pen, shortened};
use crate::theme::{self, PAD};
use crate::view_model::ViewCx;
use egui::{Align2, Rect, Ui, pos2, vec2};

/// Height, points.
pub(super) const HEIGHT: f32 = 40.0;

/// Draws the line in `place`.
pub(super) fn draw_tabs(
    ui: &mut Ui,
    cx: &mut ViewCx<'_>,
    place: Rect,
    (tab, loudest, landing): (&mut Tab, &mut bool, &mut LandingMenu),
) {
    let palette = cx.palette;
    let y = place.center().y;
    let mut left = place.min.x;
    for one in Tab::ALL {
        let width = pill_width(ui, one.name());
        let at = Rect::from_min_size(pos2(left, y - 12.0), vec2(width, 24.0));
        let weight = if one == *tab { Weight::Chosen } else { Weight::Quiet };
        if pill(ui, &palette, at, one.name(), weight, true).clicked() {
            *tab = one;
        }
        left = at.max.x + 6.0;
    }
    let mut right = checklist_menu(ui, cx, pos2(place.max.x, y));
    right = references::switch(ui, cx, pos2(right, y));
    if *tab == Tab::Session
        && FirstMinute::from_heard(cx.model.snapshot.heard_length()) >= FirstMinute::Platforms
        && let Some((from, to)) = cx.model.snapshot.timeline().and_then(|timeline| timeline.loudest)
    {
        let at =
            Rect::from_min_max(pos2(right - pill_width(ui, LOUDEST_LABEL), y - 12.0), pos2(right, y + 12.0));
        let response = pill(
            ui,
            &palette,
            at,
            LOUDEST_LABEL,
            if *loudest { Weight::Chosen } else { Weight::Quiet },
            true,
        );
        if response.clicked() {
            *loudest = !*loudest;
        }
        right = at.min.x - 8.0;
        response.on_hover_text(format!(
            "{} to {}. Shows it on the timeline: loop it there in your host, to hear the densest part.",
            time(from.0 / 1000.0),
            time(to.0 / 1000.0)
        ));
    }
    if *tab == Tab::Session
        && FirstMinute::from_heard(cx.model.snapshot.heard_length()) >= FirstMinute::Platforms
    {
        right = landing.draw_button(ui, cx, left + PAD, pos2(right, y));
    }
    let room = Rect::from_min_max(pos2(left + PAD, y - 10.0), pos2(right - PAD, y + 10.0));
    if let Some((first, all)) = notices(cx.model)
        && room.width() > 40.0
    {
        let ink = pen(theme::font(theme::SMALL), palette.reduction);
        let words = shortened(ui, &first, &ink, room.width());
        paint::label(ui, room, Align2::LEFT_CENTER, &words, &ink).on_hover_text(all);
    }
}

const LOUDEST_LABEL: &str = "Loudest 20 s";

/// Draws the export command and the result of the last export.
fn export(ui: &mut Ui, cx: &mut ViewCx<'_>) {
    let palette = cx.palette;
    ui.separator();
    let button = ui.button(egui::RichText::new("Export session\u{2026}").size(theme::BODY));
    let folder = "Every chain, fader and pan as they are now, as a file in your documents. The command line masters the stems with it: stems master FOLDER --session FILE.";
    if button.on_hover_text(folder).clicked() {
        cx.edits.request(Edit::ExportSession);
    }
    let Some(exported) = &cx.model.snapshot.exported else { return };
    let small = |words: &str| egui::RichText::new(words).size(theme::SMALL);
    match &exported.path {
        Ok(path) => ui.add(egui::Label::new(small(path).color(palette.good)).wrap().selectable(true)),
        Err(why) => ui.add(egui::Label::new(small(why).color(palette.reduction)).wrap()),
    };
    for remark in &exported.remarks {
        ui.add(egui::Label::new(small(remark).color(palette.secondary)).wrap());
    }
}

/// Draws the checklist's button and menu; returns its left end.
fn checklist_menu(ui: &mut Ui, cx: &mut ViewCx<'_>, right: egui::Pos2) -> f32 {
    let palette = cx.palette;
    let points = checklist(cx.model);
    let open = points.iter().filter(|point| !point.done).count();
    let words = if open == 0 { "Ready to print".to_owned() } else { format!("Checklist: {open} open") };
    let width = pill_width(ui, &words) + 18.0;
    let at = Rect::from_min_max(pos2(right.x - width, right.y - 12.0), pos2(right.x, right.y + 12.0));
    let response = pill(ui, &palette, at, &words, Weight::Quiet, true);
    let lamp = if open == 0 { palette.good } else { palette.dim };
    ui.painter().circle_filled(pos2(at.min.x + 10.0, right.y), 3.5, lamp);
    egui::Popup::menu(&response).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(320.0);
        let heading = match open {
            0 => "Ready to print".to_owned(),
            1 => "One thing is open before a print".to_owned(),
            open => format!("{open} things are open before a print"),
        };
        ui.label(egui::RichText::new(heading).font(theme::strong(theme::BODY)));
        for point in &points {
            let ink = if point.done { palette.good } else { palette.reduction };
            ui.horizontal(|ui| {
                let (dot, _) = ui.allocate_exact_size(vec2(10.0, 14.0), egui::Sense::hover());
                ui.painter().circle_filled(dot.center(), 3.5, ink);
                ui.label(egui::RichText::new(point.words.as_str()).size(theme::BODY));
            });
            if !point.done {
                ui.label(egui::RichText::new(point.cure).size(theme::SMALL).color(palette.secondary));
            }
        }
        export(ui, cx);
    });
    at.min.x - 8.0
}
