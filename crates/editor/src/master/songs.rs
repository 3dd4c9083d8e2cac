//! Menu of songs on the timeline: new ones from the host's loop, names, removal.

use crate::controls::{follow_keyboard, menu};
use crate::format::time;
use crate::theme;
use crate::view_model::ViewCx;
use egui::{Align2, Color32, Rect, Role, TextEdit, Ui, WidgetInfo};
use plugin_core::document::songs::{SongRange, with_song};
use plugin_core::session_view::TimelineSong;

/// Width of the menu's text, points.
pub(super) const MENU_WIDTH: f32 = 58.0;

/// Largest height of the list of songs, points; a longer list scrolls.
const MAX_LIST_HEIGHT: f32 = 260.0;

fn kept(songs: &[TimelineSong]) -> Vec<SongRange> {
    let range = |song: &TimelineSong| SongRange {
        name: song.name.clone(),
        start: song.start.0 / 1000.0,
        end: song.end.0 / 1000.0,
    };
    songs.iter().map(range).collect()
}

/// Draws the menu in `place`.
pub(super) fn draw_songs_menu(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
    let palette = cx.palette;
    let master = &cx.model.master;
    let response = menu(ui, &palette, place, "Songs", "Songs", palette.secondary);
    egui::Popup::menu(&response).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(280.0);
        let songs = kept(&master.songs);
        let words = match master.looped {
            Some((start, end)) => {
                format!("New song from the loop: {} to {}", time(start.0 / 1000.0), time(end.0 / 1000.0))
            }
            None => "New song from the loop: the host loops nothing".into(),
        };
        let button = ui.add_enabled(master.looped.is_some(), egui::Button::new(words));
        if button.clicked()
            && let Some((start, end)) = master.looped
        {
            let more = with_song(&songs, start.0 / 1000.0, end.0 / 1000.0);
            cx.edits.put_songs(songs.clone(), more);
        }
        egui::ScrollArea::vertical().max_height(MAX_LIST_HEIGHT).min_scrolled_height(MAX_LIST_HEIGHT).show(
            ui,
            |ui| {
                for (index, song) in master.songs.iter().enumerate() {
                    ui.horizontal(|ui| {
                        if let Some(changed) = row(ui, palette.secondary, song, &songs, index) {
                            cx.edits.put_songs(songs.clone(), changed);
                        }
                    });
                }
                follow_keyboard(ui);
            },
        );
    });
    response.on_hover_text(
        "Ranges of the timeline that are songs of their own: each has its loudness. Saved with the project.",
    );
}

/// Draws the song at `index` of `songs`: name field, range, removal. Returns the new songs after a change.
fn row(
    ui: &mut Ui,
    ink: Color32,
    song: &TimelineSong,
    songs: &[SongRange],
    index: usize,
) -> Option<Vec<SongRange>> {
    let named = |name: &str| {
        let mut songs = songs.to_vec();
        songs[index] = songs[index].clone().named(name);
        (!songs[index].name.is_empty()).then_some(songs)
    };
    let mut changed = None;
    let id = ui.scope_id().with(("song", index));
    let mut name = ui.data(|data| data.get_temp(id)).unwrap_or_else(|| song.name.clone());
    let field = TextEdit::singleline(&mut name).id(id).desired_width(130.0).align(Align2::LEFT_CENTER);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, format!("Name of {}", song.name)));
    if field.has_focus() {
        ui.data_mut(|data| data.insert_temp(id, name));
    } else if field.lost_focus() {
        ui.data_mut(|data| data.remove_temp::<String>(id));
        changed = named(&name);
    }
    let range = format!("{} to {}", time(song.start.0 / 1000.0), time(song.end.0 / 1000.0));
    ui.label(egui::RichText::new(range).size(theme::SMALL).color(ink));
    let remove = ui.button("×");
    remove.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Remove {}", song.name)));
    if remove.clicked() {
        let mut songs = songs.to_vec();
        songs.remove(index);
        changed = Some(songs);
    }
    changed
}
