//! Bands as nodes: drag for frequency and gain, wheel for Q, right click for the rest, double click to add or reset.

use super::axes::Axes;
use super::band::put_all;
use super::{Band, Graph};
use crate::controls::choose;
use crate::edits::Edit;
use crate::facts::ViewCx;
use crate::field::{stepped, wheel};
use crate::format::whole;
use crate::paint::{self, pen};
use crate::theme;
use chain::monitor::MonitorMode;
use chain::parameters::{Parameter, Value};
use dsp::equalizer::Shape;
use egui::{
    Align2, Event, EventFilter, Key, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use plugin_core::normalized::{normalized_from_value, value_from_normalized};
use units::{Db, Hz};

const RADIUS: f32 = 9.0;
/// What can be grasped is wider than what is seen.
const REACH: f32 = 12.0;

/// What a double click or a menu on the ground does: a new band there.
pub(super) fn ground(graph: &mut Graph, ui: &Ui, desk: &mut ViewCx<'_>, axes: &Axes, ground: &Response) {
    if ground.clicked() {
        graph.selected = None;
    }
    if ground.double_clicked()
        && let Some(at) = ground.interact_pointer_pos()
    {
        let (frequency, gain) = axes.at(at);
        let shape = match frequency.0 {
            f if f < 25.0 => Shape::LowCut,
            f if f > 18_000.0 => Shape::HighCut,
            _ => Shape::Bell,
        };
        add(graph, desk, shape, frequency, gain);
    }
    ground.context_menu(|ui| {
        // where the menu was opened, not where it is clicked
        let at = ui.data_mut(|data| {
            let kept = data.get_temp_mut_or_default::<Option<egui::Pos2>>(ground.id.with("menu at"));
            if ground.secondary_clicked() || kept.is_none() {
                *kept = ground.interact_pointer_pos();
            }
            *kept
        });
        let Some(at) = at else { return };
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
                add(graph, desk, shape, frequency, gain);
                ui.close();
            }
        }
    });
    let none = !Band::all(desk.facts.chain_kind).iter().any(|band| band.is_used(desk));
    if none {
        let words = "Double-click to add a band";
        let pen = pen(theme::font(theme::SMALL), desk.look.dim);
        // on a ground of its own: spectra pass behind it
        let size = vec2(paint::width(ui, words, &pen) + 2.0 * theme::GAP, 20.0);
        let at = Rect::from_center_size(axes.plot.center() + vec2(0.0, 18.0), size);
        ui.painter().rect_filled(at, theme::GRID, desk.look.panel);
        paint::label(ui, at, Align2::CENTER_CENTER, words, &pen);
    }
}

/// Makes the first unused band of these values.
fn add(graph: &mut Graph, desk: &mut ViewCx<'_>, shape: Shape, frequency: Hz, gain: f64) {
    let Some(band) = Band::all(desk.facts.chain_kind).iter().find(|band| !band.is_used(desk)) else { return };
    let mut settings = desk.facts.settings.clone();
    let target = &mut settings.equalizer.bands[band.index];
    (target.shape, target.frequency, target.gain) = (shape, frequency, Db(gain));
    // through the travel, as a drag would
    let tidy = |row: &'static Parameter| {
        (row, value_from_normalized(row, normalized_from_value(row, row.get(&settings))))
    };
    let mut changes =
        vec![(band.on, Value::Switch(true)), (band.shape, band.shape.get(&settings)), tidy(band.frequency)];
    if matches!(shape, Shape::Bell | Shape::LowShelf | Shape::HighShelf | Shape::Tilt) {
        changes.push(tidy(band.gain));
    }
    put_all(desk, &changes);
    graph.select(band.index, gain < 0.0);
}

impl Graph {
    /// Shows the card of a band; at the top if its node is low, lest it hide it.
    fn select(&mut self, index: usize, low: bool) {
        if self.selected != Some(index) {
            self.card_at_top = low;
        }
        self.selected = Some(index);
    }
}

/// Where a band's node is: at its gain, cuts where their corner is, notches on the line.
fn gain_of(band: &Band, desk: &ViewCx<'_>) -> f64 {
    if band.has_gain(desk) {
        desk.number(band.gain).unwrap_or(0.0)
    } else if band.is_cut(desk) && band.has_q(desk) {
        Db::from_gain(desk.number(band.q).unwrap_or(1.0)).0 - 3.0
    } else if band.is_cut(desk) {
        -3.0
    } else {
        0.0
    }
}

pub(super) fn show(graph: &mut Graph, ui: &mut Ui, desk: &mut ViewCx<'_>, axes: &Axes) {
    let bands = Band::all(desk.facts.chain_kind);
    // the chosen one last: on top of the others
    let chosen = graph.selected;
    let others = bands.iter().filter(|band| chosen != Some(band.index));
    for band in others.chain(bands.iter().filter(|band| chosen == Some(band.index))) {
        if band.is_used(desk) {
            node(graph, ui, desk, axes, band);
        }
    }
}

fn node(graph: &mut Graph, ui: &mut Ui, desk: &mut ViewCx<'_>, axes: &Axes, band: &Band) {
    let gain = gain_of(band, desk);
    let centre = axes.node(Hz(desk.number(band.frequency).unwrap_or(1000.0)), gain);
    let place = Rect::from_center_size(centre, vec2(2.0 * REACH, 2.0 * REACH));
    let response = ui.interact(place, ui.scope_id().with(("node", band.index)), Sense::click_and_drag());
    let name = format!("Band {}", band.index + 1);
    response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, &name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(sentence(band, desk)));

    let low = centre.y > axes.plot.center().y + 8.0;
    if response.clicked() || response.drag_started() {
        graph.select(band.index, low);
        response.request_focus();
    }
    drag(ui, desk, axes, band, &response);
    let turns = wheel(ui, &response);
    if turns != 0.0 {
        graph.select(band.index, low);
        let row =
            if ui.input(|input| input.modifiers.command) && band.is_cut(desk) { band.slope } else { band.q };
        let (fine, time) = ui.input(|input| (input.modifiers.shift, input.time));
        let now = desk.facts.value(row);
        desk.edits.turn(row, now, stepped(row, now, 2.0 * turns, fine), time);
    }
    keys(graph, ui, desk, band, &response);
    if response.double_clicked() {
        band.reset(desk);
        graph.selected = None;
    }
    response.context_menu(|ui| menu(graph, ui, desk, band));
    draw(graph, ui, desk, band, centre, &response);
}

fn draw(graph: &Graph, ui: &Ui, desk: &ViewCx<'_>, band: &Band, centre: egui::Pos2, response: &Response) {
    let look = &desk.look;
    let on = desk.is_on(band.on);
    let chosen = graph.selected == Some(band.index);
    let (edge, ink, fill) = match (on, chosen || response.hovered()) {
        (true, true) => (look.accent, look.on_accent, look.accent),
        (true, false) => (look.accent, look.text, look.panel),
        (false, true) => (look.dim, look.panel, look.dim),
        (false, false) => (look.dim, look.dim, look.panel),
    };
    ui.painter().circle(centre, RADIUS, fill, Stroke::new(1.75, edge));
    if band.is_dynamic(desk) && on {
        ui.painter().circle_stroke(centre, RADIUS + 3.0, Stroke::new(1.0, edge));
    }
    let number = format!("{}", band.index + 1);
    let inside = Rect::from_center_size(centre, vec2(2.0 * RADIUS, 14.0));
    paint::text(ui, inside, Align2::CENTER_CENTER, &number, &pen(theme::strong(theme::SMALL), ink));
    if response.has_focus() {
        ui.painter().circle_stroke(centre, RADIUS + 5.0, Stroke::new(1.5, look.accent));
    }
    // what is under the hand says its values, where no finger covers them
    if (response.hovered() || response.dragged()) && !chosen {
        let words = sentence(band, desk);
        let at = Rect::from_center_size(pos2(centre.x, centre.y - 22.0), vec2(240.0, 16.0));
        let pen = pen(theme::strong(theme::SMALL), look.text);
        let width = paint::width(ui, &words, &pen) + 12.0;
        let ground = Rect::from_center_size(at.center(), vec2(width, 18.0));
        ui.painter().rect_filled(ground, 4.0, look.raised);
        paint::text(ui, ground, Align2::CENTER_CENTER, &words, &pen);
    }
}

/// A band in words: `Bell 1.20 kHz +3.0 dB Q 1.0`.
pub(super) fn sentence(band: &Band, desk: &ViewCx<'_>) -> String {
    let of = |row: &Parameter| whole(row, desk.value(row));
    let mut words = format!("{} {}", of(band.shape), of(band.frequency));
    if band.has_gain(desk) {
        words += &format!(" {}", of(band.gain));
    }
    if band.is_cut(desk) {
        words += &format!(" {}", of(band.slope));
    }
    if !desk.is_on(band.on) {
        words += ", off";
    }
    words
}

fn drag(ui: &Ui, desk: &mut ViewCx<'_>, axes: &Axes, band: &Band, response: &Response) {
    let upright = match () {
        () if band.has_gain(desk) => Some(band.gain),
        () if band.is_cut(desk) && band.has_q(desk) => Some(band.q),
        () => None,
    };
    if response.drag_started_by(egui::PointerButton::Primary) {
        desk.begin(band.frequency);
        upright.into_iter().for_each(|row| desk.begin(row));
        let start = (
            f64::from(normalized_from_value(band.frequency, desk.facts.value(band.frequency))),
            gain_of(band, desk),
        );
        ui.data_mut(|data| data.insert_temp(response.id, start));
    }
    if response.dragged_by(egui::PointerButton::Primary) && desk.edits.holds(band.frequency) {
        let fine = if ui.input(|input| input.modifiers.shift) { 0.1 } else { 1.0 };
        let delta = response.drag_delta() * fine;
        let (travel, gain) = ui.data_mut(|data| {
            let (travel, gain) = data.get_temp_mut_or_default::<(f64, f64)>(response.id);
            // the axis is the parameter's own travel
            *travel = (*travel + f64::from(delta.x / axes.plot.width())).clamp(0.0, 1.0);
            *gain += axes.gain_of(-delta.y);
            (*travel, *gain)
        });
        desk.edits.set(band.frequency, value_from_normalized(band.frequency, travel as f32));
        if let Some(row) = upright {
            let x = if row == band.q { Db(gain + 3.0).gain() } else { gain };
            desk.edits
                .set(row, value_from_normalized(row, normalized_from_value(row, Value::Number(Some(x)))));
        }
    }
    if response.drag_stopped() {
        desk.edits.end(band.frequency);
        [band.gain, band.q].into_iter().for_each(|row| desk.edits.end(row));
    }
}

fn keys(graph: &mut Graph, ui: &Ui, desk: &mut ViewCx<'_>, band: &Band, response: &Response) {
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
            Key::ArrowUp if band.has_gain(desk) => (band.gain, 1.0),
            Key::ArrowDown if band.has_gain(desk) => (band.gain, -1.0),
            Key::Delete | Key::Backspace => {
                band.reset(desk);
                graph.selected = None;
                continue;
            }
            Key::Space => {
                desk.put(band.on, Value::Switch(!desk.is_on(band.on)));
                continue;
            }
            Key::Escape => {
                graph.selected = None;
                continue;
            }
            _ => continue,
        };
        let now = desk.facts.value(row);
        desk.edits.turn(row, now, stepped(row, now, steps, fine), time);
    }
}

fn menu(graph: &mut Graph, ui: &mut Ui, desk: &mut ViewCx<'_>, band: &Band) {
    let on = desk.is_on(band.on);
    if ui.button(if on { "Switch off" } else { "Switch on" }).clicked() {
        desk.put(band.on, Value::Switch(!on));
        ui.close();
    }
    for (words, row) in [("Shape", band.shape), ("Placement", band.place)] {
        ui.menu_button(words, |ui| {
            let mut chosen = None;
            choose(ui, row, desk.value(row), &mut chosen);
            if let Some(value) = chosen {
                desk.put(row, value);
            }
        });
    }
    if band.is_cut(desk) {
        ui.menu_button("Slope", |ui| {
            for slope in (1..=8).map(|order| f64::from(6 * order)) {
                let now = desk.number(band.slope) == Some(slope);
                if ui.selectable_label(now, format!("{slope} dB/oct")).clicked() {
                    desk.put(band.slope, Value::Number(Some(slope)));
                    ui.close();
                }
            }
        });
    }
    if let Some(range) = band.range.filter(|_| band.has_gain(desk)) {
        let dynamic = band.is_dynamic(desk);
        if ui.button(if dynamic { "Make static" } else { "Make dynamic" }).clicked() {
            desk.put(range, Value::Number(Some(if dynamic { 0.0 } else { -3.0 })));
            ui.close();
        }
    }
    let listen = MonitorMode::Band(band.index);
    let hears = desk.facts.listen == listen;
    if ui.button(if hears { "Hear the output" } else { "Listen to this band" }).clicked() {
        desk.edits.want(Edit::MonitorMode(if hears { MonitorMode::Off } else { listen }));
        ui.close();
    }
    if ui.button("Reset").clicked() {
        band.reset(desk);
        graph.selected = None;
        ui.close();
    }
}
