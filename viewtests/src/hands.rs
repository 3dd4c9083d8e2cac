//! User input to a view: keys, wheel and clicks, by accessible names.

use crate::bench::Driven;
use egui::{Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, Pos2, TouchPhase, vec2};
use egui_kittest::kittest::Queryable;

/// Presses the only button of that name.
pub fn press(driven: &mut Driven, name: &str) {
    driven.get_by_label(name).click();
    driven.run();
}

/// Returns true if the text is anywhere in the view.
pub fn says(driven: &Driven, words: &str) -> bool {
    driven.query_all_by_label_contains(words).next().is_some()
}

/// Types the text, letter by letter, and Return.
pub fn type_keys(driven: &mut Driven, text: &str) {
    for c in text.chars() {
        driven.event(Event::Text(c.to_string()));
        driven.step();
    }
    driven.key_press(Key::Enter);
    driven.run();
}

/// Turns the wheel over a point, upwards.
pub fn turn(driven: &mut Driven, at: Pos2, lines: f32) {
    driven.hover_at(at);
    driven.step();
    notch(driven, lines);
    driven.run();
}

/// Turns the wheel at the pointer; takes one frame.
pub fn notch(driven: &mut Driven, lines: f32) {
    driven.event(Event::MouseWheel {
        unit: MouseWheelUnit::Line,
        delta: vec2(0.0, lines),
        modifiers: Modifiers::NONE,
        phase: TouchPhase::Move,
        source: MouseWheelSource::Unknown,
    });
    driven.step();
}
