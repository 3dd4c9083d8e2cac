//! Modules of the chain as cards: switch, main values, gain reduction. The name opens all parameters.

use super::controls::{Weight, control, dot, pill, pill_width};
use super::edits::Edit;
use super::field::Style;
use super::format::number;
use super::noise;
use super::paint::{self, area, between, pen};
use super::theme::{self, GAP, PAD, Palette};
use super::view_model::ViewCx;
use chain::parameters::Parameter;
use chain::{ChainKind, LatencyClass};
use egui::{Align2, CornerRadius, Pos2, Rect, RectAlign, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

/// Description of a unit's card.
#[derive(Clone, Copy, Debug)]
struct ModuleSpec {
    /// Group in the parameter table.
    group: &'static str,
    on: Option<&'static str>,
    /// Parameters on the card; the last ones are left out in a small window.
    keys: &'static [&'static str],
    /// Index of the lowest latency class that has the unit.
    class: usize,
    /// Index of its gain reduction.
    reduction: Option<usize>,
}

/// Cards in signal order. Units that the table lacks are not drawn.
const MODULES: [ModuleSpec; 5] = [
    ModuleSpec {
        group: noise::GROUP,
        on: Some("dn_on"),
        keys: &["dn_reduction", "dn_threshold"],
        class: 2,
        reduction: None,
    },
    ModuleSpec {
        group: "Compressor",
        on: Some("comp_on"),
        keys: &["comp_threshold", "comp_ratio", "comp_attack", "comp_release", "comp_makeup"],
        class: 0,
        reduction: Some(0),
    },
    ModuleSpec {
        group: "Saturator",
        on: Some("sat_on"),
        keys: &["sat_drive", "sat_mix"],
        class: 1,
        reduction: None,
    },
    ModuleSpec { group: "Width", on: None, keys: &["width", "mono_below"], class: 0, reduction: None },
    ModuleSpec {
        group: "Limiter",
        on: Some("lim_on"),
        keys: &["lim_drive", "lim_ceiling", "lim_release"],
        class: LIMITER_CLASS,
        reduction: Some(1),
    },
];

/// Index of the lowest latency class that has a limiter.
pub(super) const LIMITER_CLASS: usize = 1;

/// Smallest width of the threshold curve, points.
const MIN_CURVE_WIDTH: f32 = 280.0;

/// Size of a value on a card, points.
const VALUE_SIZE: egui::Vec2 = vec2(56.0, 33.0);

/// Draws the cards in `place`.
pub fn draw_modules(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
    let units: Vec<&ModuleSpec> = MODULES.iter().filter(|unit| cx.row(unit.keys[0]).is_some()).collect();
    // units with more to show get more room
    let weight = |unit: &ModuleSpec| 1.0 + 0.28 * unit.keys.len() as f32;
    let whole: f32 = units.iter().map(|unit| weight(unit)).sum();
    let free = place.width() - GAP * (units.len() as f32 - 1.0);
    let mut x = place.min.x;
    for unit in units {
        let width = free * weight(unit) / whole;
        card(ui, cx, Rect::from_min_size(pos2(x, place.min.y), vec2(width, place.height())), unit);
        x += width + GAP;
    }
}

/// Returns true if the unit is on; a unit without a switch is on if it has an effect.
fn is_on(cx: &ViewCx<'_>, unit: &ModuleSpec) -> bool {
    match unit.on.and_then(|id| cx.row(id)) {
        Some(row) => cx.is_on(row),
        None => unit.keys.iter().filter_map(|id| cx.row(id)).any(|row| cx.value(row) != row.default),
    }
}

fn card(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect, unit: &ModuleSpec) {
    let palette = cx.palette;
    paint::panel(ui, place, &palette);
    let inner = place.shrink2(vec2(PAD, 10.0));
    let lacking = cx.model.lacks(unit.class);
    let on = is_on(cx, unit) && lacking.is_none();
    header(ui, cx, inner, unit, on, lacking.is_some());
    let body = Rect::from_min_max(pos2(inner.min.x, inner.min.y + 24.0), inner.max);
    if let Some((class, name)) = lacking {
        needs(ui, cx, body, class, name);
        return;
    }
    let rows: Vec<&'static Parameter> = unit.keys.iter().filter_map(|id| cx.row(id)).collect();
    let columns = ((body.width() + 8.0) / VALUE_SIZE.x).floor().clamp(1.0, rows.len() as f32) as usize;
    // as many lines of values as fit, a history above them if there is room
    let lines = rows.len().div_ceil(columns).min((body.height() / VALUE_SIZE.y) as usize).max(1);
    let top = body.max.y - lines as f32 * VALUE_SIZE.y;
    let step = (body.width() + 8.0) / columns as f32;
    for (index, row) in rows.into_iter().take(lines * columns).enumerate() {
        let (column, line) = ((index % columns) as f32, (index / columns) as f32);
        let min = pos2(body.min.x + column * step, top + line * VALUE_SIZE.y);
        let cell = Rect::from_min_size(min, vec2(step - 8.0, VALUE_SIZE.y - 1.0));
        control(ui, cx, cell, row, Style { caption: Some(short(row)), dim: !on, ..Style::default() });
    }
    let picture = Rect::from_min_max(body.min, pos2(body.max.x, top - 6.0));
    if picture.height() >= 18.0 {
        match (unit.reduction, unit.group) {
            (Some(which), _) => reductions(ui, cx, picture, which, on),
            (None, "Width") => breadth(ui, cx, picture, on),
            (None, noise::GROUP) => noise::draw_noise_print(ui, cx, picture),
            _ => {}
        }
    }
}

/// Returns the short name of a parameter for a card.
fn short(row: &Parameter) -> &str {
    match row.name.as_str() {
        "Threshold" => "Thresh.",
        "Mono Below" => "Mono below",
        name => name,
    }
}

fn header(ui: &mut Ui, cx: &mut ViewCx<'_>, inner: Rect, unit: &ModuleSpec, on: bool, lacking: bool) {
    let palette = cx.palette;
    let y = inner.min.y + 9.0;
    let mut x = inner.min.x;
    if let Some(row) = unit.on.and_then(|id| cx.row(id)).filter(|_| !lacking) {
        dot(ui, cx, pos2(x + 6.0, y), row);
        x += 20.0;
    }
    let ink = if on { palette.text } else { palette.secondary };
    let bold = pen(theme::strong(theme::BODY), ink);
    let width = paint::width(ui, unit.group, &bold) + 14.0;
    let place = Rect::from_min_size(pos2(x, y - 10.0), vec2(width.min(inner.max.x - x), 20.0));
    let response = ui.interact(place, ui.scope_id().with(("unit", unit.group)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{}: everything", unit.group)));
    let shown = pen(theme::strong(theme::BODY), if response.hovered() { palette.accent } else { ink });
    let written = paint::text(ui, place, Align2::LEFT_CENTER, unit.group, &shown);
    paint::chevron(ui, pos2(written.max.x + 8.0, y + 1.0), palette.dim);
    if response.has_focus() {
        paint::focus_ring(ui, place, &palette);
    }
    if let Some(which) = unit.reduction.filter(|_| on) {
        let now = [cx.model.health.compressor_reduction, cx.model.health.limiter_reduction][which].0;
        let at = Rect::from_min_max(pos2(place.max.x + 4.0, y - 9.0), pos2(inner.max.x, y + 9.0));
        if at.width() >= 50.0 {
            let (figures, unit) = (
                pen(theme::strong(theme::BODY), palette.reduction),
                pen(theme::font(theme::SMALL), palette.dim),
            );
            paint::runs(ui, at, Align2::RIGHT_CENTER, &[(&number(-now, 1), &figures), (" dB", &unit)]);
        }
    }
    egui::Popup::menu(&response)
        .align(RectAlign::TOP_START)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| everything(ui, cx, unit));
    response.on_hover_text(format!("All of the {}", unit.group.to_lowercase()));
}

/// Draws every parameter of the unit.
fn everything(ui: &mut Ui, cx: &mut ViewCx<'_>, unit: &ModuleSpec) {
    let rows: Vec<&'static Parameter> = chain::parameters::PARAMETERS
        .for_kind(cx.model.chain_kind)
        .filter(|row| row.group == unit.group && Some(row.id.as_str()) != unit.on)
        .collect();
    let columns = rows.len().clamp(1, 4);
    let lines = rows.len().div_ceil(columns);
    let cell = vec2(104.0, 42.0);
    let learns = unit.group == noise::GROUP && unit_is_there(cx, unit);
    let below = if learns { noise::HEIGHT + noise::CURVE_HEIGHT + 12.0 } else { 0.0 };
    let width = if learns { MIN_CURVE_WIDTH } else { 0.0 };
    let size = vec2((columns as f32 * cell.x).max(width), 26.0 + lines as f32 * cell.y + below);
    let (place, _) = ui.allocate_exact_size(size, Sense::hover());
    if learns {
        let at = Rect::from_min_max(pos2(place.min.x, place.max.y - noise::HEIGHT), place.max);
        noise::draw_noise_print(ui, cx, at);
        let bottom = at.min.y - 6.0;
        let above =
            Rect::from_min_max(pos2(place.min.x, bottom - noise::CURVE_HEIGHT), pos2(place.max.x, bottom));
        noise::draw_threshold_curve(ui, cx, above);
    }
    let title = Rect::from_min_size(place.min, vec2(size.x, 20.0));
    paint::text(
        ui,
        title,
        Align2::LEFT_CENTER,
        unit.group,
        &pen(theme::strong(theme::BODY), cx.palette.text),
    );
    for (index, row) in rows.into_iter().enumerate() {
        let (column, line) = ((index % columns) as f32, (index / columns) as f32);
        let min = place.min + vec2(column * cell.x, 26.0 + line * cell.y);
        let at = Rect::from_min_size(min, vec2(cell.x - 14.0, 36.0));
        // a unit that is absent as a whole has said so on its card
        let lacks = if unit_is_there(cx, unit) { lacking(cx, row) } else { None };
        match lacks {
            Some((class, name)) => greyed(ui, cx, at, row, class, name),
            None => control(ui, cx, at, row, Style { caption: Some(&row.name), ..Style::default() }),
        }
    }
}

/// Returns the class that `row` needs, if the class in use is lower.
fn lacking(cx: &ViewCx<'_>, row: &Parameter) -> Option<(LatencyClass, &'static str)> {
    let index = cx.model.classes.iter().position(|(class, _)| *class == row.needs())?;
    cx.model.lacks(index)
}

fn unit_is_there(cx: &ViewCx<'_>, unit: &ModuleSpec) -> bool {
    unit.on.and_then(|id| cx.row(id)).is_none_or(|row| lacking(cx, row).is_none())
}

/// Draws a value that needs a higher latency class, with a switch to that class.
fn greyed(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect, row: &Parameter, class: LatencyClass, name: &str) {
    let dim = pen(theme::font(theme::SMALL), cx.palette.dim);
    let top = Rect::from_min_size(place.min, vec2(place.width(), 14.0));
    paint::text(ui, top, Align2::LEFT_CENTER, &row.name, &dim);
    let below = Rect::from_min_max(pos2(place.min.x, place.min.y + 14.0), place.max);
    let words = format!("in {name}");
    let response = ui.interact(below, ui.scope_id().with(("greyed", &row.id)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{}: needs {name}", row.name)));
    let ink =
        pen(theme::font(theme::SMALL), if response.hovered() { cx.palette.accent } else { cx.palette.dim });
    paint::text(ui, below, Align2::LEFT_CENTER, &words, &ink);
    if response.has_focus() {
        paint::focus_ring(ui, below, &cx.palette);
    }
    if response.clicked() {
        cx.edits.request(Edit::Class(class));
    }
    response.on_hover_text(format!(
        "Needs latency class {name}: without latency there is nothing to look ahead into. Click: use it; the host restarts the plugin once."
    ));
}

/// Draws the hint of a unit that needs a higher latency class, with a switch to that class.
pub(super) fn needs(ui: &mut Ui, cx: &mut ViewCx<'_>, body: Rect, class: LatencyClass, name: &str) {
    let palette = cx.palette;
    let height = body.height().min(52.0);
    let middle = Rect::from_center_size(body.center(), vec2(body.width(), height));
    let line = Rect::from_min_size(middle.min, vec2(middle.width(), 18.0));
    let words = format!("needs class {name}");
    let dim = pen(theme::font(theme::SMALL), palette.dim);
    let fits = paint::width(ui, &words, &dim) <= line.width();
    paint::label(ui, line, Align2::CENTER_CENTER, if fits { &words } else { "needs latency" }, &dim);
    let button = format!("Use {name}");
    let button = if pill_width(ui, &button) <= middle.width() { button } else { "Use it".into() };
    let width = pill_width(ui, &button);
    let at = Rect::from_center_size(pos2(middle.center().x, middle.max.y - 12.0), vec2(width, 24.0));
    let response = pill(ui, &palette, at, &button, Weight::Quiet, true);
    if response.clicked() {
        cx.edits.request(Edit::Class(class));
    }
    let stem = if cx.model.chain_kind == ChainKind::Stem {
        " Other stems are delayed alike by the host."
    } else {
        ""
    };
    response.on_hover_text(format!("Latency class {name}: the host restarts the plugin once.{stem}"));
}

/// Draws the gain reduction of the last seconds, from the top down.
fn reductions(ui: &Ui, cx: &ViewCx<'_>, place: Rect, which: usize, on: bool) {
    let palette = &cx.palette;
    ui.painter().rect_filled(place, CornerRadius::same(4), palette.background);
    if !on {
        return;
    }
    let values = &cx.model.picture.reductions;
    let step = 1.5;
    let count = ((place.width() / step) as usize).min(values.len());
    let newest = &values[values.len() - count..];
    let most = newest.iter().map(|r| r[which]).fold(0.0, f32::max);
    let scale = [6.0, 12.0, 24.0].into_iter().find(|&scale| most <= scale).unwrap_or(36.0);
    let points: Vec<Pos2> = newest
        .iter()
        .enumerate()
        .map(|(i, r)| {
            let x = place.max.x - (count - 1 - i) as f32 * step;
            pos2(x, place.min.y + place.height() * (r[which] / scale).min(1.0))
        })
        .collect();
    let top: Vec<Pos2> = points.iter().map(|p| pos2(p.x, place.min.y)).collect();
    between(ui.painter(), &top, &points, Palette::faint(palette.reduction, 0.35));
    ui.painter().line(points, Stroke::new(1.25, palette.reduction));
    // only where there is room beside the curve
    if place.height() < 30.0 {
        return;
    }
    let at =
        Rect::from_min_max(pos2(place.min.x + 4.0, place.max.y - 14.0), pos2(place.max.x, place.max.y - 1.0));
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    paint::text(ui, at, Align2::LEFT_CENTER, &format!("{} dB", number(f64::from(-scale), 0)), &tiny);
}

/// Draws the stereo width as a fan, with the mono range below.
fn breadth(ui: &Ui, cx: &ViewCx<'_>, place: Rect, on: bool) {
    let palette = &cx.palette;
    ui.painter().rect_filled(place, CornerRadius::same(4), palette.background);
    let Some(width) = cx.row("width").and_then(|row| cx.number(row)) else { return };
    let foot = pos2(place.center().x, place.max.y - 4.0);
    let half = (place.width() / 2.0 - 6.0) * (width / 200.0) as f32;
    let top = place.min.y + 5.0;
    let colour = if on { cx.track } else { palette.dim };
    let (left, right) = (pos2(foot.x - half, top), pos2(foot.x + half, top));
    area(ui.painter(), &[left, foot, right], top, Palette::faint(colour, 0.25));
    ui.painter().line(vec![left, foot, right], Stroke::new(1.25, colour));
}
