//! Bands as nodes: drag for frequency and gain, wheel for Q, right click for the rest, double click to add or reset.

use super::axes::Axes;
use super::band::put_all;
use super::{BandRows, Graph, clipboard};
use crate::controls::choose;
use crate::controls::{context_menu, was_opened_by_key};
use crate::edits::Edit;
use crate::field::{accept_number, stepped, wheel};
use crate::format::whole;
use crate::paint::{self, pen};
use crate::theme;
use crate::view_model::ViewCx;
use chain::monitor::MonitorMode;
use chain::parameters::{Parameter, Value};
use dsp::equalizer::{BANDS, Shape};
use egui::{
    Align2, Event, EventFilter, Key, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use plugin_core::normalized::{normalized_from_value, value_from_normalized};
use units::{Db, Hz};

const NODE_RADIUS: f32 = 9.0;
/// Radius that reacts to the pointer, points: larger than the drawn one.
const HIT_RADIUS: f32 = 12.0;

/// Adds a band on a double click, or from a menu, on the background.
pub(super) fn ground(graph: &mut Graph, ui: &Ui, cx: &mut ViewCx<'_>, axes: &Axes, ground: &Response) {
    if ground.clicked() {
        graph.select_all(&[]);
        graph.message = None;
        ground.request_focus();
    }
    lasso(graph, ui, cx, axes, ground);
    if ground.double_clicked()
        && let Some(at) = ground.interact_pointer_pos()
    {
        let (frequency, gain) = axes.at(at);
        let shape = match frequency.0 {
            f if f < 25.0 => Shape::LowCut,
            f if f > 18_000.0 => Shape::HighCut,
            _ => Shape::Bell,
        };
        add(graph, cx, shape, frequency, gain);
    }
    context_menu(ground, |ui| {
        // where the menu was opened, not where it is clicked
        // asked before the memory is locked: both are egui's one lock
        let was_clicked = ground.secondary_clicked();
        let at = ui.data_mut(|data| {
            let kept = data.get_temp_mut_or_default::<Option<egui::Pos2>>(ground.id.with("menu at"));
            if was_clicked || kept.is_none() {
                *kept = ground.interact_pointer_pos();
            }
            *kept
        });
        let middle = axes.plot.center();
        let at = at.filter(|_| !was_opened_by_key(ground)).unwrap_or(middle);
        let used: Vec<usize> = BandRows::all(cx.model.chain_kind)
            .iter()
            .filter(|band| band.is_used(cx))
            .map(|band| band.index)
            .collect();
        if !used.is_empty() && ui.button("Copy all bands").clicked() {
            clipboard::copy(ui, cx, &used);
            ui.close();
        }
        if clipboard::has_copy() && ui.button("Paste bands").clicked() {
            clipboard::paste_copy(graph, cx);
            ui.close();
        }
        for (words, shape) in [
            ("Add bell", Shape::Bell),
            ("Add low shelf", Shape::LowShelf),
            ("Add high shelf", Shape::HighShelf),
            ("Add low cut", Shape::LowCut),
            ("Add high cut", Shape::HighCut),
            ("Add notch", Shape::Notch),
            ("Add tilt", Shape::Tilt),
        ] {
            if ui.button(words).clicked() {
                let (frequency, gain) = axes.at(at);
                add(graph, cx, shape, frequency, gain);
                ui.close();
            }
        }
    });
    let none = !BandRows::all(cx.model.chain_kind).iter().any(|band| band.is_used(cx));
    if none {
        let words = "Double-click to add a band";
        let pen = pen(theme::font(theme::SMALL), cx.palette.dim);
        // on a ground of its own: spectra pass behind it
        let size = vec2(paint::width(ui, words, &pen) + 2.0 * theme::GAP, 20.0);
        let at = Rect::from_center_size(axes.plot.center() + vec2(0.0, 18.0), size);
        ui.painter().rect_filled(at, theme::GRID, cx.palette.panel);
        paint::label(ui, at, Align2::CENTER_CENTER, words, &pen);
    }
}

/// Selects the bands in a frame that is dragged over the background.
fn lasso(graph: &mut Graph, ui: &Ui, cx: &ViewCx<'_>, axes: &Axes, ground: &Response) {
    let Some((from, to)) = ui.input(|input| input.pointer.press_origin().zip(input.pointer.interact_pos()))
    else {
        return;
    };
    if !ground.dragged_by(egui::PointerButton::Primary) {
        return;
    }
    let frame = Rect::from_two_pos(from, to).intersect(axes.plot);
    let stroke = Stroke::new(1.0, cx.palette.accent);
    ui.painter().rect(
        frame,
        2.0,
        theme::Palette::faint(cx.palette.accent, 0.1),
        stroke,
        egui::StrokeKind::Inside,
    );
    let inside: Vec<usize> = BandRows::all(cx.model.chain_kind)
        .iter()
        .filter(|band| band.is_used(cx) && frame.contains(centre(cx, axes, band)))
        .map(|band| band.index)
        .collect();
    graph.select_all(&inside);
}

/// Returns the point of a band's node.
pub(super) fn centre(cx: &ViewCx<'_>, axes: &Axes, band: &BandRows) -> egui::Pos2 {
    axes.node(Hz(cx.number(band.frequency).unwrap_or(1000.0)), gain_of(band, cx))
}

/// Sets the first unused band to these values.
fn add(graph: &mut Graph, cx: &mut ViewCx<'_>, shape: Shape, frequency: Hz, gain: f64) {
    let Some(band) = BandRows::all(cx.model.chain_kind).iter().find(|band| !band.is_used(cx)) else { return };
    let mut settings = cx.model.settings.clone();
    let target = &mut settings.equalizer.bands[band.index];
    (target.shape, target.frequency, target.gain) = (shape, frequency, Db(gain));
    // through normalized values, as a drag would
    let tidy = |row: &'static Parameter| {
        (row, value_from_normalized(row, normalized_from_value(row, row.get(&settings))))
    };
    let mut changes =
        vec![(band.on, Value::Switch(true)), (band.shape, band.shape.get(&settings)), tidy(band.frequency)];
    if matches!(shape, Shape::Bell | Shape::LowShelf | Shape::HighShelf | Shape::Tilt) {
        changes.push(tidy(band.gain));
    }
    put_all(cx, &changes);
    graph.select(band.index, gain < 0.0);
}

impl Graph {
    /// Shows the card of a band; at the top if its node is low, so that it does not hide the node.
    fn select(&mut self, index: usize, low: bool) {
        if self.selected != Some(index) {
            self.card_at_top = low;
        }
        self.selected = Some(index);
        self.also = [false; BANDS];
    }

    /// Adds a band to the selection, or takes it out.
    fn toggle(&mut self, index: usize) {
        let is_selected = self.is_selected(index);
        let others = self.selection().into_iter().filter(|other| *other != index);
        let bands: Vec<usize> = others.chain(Some(index).filter(|_| !is_selected)).collect();
        self.select_all(&bands);
    }
}

/// Returns the gain at which a band's node is drawn, dB: its gain; of cuts, the gain at the corner; of notches, 0.
fn gain_of(band: &BandRows, cx: &ViewCx<'_>) -> f64 {
    if band.has_gain(cx) {
        cx.number(band.gain).unwrap_or(0.0)
    } else if band.is_cut(cx) && band.has_q(cx) {
        Db::from_gain(cx.number(band.q).unwrap_or(1.0)).0 - 3.0
    } else if band.is_cut(cx) {
        -3.0
    } else {
        0.0
    }
}

pub(super) fn draw_nodes(graph: &mut Graph, ui: &mut Ui, cx: &mut ViewCx<'_>, axes: &Axes) {
    let bands = BandRows::all(cx.model.chain_kind);
    // the chosen one last: on top of the others
    let chosen = graph.selected;
    let others = bands.iter().filter(|band| chosen != Some(band.index));
    for band in others.chain(bands.iter().filter(|band| chosen == Some(band.index))) {
        if band.is_used(cx) {
            node(graph, ui, cx, axes, band);
        }
    }
}

fn node(graph: &mut Graph, ui: &mut Ui, cx: &mut ViewCx<'_>, axes: &Axes, band: &BandRows) {
    let centre = centre(cx, axes, band);
    let place = Rect::from_center_size(centre, vec2(2.0 * HIT_RADIUS, 2.0 * HIT_RADIUS));
    let response = ui.interact(place, ui.scope_id().with(("node", band.index)), Sense::click_and_drag());
    let name = format!("Band {}", band.index + 1);
    response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, &name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(sentence(band, cx)));
    accept_number(ui, cx, &response, if band.has_gain(cx) { band.gain } else { band.frequency });

    let low = centre.y > axes.plot.center().y + 8.0;
    let adds = ui.input(|input| input.modifiers.command);
    if response.clicked() && adds {
        graph.toggle(band.index);
        response.request_focus();
    } else if response.clicked() || response.drag_started() && !graph.is_selected(band.index) {
        graph.select(band.index, low);
        response.request_focus();
    }
    graph.has_keyboard |= response.has_focus();
    let moved: Vec<&BandRows> = BandRows::all(cx.model.chain_kind)
        .iter()
        .filter(|other| graph.moved_with(band.index).contains(&other.index) && other.is_used(cx))
        .collect();
    for other in moved {
        drag(ui, cx, axes, other, &response);
    }
    let turns = wheel(ui, &response);
    if turns != 0.0 {
        if !graph.is_selected(band.index) {
            graph.select(band.index, low);
        }
        let row =
            if ui.input(|input| input.modifiers.command) && band.is_cut(cx) { band.slope } else { band.q };
        let (fine, time) = ui.input(|input| (input.modifiers.shift, input.time));
        let now = cx.model.value(row);
        cx.edits.turn(row, now, stepped(row, now, 2.0 * turns, fine), time);
    }
    keys(graph, ui, cx, band, &response);
    if response.double_clicked() {
        band.reset(cx);
        graph.selected = None;
    }
    context_menu(&response, |ui| menu(graph, ui, cx, band));
    draw(graph, ui, cx, band, centre, &response);
}

fn draw(graph: &Graph, ui: &Ui, cx: &ViewCx<'_>, band: &BandRows, centre: egui::Pos2, response: &Response) {
    let palette = &cx.palette;
    let on = cx.is_on(band.on);
    let chosen = graph.is_selected(band.index);
    let (edge, ink, fill) = match (on, chosen || response.hovered()) {
        (true, true) => (palette.accent, palette.on_accent, palette.accent),
        (true, false) => (palette.accent, palette.text, palette.panel),
        (false, true) => (palette.dim, palette.panel, palette.dim),
        (false, false) => (palette.dim, palette.dim, palette.panel),
    };
    ui.painter().circle(centre, NODE_RADIUS, fill, Stroke::new(1.75, edge));
    if band.is_dynamic(cx) && on {
        ui.painter().circle_stroke(centre, NODE_RADIUS + 3.0, Stroke::new(1.0, edge));
    }
    let number = format!("{}", band.index + 1);
    let inside = Rect::from_center_size(centre, vec2(2.0 * NODE_RADIUS, 14.0));
    paint::text(ui, inside, Align2::CENTER_CENTER, &number, &pen(theme::strong(theme::SMALL), ink));
    if response.has_focus() {
        ui.painter().circle_stroke(centre, NODE_RADIUS + 5.0, Stroke::new(1.5, palette.accent));
    }
    // what is under the hand says its values, where no finger covers them
    if (response.hovered() || response.dragged()) && !chosen {
        let words = sentence(band, cx);
        let at = Rect::from_center_size(pos2(centre.x, centre.y - 22.0), vec2(240.0, 16.0));
        let pen = pen(theme::strong(theme::SMALL), palette.text);
        let width = paint::width(ui, &words, &pen) + 12.0;
        let ground = Rect::from_center_size(at.center(), vec2(width, 18.0));
        ui.painter().rect_filled(ground, 4.0, palette.raised);
        paint::text(ui, ground, Align2::CENTER_CENTER, &words, &pen);
    }
}

/// Returns a band as text: `Bell 1.20 kHz +3.0 dB Q 1.0`.
pub(super) fn sentence(band: &BandRows, cx: &ViewCx<'_>) -> String {
    let of = |row: &Parameter| whole(row, cx.value(row));
    let mut words = format!("{} {}", of(band.shape), of(band.frequency));
    if band.has_gain(cx) {
        words += &format!(" {}", of(band.gain));
    }
    if band.is_cut(cx) {
        words += &format!(" {}", of(band.slope));
    }
    if !cx.is_on(band.on) {
        words += ", off";
    }
    words
}

fn drag(ui: &Ui, cx: &mut ViewCx<'_>, axes: &Axes, band: &BandRows, response: &Response) {
    let upright = match () {
        () if band.has_gain(cx) => Some(band.gain),
        () if band.is_cut(cx) && band.has_q(cx) => Some(band.q),
        () => None,
    };
    if response.drag_started_by(egui::PointerButton::Primary) {
        cx.begin(band.frequency);
        upright.into_iter().for_each(|row| cx.begin(row));
        let start = (
            f64::from(normalized_from_value(band.frequency, cx.model.value(band.frequency))),
            gain_of(band, cx),
        );
        ui.data_mut(|data| data.insert_temp(response.id.with(band.index), start));
    }
    if response.dragged_by(egui::PointerButton::Primary) && cx.edits.holds(band.frequency) {
        let fine = if ui.input(|input| input.modifiers.shift) { 0.1 } else { 1.0 };
        let delta = response.drag_delta() * fine;
        let (normalized, gain) = ui.data_mut(|data| {
            let (normalized, gain) = data.get_temp_mut_or_default::<(f64, f64)>(response.id.with(band.index));
            // the axis is the parameter's normalized value
            *normalized = (*normalized + f64::from(delta.x / axes.plot.width())).clamp(0.0, 1.0);
            *gain += axes.gain_of(-delta.y);
            (*normalized, *gain)
        });
        cx.edits.set(band.frequency, value_from_normalized(band.frequency, normalized as f32));
        if let Some(row) = upright {
            let x = if row == band.q { Db(gain + 3.0).gain() } else { gain };
            cx.edits.set(row, value_from_normalized(row, normalized_from_value(row, Value::Number(Some(x)))));
        }
    }
    if response.drag_stopped() {
        cx.edits.end(band.frequency);
        [band.gain, band.q].into_iter().for_each(|row| cx.edits.end(row));
    }
}

fn keys(graph: &mut Graph, ui: &Ui, cx: &mut ViewCx<'_>, band: &BandRows, response: &Response) {
    if !response.has_focus() {
        return;
    }
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, escape: true, tab: false };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let (events, fine, time) = ui.input(|input| (input.events.clone(), input.modifiers.shift, input.time));
    for event in events {
        let Event::Key { key, pressed: true, .. } = event else { continue };
        let (row, steps) = match key {
            Key::ArrowRight => (band.frequency, 1.0),
            Key::ArrowLeft => (band.frequency, -1.0),
            Key::ArrowUp if band.has_gain(cx) => (band.gain, 1.0),
            Key::ArrowDown if band.has_gain(cx) => (band.gain, -1.0),
            Key::Delete | Key::Backspace => {
                let moved = graph.moved_with(band.index);
                let rows =
                    BandRows::all(cx.model.chain_kind).iter().filter(|band| moved.contains(&band.index));
                let changes: Vec<_> = rows.flat_map(BandRows::rows).map(|row| (row, row.default)).collect();
                put_all(cx, &changes);
                graph.select_all(&[]);
                continue;
            }
            Key::Space => {
                cx.put(band.on, Value::Switch(!cx.is_on(band.on)));
                continue;
            }
            Key::Escape => {
                graph.select_all(&[]);
                continue;
            }
            _ => continue,
        };
        let now = cx.model.value(row);
        cx.edits.turn(row, now, stepped(row, now, steps, fine), time);
    }
}

fn menu(graph: &mut Graph, ui: &mut Ui, cx: &mut ViewCx<'_>, band: &BandRows) {
    let on = cx.is_on(band.on);
    if ui.button(if on { "Switch off" } else { "Switch on" }).clicked() {
        cx.put(band.on, Value::Switch(!on));
        ui.close();
    }
    for (words, row) in [("Shape", band.shape), ("Placement", band.place)] {
        ui.menu_button(words, |ui| {
            let mut chosen = None;
            choose(ui, row, cx.value(row), &mut chosen);
            if let Some(value) = chosen {
                cx.put(row, value);
            }
        });
    }
    if band.is_cut(cx) {
        ui.menu_button("Slope", |ui| {
            for slope in (1..=8).map(|order| f64::from(6 * order)) {
                let now = cx.number(band.slope) == Some(slope);
                if ui.selectable_label(now, format!("{slope} dB/oct")).clicked() {
                    cx.put(band.slope, Value::Number(Some(slope)));
                    ui.close();
                }
            }
        });
    }
    if let Some(range) = band.range.filter(|_| band.has_gain(cx)) {
        let dynamic = band.is_dynamic(cx);
        if ui.button(if dynamic { "Make static" } else { "Make dynamic" }).clicked() {
            cx.put(range, Value::Number(Some(if dynamic { 0.0 } else { -3.0 })));
            ui.close();
        }
    }
    let listen = MonitorMode::Band(band.index);
    let hears = cx.model.listen == listen;
    if ui.button(if hears { "Listen to the output" } else { "Listen to this band" }).clicked() {
        cx.edits.request(Edit::MonitorMode(if hears { MonitorMode::Off } else { listen }));
        ui.close();
    }
    let copied = graph.moved_with(band.index);
    let words = if copied.len() > 1 { format!("Copy {} bands", copied.len()) } else { "Copy band".into() };
    if ui.button(words).clicked() {
        clipboard::copy(ui, cx, &copied);
        ui.close();
    }
    if clipboard::has_copy() && ui.button("Paste bands").clicked() {
        clipboard::paste_copy(graph, cx);
        ui.close();
    }
    if ui.button("Reset").clicked() {
        band.reset(cx);
        graph.selected = None;
        ui.close();
    }
}
