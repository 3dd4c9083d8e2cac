//! Notices of faults: one line in the window, all of them in its tooltip.

use super::paint::{self, pen, shortened};
use super::theme;
use super::view_model::{ViewCx, ViewModel};
use egui::{Align2, CornerRadius, Rect, Ui, pos2, vec2};

/// Returns the first notice and, for a tooltip, all of them with explanations; `None` without any.
pub fn notices(model: &ViewModel) -> Option<(String, String)> {
    let mut all: Vec<(String, &str)> = Vec::new();
    if model.broken {
        all.push((
            "Stopped after an error: the input passes".into(),
            "The chain met an error of its own and lets its input pass, so that the host goes on. Reload the plugin, and please report it.",
        ));
    }
    if let Some(notice) = &model.notice {
        all.push((format!("State refused: {notice}"), "The settings before it are still in force."));
    }
    let plural =
        |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    if model.health.faults > 0 {
        all.push((
            format!("{} muted", plural(model.health.faults, "fault", "faults")),
            "The chain's output was not a number: it was muted, restarted and faded in.",
        ));
    }
    if model.health.sanitized > 0 {
        all.push((
            format!("{} silenced", plural(model.health.sanitized, "broken sample", "broken samples")),
            "What came in was not a number: a plugin before this one is broken. It became silence.",
        ));
    }
    all.extend(model.snapshot.faults.iter().map(|fault| (fault.text.clone(), fault.source.meaning())));
    let first = all.first()?.0.clone();
    let lines: Vec<String> = all.iter().map(|(words, meaning)| format!("{words}. {meaning}")).collect();
    Some((first, lines.join("\n")))
}

/// Draws the first notice over the lower part of a graph.
pub fn over(ui: &Ui, cx: &ViewCx<'_>, graph: Rect) {
    let Some((first, all)) = notices(cx.model) else { return };
    let ink = pen(theme::font(theme::SMALL), cx.palette.reduction);
    let words = shortened(ui, &first, &ink, graph.width() - 120.0);
    let size = vec2(paint::width(ui, &words, &ink) + 20.0, 22.0);
    let at = Rect::from_min_size(pos2(graph.max.x - size.x - 16.0, graph.max.y - 52.0), size);
    ui.painter().rect_filled(at, CornerRadius::same(11), cx.palette.raised);
    paint::label(ui, at, Align2::CENTER_CENTER, &words, &ink).on_hover_text(all);
}
