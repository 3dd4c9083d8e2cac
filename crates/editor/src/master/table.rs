//! Table of stems: a row each, with a ghost fader.

use super::columns::{Column, Columns};
use super::ghost::Ghosts;
use super::{FirstMinute, audition, status, trim};
use crate::controls::context_menu;
use crate::field::wheel;
use crate::format::{number, signed};
use crate::paint::{self, pen, shortened};
use crate::theme::{self, PAD};
use crate::view_model::ViewCx;
use egui::{
    Align2, Color32, CornerRadius, Event, Key, Rangef, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};
use plugin_core::command::Proposal;
use plugin_core::session_view::StemCard;
use session::record::StemId;
use session::session_report::StemState;
use session::stem_status::StemStatus;

/// Smallest height of a row, points.
const MIN_ROW_HEIGHT: f32 = 28.0;
const MAX_ROW_HEIGHT: f32 = 48.0;
/// Height of the title line, points.
const TITLE_HEIGHT: f32 = 20.0;
const STATUS_HEIGHT: f32 = 26.0;
/// Text in place of a number that does not exist.
const NO_VALUE: &str = "–";
/// Loudness at the left end of the bars, LUFS; the right end is 0.
const LOWEST_LUFS: f64 = -36.0;

/// Order of the stems.
#[derive(Clone, Debug, Default, PartialEq)]
enum Order {
    /// The user's order; other stems follow in order of arrival.
    #[default]
    Hand,
    /// Largest share first.
    Share,
}

/// The table of stems.
#[derive(Debug, Default)]
pub(super) struct SessionTable {
    ghosts: Ghosts,
    order: Order,
    by_hand: Vec<StemId>,
    /// Seconds until the move that is shown is forgotten.
    left: Option<f64>,
    /// First visible row.
    first: usize,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
enum TableRow<'a> {
    Stem(&'a StemCard),
    /// Part of the mix that comes from no Stem; its share, 0 to 1.
    Unlinked(Option<f64>),
}

/// Returns the number of rows that fit in a table's panel, at least one.
pub(super) fn rows_that_fit(place: Rect) -> usize {
    (((place.height() - TITLE_HEIGHT - STATUS_HEIGHT - PAD) / MIN_ROW_HEIGHT) as usize).max(1)
}

impl SessionTable {
    /// Ends the move that is shown.
    pub(super) fn forget(&mut self, cx: &mut ViewCx<'_>) {
        self.ghosts.forget();
        self.ghosts.send_prediction(cx.edits);
    }

    /// Draws the table in `place`; `platform`: index of the platform whose predictions show. Returns the move that is shown.
    pub(super) fn draw_table(
        &mut self,
        ui: &mut Ui,
        cx: &mut ViewCx<'_>,
        place: Rect,
        platform: usize,
    ) -> Option<Proposal> {
        paint::panel(ui, place, &cx.palette);
        let inner = place.shrink2(vec2(PAD, PAD / 2.0));
        let rows = self.rows(cx);
        let list = Rect::from_min_max(
            pos2(inner.min.x, inner.min.y + TITLE_HEIGHT),
            pos2(inner.max.x, inner.max.y - STATUS_HEIGHT),
        );
        let fit = rows_that_fit(place);
        let scrolls = rows.len() > fit;
        let right = inner.max.x - if scrolls { 14.0 } else { 0.0 };
        let columns = Columns::new(inner.min.x + 12.0, right);
        self.first = self.first.min(rows.len().saturating_sub(fit));
        if rows.is_empty() {
            status::nobody(ui, cx, list);
        } else {
            self.titles(ui, cx, &columns, inner.min.y);
        }
        let seen = rows.len().min(fit);
        let height = (list.height() / seen.max(1) as f32).clamp(MIN_ROW_HEIGHT, MAX_ROW_HEIGHT).floor();
        for (line, row) in rows[self.first..].iter().take(fit).enumerate() {
            let top = list.min.y + line as f32 * height;
            let at = Rect::from_min_max(pos2(inner.min.x, top), pos2(right, top + height));
            self.row(ui, cx, at, &columns, *row, platform);
        }
        if scrolls {
            let rail = Rect::from_min_max(pos2(inner.max.x - 8.0, list.min.y), list.max);
            self.scroll(ui, cx, list, rail, rows.len(), fit);
        }
        let line = Rect::from_min_max(pos2(inner.min.x, inner.max.y - STATUS_HEIGHT), inner.max);
        status::draw_status_line(ui, cx, line);
        // nothing is proposed to a stem that has gone
        if let Some(shown) = self.ghosts.shown()
            && cx.model.snapshot.stem(shown.stem).is_none_or(|stem| !stem.status.is_linked())
        {
            self.ghosts.forget();
        }
        self.left = self.ghosts.seconds_left(ui);
        self.ghosts.send_prediction(cx.edits);
        self.ghosts.shown()
    }

    /// Returns the seconds until the move that is shown is forgotten; `None` while it is held.
    pub(super) fn seconds_left(&self) -> Option<f64> {
        self.left
    }

    /// Asks the Stem for the move that is shown.
    pub(super) fn apply(&mut self, cx: &mut ViewCx<'_>) {
        if let Some(shown) = self.ghosts.shown()
            && let Some(stem) = cx.model.snapshot.stem(shown.stem)
        {
            self.ghosts.apply(cx, stem, shown);
        }
    }

    /// Returns the rows in order: nested stems after their outer one, *Unlinked* after the stems of the mix.
    fn rows<'a>(&self, cx: &ViewCx<'a>) -> Vec<TableRow<'a>> {
        let model = cx.model;
        let session = &model.snapshot;
        let mut tops: Vec<&StemCard> = session.stems.iter().collect();
        match self.order {
            Order::Hand => tops
                .sort_by_key(|stem| self.by_hand.iter().position(|id| *id == stem.id).unwrap_or(usize::MAX)),
            Order::Share => tops.sort_by(|a, b| {
                let share = |stem: &StemCard| session.stem_report(stem.id).and_then(|found| found.share);
                share(b).unwrap_or(f64::MIN).total_cmp(&share(a).unwrap_or(f64::MIN))
            }),
        }
        let is_nested = |stem: &StemCard| stem.inside.is_some_and(|outer| session.stem(outer).is_some());
        let mut rows = Vec::new();
        for linked in [true, false] {
            for stem in tops.iter().filter(|stem| !is_nested(stem) && stem.status.is_linked() == linked) {
                push_with_inner(&mut rows, stem, &tops, 0);
            }
            if linked && let Some(found) = session.session() {
                rows.push(TableRow::Unlinked(found.unlinked_share));
            }
        }
        rows
    }

    fn titles(&mut self, ui: &mut Ui, cx: &ViewCx<'_>, columns: &Columns, top: f32) {
        let palette = &cx.palette;
        let quiet = pen(theme::font(theme::SMALL), palette.secondary);
        let snapshot = &cx.model.snapshot;
        let all = snapshot.session().is_none_or(|s| s.progress.heard >= s.progress.all);
        let title = |column| match column {
            Column::ShortTerm => {
                ("S LUFS", "Short-term loudness: the last 3 s, as the stem leaves its plugin.")
            }
            Column::Integrated => {
                ("I LUFS", "Integrated loudness as the stem leaves its plugin, since its meter was started.")
            }
            Column::TruePeak => ("dBTP", "True peak: the highest of the stem."),
            Column::Reduction => {
                ("GR dB", "Gain reduction: what the stem's compressor and limiter take away.")
            }
            Column::Share if all => ("Share", SHARE_TOOLTIP),
            Column::Share => ("So far", SHARE_TOOLTIP),
            Column::ChainCost => (
                "Chain cost",
                "Chain cost in LU: loudness of the mix with this stem's chain minus without it.",
            ),
            Column::Trim => (
                "Trim dB",
                "Level change that Masters have asked of the stem. Drag or type; double-click: none.",
            ),
            Column::Audition => {
                ("S M B", "Solo, mute and bypass, for listening only: never saved, never in a render.")
            }
            Column::Ghost => ("What if?", "Ghost faders: nothing audible changes until Apply."),
        };
        for column in [
            Column::Audition,
            Column::ShortTerm,
            Column::Integrated,
            Column::TruePeak,
            Column::Reduction,
            Column::Share,
            Column::ChainCost,
            Column::Trim,
            Column::Ghost,
        ] {
            let Some(cell) = columns.get(column) else { continue };
            let (words, meaning) = title(column);
            let at = Rect::from_x_y_ranges(cell, Rangef::new(top, top + TITLE_HEIGHT - 2.0));
            let align = match column {
                Column::Audition | Column::Share | Column::Ghost => Align2::LEFT_CENTER,
                _ => Align2::RIGHT_CENTER,
            };
            paint::label(ui, at, align, words, &quiet).on_hover_text(meaning);
        }
        let at = Rect::from_x_y_ranges(columns.names, Rangef::new(top, top + TITLE_HEIGHT - 2.0));
        let words = match self.order {
            Order::Hand => "Stem",
            Order::Share => "By share",
        };
        let response = crate::controls::menu(ui, palette, at, "Order of stems", words, palette.secondary);
        egui::Popup::menu(&response).show(|ui| {
            for (order, words) in [(Order::Hand, "In my order"), (Order::Share, "Largest share first")] {
                if ui.selectable_label(self.order == order, words).clicked() {
                    self.order = order;
                    ui.close();
                }
            }
        });
        response.on_hover_text("Order of the stems. Right-click a stem to move it up or down.");
    }

    /// Scrolls the rows by wheel, bar, Page Up and Page Down.
    fn scroll(&mut self, ui: &Ui, cx: &ViewCx<'_>, list: Rect, rail: Rect, rows: usize, fit: usize) {
        let palette = &cx.palette;
        let most = rows - fit;
        let over = ui.interact(list, ui.scope_id().with("rows"), Sense::hover());
        let turns = if self.ghosts.shown().is_none() { wheel(ui, &over) } else { 0.0 };
        let response = ui.interact(rail, ui.scope_id().with("scroll"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::ScrollBar, true, "More stems"));
        let mut first = self.first as f32 - turns;
        if response.dragged()
            && let Some(at) = response.interact_pointer_pos()
        {
            first = ((at.y - rail.min.y) / rail.height() * rows as f32 - fit as f32 / 2.0).round();
        }
        if response.has_focus() {
            ui.input(|input| {
                for event in &input.events {
                    first += match event {
                        Event::Key { key: Key::ArrowDown, pressed: true, .. } => 1.0,
                        Event::Key { key: Key::ArrowUp, pressed: true, .. } => -1.0,
                        Event::Key { key: Key::PageDown, pressed: true, .. } => fit as f32,
                        Event::Key { key: Key::PageUp, pressed: true, .. } => -(fit as f32),
                        _ => 0.0,
                    };
                }
            });
        }
        self.first = first.clamp(0.0, most as f32) as usize;
        ui.painter().rect_filled(rail, CornerRadius::same(4), palette.background);
        let (from, length) = (self.first as f32 / rows as f32, fit as f32 / rows as f32);
        let knob = Rect::from_min_size(
            pos2(rail.min.x, rail.min.y + from * rail.height()),
            vec2(rail.width(), length * rail.height()),
        );
        let ink = if response.hovered() || response.dragged() { palette.accent } else { palette.line };
        ui.painter().rect_filled(knob, CornerRadius::same(4), ink);
        if response.has_focus() {
            paint::focus_ring(ui, rail, palette);
        }
    }

    fn row(
        &mut self,
        ui: &mut Ui,
        cx: &mut ViewCx<'_>,
        at: Rect,
        columns: &Columns,
        row: TableRow<'_>,
        platform: usize,
    ) {
        match row {
            TableRow::Stem(stem) => self.stem(ui, cx, at, columns, stem, platform),
            TableRow::Unlinked(share) => unlinked(ui, cx, at, columns, share),
        }
    }

    fn stem(
        &mut self,
        ui: &mut Ui,
        cx: &mut ViewCx<'_>,
        at: Rect,
        columns: &Columns,
        stem: &StemCard,
        platform: usize,
    ) {
        let palette = cx.palette;
        let snapshot = &cx.model.snapshot;
        let shown = self.ghosts.shown();
        if shown.is_some_and(|shown| shown.stem == stem.id) {
            ui.painter().rect_filled(at.expand2(vec2(6.0, -1.0)), CornerRadius::same(6), palette.raised);
        }
        let linked = stem.status.is_linked();
        if linked && let Some(x) = columns.get(Column::Audition) {
            audition::switches(ui, cx, Rect::from_x_y_ranges(x, at.y_range()), stem);
        }
        let colour = if linked { palette.track(stem.colour, stem.role) } else { palette.line };
        self.name(ui, cx, at, columns.names, stem, colour);
        if !linked {
            let from = columns
                .get(Column::Audition)
                .or(columns.get(Column::ShortTerm))
                .map_or(at.center().x, |cell| cell.min);
            let place = Rect::from_min_max(pos2(from, at.min.y), at.max);
            // as much of it as there is room for: all, its first sentence, or its name
            let meaning = stem.status.meaning();
            let first = meaning.split_inclusive(['.', ':']).next().unwrap_or_default();
            let small = pen(theme::font(theme::SMALL), palette.dim);
            let fits = |words: &&str| paint::width(ui, words, &small) <= place.width();
            let words = [meaning, first.trim_end_matches(':')].into_iter().find(fits);
            let words = words.unwrap_or_else(|| stem.status.words());
            paint::label(ui, place, Align2::LEFT_CENTER, words, &small).on_hover_text(meaning);
            return;
        }
        let heard = FirstMinute::from_heard(snapshot.heard_length());
        let found = snapshot.stem_report(stem.id);
        let cell = |column| columns.get(column).map(|x| Rect::from_x_y_ranges(x, at.y_range()));
        let one = |x: Option<f64>| x.map_or(NO_VALUE.to_owned(), |x| number(x, 1));
        if let Some(cell) = cell(Column::ShortTerm) {
            let level = stem.reading.short_term.map(|s| s.0);
            short(ui, cx, cell, level, colour);
        }
        let over = stem.reading.true_peak.is_some_and(|peak| peak.0 > 0.0);
        for (column, words, ink) in [
            (Column::Integrated, one(stem.reading.integrated.map(|i| i.0)), palette.text),
            (
                Column::TruePeak,
                one(stem.reading.true_peak.map(|p| p.0)),
                if over { palette.red } else { palette.text },
            ),
            (
                Column::Reduction,
                if stem.reduction.0 >= 0.05 { number(stem.reduction.0, 1) } else { String::new() },
                palette.reduction,
            ),
            (
                Column::ChainCost,
                found.and_then(|f| f.chain_cost).map_or(NO_VALUE.into(), |cost| signed(cost.0, 1)),
                palette.secondary,
            ),
        ] {
            if let Some(cell) = cell(column) {
                paint::text(ui, cell, Align2::RIGHT_CENTER, &words, &pen(theme::font(theme::BODY), ink));
            }
        }
        if let Some(cell) = cell(Column::Share)
            && stem.inside.is_none()
            && heard >= FirstMinute::Shares
        {
            share(ui, cx, cell, found.and_then(|found| found.share), colour);
        }
        if let Some(cell) = cell(Column::Trim) {
            trim::draw_trim(ui, cx, cell, stem);
        }
        if let Some(cell) = cell(Column::Ghost) {
            let others = shown
                .filter(|shown| {
                    !snapshot.is_within(stem.id, shown.stem) && !snapshot.is_within(shown.stem, stem.id)
                })
                .and_then(|_| {
                    let answer = cx.model.master.answer.as_ref()?;
                    answer.platform_changes().get(platform)?.others
                });
            self.ghosts.draw_fader(ui, cx, cell, stem, others);
        }
    }

    fn name(
        &mut self,
        ui: &mut Ui,
        cx: &mut ViewCx<'_>,
        at: Rect,
        names: Rangef,
        stem: &StemCard,
        colour: Color32,
    ) {
        let palette = cx.palette;
        let snapshot = &cx.model.snapshot;
        let indent = 14.0 * snapshot.outer_stems(stem.id).take(2).count() as f32;
        let bar = Rect::from_min_size(pos2(at.min.x + indent, at.min.y + 4.0), vec2(4.0, at.height() - 8.0));
        ui.painter().rect_filled(bar, CornerRadius::same(2), colour);
        let place = Rect::from_min_max(pos2(names.min + indent, at.min.y), pos2(names.max, at.max.y));
        let (words, ink) = state(cx, stem);
        // a name that says the role needs no second line
        let words = if words == stem.name() { String::new() } else { words };
        let bold = pen(
            theme::strong(theme::BODY),
            if stem.status.is_linked() { palette.text } else { palette.secondary },
        );
        let middle = at.center().y;
        let above = if words.is_empty() { 8.0 } else { 14.0 };
        let first =
            Rect::from_min_max(pos2(place.min.x, middle - above), pos2(place.max.x, middle - above + 16.0));
        let second = Rect::from_min_max(pos2(place.min.x, middle + 2.0), pos2(place.max.x, middle + 14.0));
        let shown = shortened(ui, stem.name(), &bold, place.width());
        paint::text(ui, first, Align2::LEFT_CENTER, &shown, &bold);
        let tiny = pen(theme::font(theme::TINY), ink);
        paint::text(ui, second, Align2::LEFT_CENTER, &shortened(ui, &words, &tiny, place.width()), &tiny);
        // name and state together can be pointed at, and pressed for the menu
        let whole = ui.interact(place, ui.scope_id().with(("stem", stem.id)), Sense::click());
        whole.widget_info(|| {
            WidgetInfo::labeled(Role::ListItem, true, [stem.name(), &words].join(" ").trim_end().to_owned())
        });
        context_menu(&whole, |ui| {
            if stem.status.is_linked() {
                audition::menu(ui, cx, stem);
            }
            for (words, up) in [("Move up", true), ("Move down", false)] {
                if ui.button(words).clicked() {
                    self.shift(&snapshot.stems, stem.id, up);
                    ui.close();
                }
            }
        });
        whole.on_hover_ui(|ui| details(ui, cx, stem));
    }

    /// Moves a stem past its neighbour in the user's order.
    fn shift(&mut self, stems: &[StemCard], id: StemId, up: bool) {
        self.order = Order::Hand;
        for stem in stems {
            if !self.by_hand.contains(&stem.id) {
                self.by_hand.push(stem.id);
            }
        }
        // only stems that are there count as neighbours
        self.by_hand.retain(|one| stems.iter().any(|stem| stem.id == *one));
        let Some(at) = self.by_hand.iter().position(|one| *one == id) else { return };
        let other = if up { at.checked_sub(1) } else { Some(at + 1).filter(|&i| i < self.by_hand.len()) };
        if let Some(other) = other {
            self.by_hand.swap(at, other);
        }
    }
}

/// Deepest nesting that is listed.
const MAX_DEPTH: usize = 8;

/// Appends a stem and those inside it, at any depth.
fn push_with_inner<'a>(rows: &mut Vec<TableRow<'a>>, stem: &'a StemCard, all: &[&'a StemCard], depth: usize) {
    rows.push(TableRow::Stem(stem));
    if depth < MAX_DEPTH {
        let inner = all.iter().filter(|one| one.inside == Some(stem.id) && one.id != stem.id);
        inner.for_each(|one| push_with_inner(rows, one, all, depth + 1));
    }
}

const SHARE_TOOLTIP: &str = "Share of the mix's loudness: how much +1 dB of this stem adds to the mix, LU per dB. Shares sum to 100 %; a share below 0 cancels other stems.";

/// Returns the state of a stem in a word or two, else its role.
fn state(cx: &ViewCx<'_>, stem: &StemCard) -> (String, Color32) {
    let (palette, snapshot) = (&cx.palette, &cx.model.snapshot);
    match stem.status {
        StemStatus::Live => {}
        StemStatus::Gone => return (stem.status.words().into(), palette.red),
        // short enough for the narrowest column of names; beside it stands the sentence
        StemStatus::OtherRate => return ("other rate".into(), palette.dim),
        other => return (other.words().into(), palette.dim),
    }
    if let Some(words) = audition::state(snapshot, stem) {
        return (words.into(), palette.reduction);
    }
    if stem.listens {
        return ("monitoring".into(), palette.reduction);
    }
    if stem.bypassed {
        return ("bypassed".into(), palette.reduction);
    }
    if let Some(outer) = stem.inside {
        return (format!("inside {}", snapshot.name(outer)), palette.dim);
    }
    match snapshot.stem_report(stem.id).map(|found| found.state) {
        Some(StemState::Missing) => ("not in the mix".into(), palette.reduction),
        Some(StemState::Away) if snapshot.analysis.as_ref().is_some_and(|analysis| analysis.listening) => {
            ("listening".into(), palette.dim)
        }
        Some(StemState::Away) => ("no sound yet".into(), palette.dim),
        _ => (stem.role.name().into(), palette.dim),
    }
}

/// Fills a stem's tooltip, with the values that a narrow table leaves out.
fn details(ui: &mut Ui, cx: &ViewCx<'_>, stem: &StemCard) {
    let snapshot = &cx.model.snapshot;
    ui.set_max_width(300.0);
    ui.label(egui::RichText::new(stem.name()).font(theme::strong(theme::BODY)));
    let (words, _) = state(cx, stem);
    let mut lines = vec![format!("{}: {words}", stem.role.name())];
    if stem.status != StemStatus::Live {
        lines.push(stem.status.meaning().into());
    }
    let found = snapshot.stem_report(stem.id);
    let value = |name: &str, x: Option<f64>, unit: &str| x.map(|x| format!("{name} {} {unit}", number(x, 1)));
    lines.extend(value("True peak", stem.reading.true_peak.map(|p| p.0), "dBTP"));
    lines.extend(value("Gain reduction", Some(stem.reduction.0).filter(|x| *x >= 0.05), "dB"));
    lines.extend(value("Chain cost", found.and_then(|f| f.chain_cost).map(|c| c.0), "LU"));
    lines.extend(value("Arrives with", found.and_then(|f| f.gain).map(|g| g.0), "dB"));
    if let Some(found) = found.filter(|found| found.delay != 0) {
        lines.push(format!("Arrives {} samples late", found.delay));
    }
    for line in lines {
        ui.label(egui::RichText::new(line).size(theme::SMALL));
    }
}

fn short(ui: &Ui, cx: &ViewCx<'_>, cell: Rect, level: Option<f64>, colour: Color32) {
    let palette = &cx.palette;
    let words = level.map_or(NO_VALUE.to_owned(), |x| number(x, 1));
    let at =
        paint::text(ui, cell, Align2::RIGHT_CENTER, &words, &pen(theme::font(theme::BODY), palette.text));
    let room = Rect::from_min_max(
        pos2(cell.min.x, cell.center().y - 3.0),
        pos2(cell.max.x - 48.0, cell.center().y + 3.0),
    );
    if room.width() >= 24.0 {
        let part = level.map_or(0.0, |level| 1.0 - level / LOWEST_LUFS);
        paint::bar(ui, room, part as f32, colour, palette);
    } else if let Some(level) = level {
        // no room beside the figures: a line under them
        let part = (1.0 - level / LOWEST_LUFS).clamp(0.0, 1.0) as f32;
        let y = at.max.y + 2.0;
        ui.painter().hline(cell.min.x..=cell.min.x + part * cell.width(), y, egui::Stroke::new(2.0, colour));
    }
}

/// Draws a bar and the share in per cent; grey while the coverage is incomplete.
fn share(ui: &Ui, cx: &ViewCx<'_>, cell: Rect, share: Option<f64>, colour: Color32) {
    let palette = &cx.palette;
    let trusted = cx.model.snapshot.session().is_some_and(session::session_report::SessionReport::is_trusted);
    let (fill, ink) = if trusted { (colour, palette.text) } else { (palette.line, palette.dim) };
    let words = share.map_or(NO_VALUE.to_owned(), |share| format!("{} %", number(share * 100.0, 0)));
    let bar = Rect::from_min_max(
        pos2(cell.min.x, cell.center().y - 3.5),
        pos2(cell.max.x - 42.0, cell.center().y + 3.5),
    );
    // the largest share fills the bar: bars compare, figures say how much
    let stems = cx.model.snapshot.session().into_iter().flat_map(|session| &session.stems);
    let most = stems.filter_map(|stem| stem.share).fold(0.0, f64::max).max(0.05);
    paint::bar(ui, bar, (share.unwrap_or(0.0) / most) as f32, fill, palette);
    paint::text(ui, cell, Align2::RIGHT_CENTER, &words, &pen(theme::font(theme::BODY), ink));
}

fn unlinked(ui: &Ui, cx: &ViewCx<'_>, at: Rect, columns: &Columns, part: Option<f64>) {
    let palette = &cx.palette;
    let bar = Rect::from_min_size(pos2(at.min.x, at.min.y + 4.0), vec2(4.0, at.height() - 8.0));
    ui.painter().rect_filled(bar, CornerRadius::same(2), palette.line);
    let place = Rect::from_x_y_ranges(columns.names, at.y_range());
    paint::label(
        ui,
        place,
        Align2::LEFT_CENTER,
        "Unlinked",
        &pen(theme::font(theme::BODY), palette.secondary),
    )
    .on_hover_text(
        "Part of the mix that comes from no Stem: tracks without one, returns, processing after a Stem.",
    );
    if let Some(cell) = columns.get(Column::Share)
        && FirstMinute::from_heard(cx.model.snapshot.heard_length()) >= FirstMinute::Shares
    {
        share(ui, cx, Rect::from_x_y_ranges(cell, at.y_range()), part, palette.secondary);
    }
}
