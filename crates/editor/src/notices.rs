//! What a plugin has to say of its own health: one line for the eye, all of it in the tooltip.

use super::facts::{ViewCx, ViewModel};
use super::paint::{self, pen, shortened};
use super::theme;
use egui::{Align2, CornerRadius, Rect, Ui, pos2, vec2};

/// The first notice and, for a tooltip, all of them with what they mean; `None` if all is well.
pub fn notices(facts: &ViewModel) -> Option<(String, String)> {
    let mut all: Vec<(String, &str)> = Vec::new();
    if facts.broken {
        all.push((
            "Stopped after an error: the input passes".into(),
            "The chain met an error of its own and lets its input pass, so that the host goes on. Reload the plugin, and please report it.",
        ));
    }
    if let Some(notice) = &facts.notice {
        all.push((format!("State refused: {notice}"), "The settings before it are still in force."));
    }
    let plural =
        |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    if facts.health.faults > 0 {
        all.push((
            format!("{} muted", plural(facts.health.faults, "fault", "faults")),
            "The chain's output was not a number: it was muted, started anew and faded in.",
        ));
    }
    if facts.health.sanitized > 0 {
        all.push((
            format!("{} silenced", plural(facts.health.sanitized, "broken sample", "broken samples")),
            "What came in was not a number: a plugin before this one is broken. It became silence.",
        ));
    }
    all.extend(facts.snapshot.faults.iter().map(|fault| (fault.text.clone(), fault.source.meaning())));
    let first = all.first()?.0.clone();
    let lines: Vec<String> = all.iter().map(|(words, meaning)| format!("{words}. {meaning}")).collect();
    Some((first, lines.join("\n")))
}

/// The first notice, low over a graph.
pub fn over(ui: &Ui, desk: &ViewCx<'_>, graph: Rect) {
    let Some((first, all)) = notices(desk.facts) else { return };
    let ink = pen(theme::font(theme::SMALL), desk.look.reduction);
    let words = shortened(ui, &first, &ink, graph.width() - 120.0);
    let size = vec2(paint::width(ui, &words, &ink) + 20.0, 22.0);
    let at = Rect::from_min_size(pos2(graph.max.x - size.x - 16.0, graph.max.y - 52.0), size);
    ui.painter().rect_filled(at, CornerRadius::same(11), desk.look.raised);
    paint::label(ui, at, Align2::CENTER_CENTER, &words, &ink).on_hover_text(all);
}
