//! Layout checks of a view: nothing cut, nothing outside the window, no overlap.

use crate::bench::Driven;
use editor::paint;
use egui::accesskit::Role;
use egui::{Rect, Vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use std::path::PathBuf;

/// Leaves of the accessible tree: names and places.
pub fn leaves(driven: &Driven) -> Vec<(String, Rect)> {
    driven
        .query_all_by(|node| {
            // what is typed may be longer than its line, which cuts it
            let is_line = |role| role == Role::TextInput;
            let within = node.parent().is_some_and(|parent| is_line(parent.role()));
            let is_leaf = is_line(node.role()) || node.children().next().is_none() && !within;
            is_leaf && node.bounding_box().is_some()
        })
        .map(|node| {
            let access = node.accesskit_node();
            let words = access.label().or_else(|| access.value()).unwrap_or_default();
            (format!("{:?} {words}", access.role()), node.rect())
        })
        .collect()
}

/// Returns true for elements that may overlap others: the graph's background and its contents.
fn floats(name: &str) -> bool {
    ["Canvas", "Slider Band", "Label collides", "Label Double-click", "ComboBox Scale"]
        .iter()
        .any(|n| name.starts_with(n))
}

/// Folder of the pictures.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/views")
}

/// Checks that nothing is cut, leaves the window or overlaps.
pub fn whole(driven: &Driven, name: &str, size: Vec2) {
    let cut = paint::take_cut(&driven.ctx);
    assert!(cut.is_empty(), "{name} at {size}: cut {cut:?}");
    let window = Rect::from_min_size(egui::Pos2::ZERO, size);
    let leaves: Vec<_> =
        leaves(driven).into_iter().filter(|(name, _)| !name.starts_with("Unknown")).collect();
    assert!(leaves.len() >= 16, "{name}: {}", leaves.len());
    for (i, (a, at)) in leaves.iter().enumerate() {
        assert!(window.expand(0.5).contains_rect(*at), "{name} at {size}: {a} at {at} leaves the window");
        for (b, other) in &leaves[i + 1..] {
            let apart = !at.shrink(0.75).intersects(other.shrink(0.75));
            assert!(apart || floats(a) || floats(b), "{name} at {size}: {a} {at} on {b} {other}");
        }
    }
}

/// Checks the elements added since `before`: nothing is cut, leaves the window or overlaps.
pub fn opened(driven: &Driven, before: &[(String, Rect)], name: &str, size: Vec2) {
    let cut = paint::take_cut(&driven.ctx);
    assert!(cut.is_empty(), "{name} at {size}: cut {cut:?}");
    let window = Rect::from_min_size(egui::Pos2::ZERO, size);
    let new: Vec<_> = leaves(driven)
        .into_iter()
        // bars of scrolling float over the end of what they scroll
        .filter(|leaf| !["Unknown", "ScrollBar"].iter().any(|name| leaf.0.starts_with(name)))
        .filter(|leaf| !before.contains(leaf))
        .collect();
    assert!(!new.is_empty(), "{name} at {size}");
    for (i, (a, at)) in new.iter().enumerate() {
        assert!(window.expand(0.5).contains_rect(*at), "{name} at {size}: {a} at {at} leaves the window");
        for (b, other) in &new[i + 1..] {
            let apart = !at.shrink(0.75).intersects(other.shrink(0.75));
            assert!(apart, "{name} at {size}: {a} {at} on {b} {other}");
        }
    }
}
