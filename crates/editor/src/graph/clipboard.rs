//! Copy and paste of bands, between Stems and Masters, as lines of a session file. The system's clipboard has them, too, so
//! that they can be pasted (Ctrl V) where the host is another process.

use super::band::put_all;
use super::{BandRows, Graph};
use crate::view_model::ViewCx;
use chain::parameters::{Parameter, Value};
use egui::{Event, Ui};
use plugin_core::presets;
use std::sync::{Mutex, PoisonError};

/// First line of copied bands.
const HEADING: &str = "# Bands of a Stemlink equalizer";

/// Bands copied last in this process: menus cannot read the system's clipboard.
static COPIED: Mutex<Option<String>> = Mutex::new(None);

/// Returns true if bands were copied in this process.
pub(super) fn has_copy() -> bool {
    COPIED.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// Copies bands, by index.
pub(super) fn copy(ui: &Ui, cx: &ViewCx<'_>, bands: &[usize]) {
    let all = BandRows::all(cx.model.chain_kind);
    let rows = bands.iter().filter_map(|index| all.get(*index)).flat_map(BandRows::rows);
    let values: Vec<(&'static Parameter, Value)> = rows.map(|row| (row, cx.value(row))).collect();
    let text = format!("{HEADING}\n{}", presets::write(&values));
    ui.ctx().copy_text(text.clone());
    *COPIED.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
}

/// Pastes the bands copied last in this process.
pub(super) fn paste_copy(graph: &mut Graph, cx: &mut ViewCx<'_>) {
    let text = COPIED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(text) = text {
        paste(graph, cx, &text);
    }
}

/// Takes the keys of copy and paste while the graph has the keyboard.
pub(super) fn keys(graph: &mut Graph, ui: &Ui, cx: &mut ViewCx<'_>) {
    for event in ui.input(|input| input.events.clone()) {
        match event {
            Event::Copy => {
                let bands = graph.selection();
                if !bands.is_empty() {
                    copy(ui, cx, &bands);
                }
            }
            // a window gets what is pasted as typed text
            Event::Paste(text) | Event::Text(text) if text.starts_with(HEADING) => paste(graph, cx, &text),
            _ => {}
        }
    }
}

/// Puts copied bands into unused ones, as one step, and selects them. The graph says what does not fit.
fn paste(graph: &mut Graph, cx: &mut ViewCx<'_>, text: &str) {
    let values = match presets::read(cx.model.chain_kind, text) {
        Ok(values) => values,
        Err(fault) => {
            graph.message = Some(format!("Not pasted: {fault}"));
            return;
        }
    };
    let all = BandRows::all(cx.model.chain_kind);
    let value = |row: &Parameter| {
        values.iter().find(|(of, _)| of.id == row.id).map_or(row.default, |(_, value)| *value)
    };
    let copied = all.iter().filter(|band| band.rows().any(|row| value(row) != row.default));
    let mut unused = all.iter().filter(|band| !band.is_used(cx));
    let (mut changes, mut pasted, mut left_out) = (Vec::new(), Vec::new(), 0);
    for band in copied {
        match unused.next() {
            Some(target) => {
                changes.extend(target.rows().zip(band.rows()).map(|(target, row)| (target, value(row))));
                pasted.push(target.index);
            }
            None => left_out += 1,
        }
    }
    drop(unused);
    put_all(cx, &changes);
    graph.message = match left_out {
        0 => None,
        1 => Some("One band was not pasted: all eight are in use".into()),
        count => Some(format!("{count} bands were not pasted: all eight are in use")),
    };
    graph.select_all(&pasted);
}
