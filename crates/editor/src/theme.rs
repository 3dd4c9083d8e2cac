//! Theme of the editors: colours, type, sizes. One surface colour per depth, one accent for what the user touches.

mod colour;

pub use colour::{adapted, contrast};

use egui::{Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, Visuals};
use session::role::Role;
use std::sync::Arc;

/// Smallest contrast of text with its background (WCAG 2.2, 1.4.3, level AA).
pub const TEXT_CONTRAST: f32 = 4.5;
/// Smallest contrast of meaningful lines and areas (WCAG 2.2, 1.4.11).
pub const SHAPE_CONTRAST: f32 = 3.0;

/// Scales of a window.
pub const SCALES: [f32; 6] = [0.75, 1.0, 1.25, 1.5, 1.75, 2.0];

/// Grid of the layout, points.
pub const GRID: f32 = 4.0;
/// Space between panels, points.
pub const GAP: f32 = 8.0;
/// Padding of panels, points.
pub const PAD: f32 = 12.0;
/// Corner radius of panels, points.
pub const CORNER_RADIUS: f32 = 8.0;

/// Size of the main reading, points.
pub const HUGE: f32 = 28.0;
/// Names.
pub const TITLE: f32 = 16.0;
/// Values.
pub const BODY: f32 = 13.0;
/// Labels, units.
pub const SMALL: f32 = 11.0;
/// Axes.
pub const TINY: f32 = 10.0;

/// Every colour of an appearance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette {
    /// Light letters on dark ground.
    pub dark: bool,
    /// Behind panels.
    pub background: Color32,
    /// Panels.
    pub panel: Color32,
    /// On panels: wells, cards, menus.
    pub raised: Color32,
    /// Grids and edges; never text.
    pub line: Color32,
    /// Values and names.
    pub text: Color32,
    /// Labels.
    pub secondary: Color32,
    /// Units, axes, disabled controls.
    pub dim: Color32,
    /// Controls and proposals.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Gain reduction and simulated figures.
    pub reduction: Color32,
    /// Linked, exact, ready.
    pub good: Color32,
    /// Overs and broken links, nothing else.
    pub red: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

impl Palette {
    /// For dark rooms; the default.
    pub const DARK: Self = Self {
        dark: true,
        background: rgb(0x121418),
        panel: rgb(0x191C22),
        raised: rgb(0x20242C),
        line: rgb(0x2B313B),
        text: rgb(0xE8EAEE),
        secondary: rgb(0x97A0AF),
        dim: rgb(0x848E9D),
        accent: rgb(0x5AB8FF),
        on_accent: rgb(0x0C1116),
        reduction: rgb(0xFF8A5B),
        good: rgb(0x57C7A0),
        red: rgb(0xFF5C5C),
    };

    /// For bright rooms.
    pub const LIGHT: Self = Self {
        dark: false,
        background: rgb(0xE4E7EC),
        panel: rgb(0xF7F8FA),
        raised: rgb(0xECEEF2),
        line: rgb(0xD3D8E0),
        text: rgb(0x171A20),
        secondary: rgb(0x4B5461),
        dim: rgb(0x5B6472),
        accent: rgb(0x0A63BE),
        on_accent: rgb(0xFFFFFF),
        reduction: rgb(0xA93C10),
        good: rgb(0x0B6B4B),
        red: rgb(0xC02424),
    };

    /// Surfaces that text may stand on.
    pub fn surfaces(&self) -> [Color32; 3] {
        [self.background, self.panel, self.raised]
    }

    /// Returns a host's track colour, adapted to the palette at the same hue.
    pub fn track(&self, host: Option<[u8; 3]>, role: Role) -> Color32 {
        let colour = host.map_or_else(|| fallback(role), |[r, g, b]| Color32::from_rgb(r, g, b));
        adapted(colour, &self.surfaces(), SHAPE_CONTRAST)
    }

    /// Returns `colour` as a faint area over a panel.
    pub fn faint(colour: Color32, strength: f32) -> Color32 {
        colour.gamma_multiply(strength)
    }
}

/// Returns colours that differ, for stems of which a host gives several the same one: the later ones get those of the roles, then
/// other hues.
pub fn told_apart(palette: &Palette, colours: impl Iterator<Item = Color32>) -> Vec<Color32> {
    /// Part of the circle of hues: the golden angle, which never comes back to where it was.
    const TURN: f32 = 0.381_966;
    /// Smallest distance of two colours, of 255 steps per channel.
    const MIN_DISTANCE: f32 = 36.0;
    let distance = |a: Color32, b: Color32| {
        let of = |i: usize| f32::from(a[i]) - f32::from(b[i]);
        (of(0).powi(2) + of(1).powi(2) + of(2).powi(2)).sqrt()
    };
    let own = |colour: Color32| adapted(colour, &palette.surfaces(), SHAPE_CONTRAST);
    let mut apart: Vec<Color32> = Vec::new();
    for colour in colours {
        let hue = |turns: u8| egui::epaint::Hsva::new(TURN * f32::from(turns) % 1.0, 0.8, 0.8, 1.0).into();
        let spare = Role::ALL.into_iter().map(fallback).chain((0..32).map(hue)).map(own);
        let is_new = |found: &Color32| apart.iter().all(|other| distance(*other, *found) >= MIN_DISTANCE);
        let found = std::iter::once(colour).chain(spare).find(is_new).unwrap_or(colour);
        apart.push(found);
    }
    apart
}

/// Returns the colour of a track whose host reports none: after Okabe and Ito, distinguishable with colour blindness.
pub fn fallback(role: Role) -> Color32 {
    rgb(match role {
        Role::Drums => 0xE69F00,
        Role::Bass => 0x56B4E9,
        Role::Keys => 0x2FB68E,
        Role::Vocals => 0xD98BB8,
        Role::Fx => 0xE5D54A,
        Role::Backing => 0xB59BE6,
        Role::Other => 0xA9B1BD,
    })
}

/// Returns the regular font; its figures have one width.
pub fn font(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Returns the semi-bold font.
pub fn strong(size: f32) -> FontId {
    FontId::new(size, strong_family())
}

fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// Installs the theme: fonts, colours and sizes of menus, tooltips and text fields.
pub fn install(ctx: &egui::Context, palette: &Palette) {
    set_colours(ctx, palette);
    ctx.set_fonts(fonts());
}

/// Returns our fonts, with the toolkit's as a fallback.
pub fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let faces: [(&str, &'static [u8], FontFamily); 2] = [
        ("sans", include_bytes!("fonts/StemlinkSans-Regular.otf"), FontFamily::Proportional),
        ("sans-strong", include_bytes!("fonts/StemlinkSans-SemiBold.otf"), strong_family()),
    ];
    let spare = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    for (name, bytes, family) in faces {
        fonts.font_data.insert(name.into(), Arc::new(FontData::from_static(bytes)));
        // letters that ours lacks come from the toolkit's
        let names = std::iter::once(name.to_owned()).chain(spare.iter().cloned()).collect();
        fonts.families.insert(family, names);
    }
    fonts
}

/// Sets the colours of menus, tooltips and text fields.
pub fn set_colours(ctx: &egui::Context, palette: &Palette) {
    let mut visuals = if palette.dark { Visuals::dark() } else { Visuals::light() };
    // each state of a widget has its ink: what is chosen stands on the accent
    visuals.override_text_color = None;
    visuals.panel_fill = palette.background;
    visuals.window_fill = palette.raised;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.window_corner_radius = CornerRadius::same(CORNER_RADIUS as u8);
    visuals.menu_corner_radius = CornerRadius::same(CORNER_RADIUS as u8);
    visuals.extreme_bg_color = palette.background;
    visuals.selection.bg_fill = palette.accent;
    visuals.selection.stroke = Stroke::new(1.0, palette.on_accent);
    visuals.text_cursor.stroke = Stroke::new(1.5, palette.accent);
    visuals.warn_fg_color = palette.reduction;
    visuals.error_fg_color = palette.red;
    for (widget, fill) in [
        (&mut visuals.widgets.noninteractive, palette.raised),
        (&mut visuals.widgets.inactive, palette.raised),
        (&mut visuals.widgets.hovered, palette.line),
        (&mut visuals.widgets.active, palette.line),
        (&mut visuals.widgets.open, palette.line),
    ] {
        (widget.bg_fill, widget.weak_bg_fill) = (fill, fill);
        widget.bg_stroke = Stroke::NONE;
        widget.fg_stroke = Stroke::new(1.0, palette.text);
        widget.corner_radius = CornerRadius::same(6);
        widget.expansion = 0.0;
    }
    visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, palette.line);
    ctx.all_styles_mut(|style| {
        style.visuals = visuals.clone();
        style.spacing.item_spacing = egui::vec2(GAP, GRID);
        style.spacing.button_padding = egui::vec2(10.0, 4.0);
        style.spacing.menu_margin = egui::Margin::same(8);
        style.interaction.tooltip_delay = 0.6;
        style.animation_time = 0.0;
        for (text_style, id) in &mut style.text_styles {
            let size = match text_style {
                egui::TextStyle::Small => SMALL,
                egui::TextStyle::Heading => TITLE,
                _ => BODY,
            };
            *id = font(size);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_readable_on_every_surface_of_both_palettes() {
        for palette in [Palette::DARK, Palette::LIGHT] {
            for surface in palette.surfaces() {
                for text in [
                    palette.text,
                    palette.secondary,
                    palette.dim,
                    palette.accent,
                    palette.reduction,
                    palette.good,
                    palette.red,
                ] {
                    let got = contrast(text, surface);
                    assert!(got >= TEXT_CONTRAST, "{text:?} on {surface:?}: {got}");
                }
            }
            assert!(contrast(palette.on_accent, palette.accent) >= TEXT_CONTRAST);
        }
    }

    #[test]
    fn a_host_s_colour_is_seen_on_every_surface_and_stays_itself_where_it_can() {
        for palette in [Palette::DARK, Palette::LIGHT] {
            for host in
                [[0, 0, 0], [255, 255, 255], [20, 20, 90], [255, 255, 0], [128, 128, 128], [200, 30, 30]]
            {
                let track = palette.track(Some(host), Role::Other);
                for surface in palette.surfaces() {
                    assert!(contrast(track, surface) >= SHAPE_CONTRAST - 0.02, "{host:?}");
                }
            }
        }
        assert_eq!(Palette::DARK.track(Some([0xE6, 0x9F, 0]), Role::Other), rgb(0xE69F00));
    }

    #[test]
    fn stems_of_one_colour_are_told_apart_and_others_keep_theirs() {
        for palette in [Palette::DARK, Palette::LIGHT] {
            for host in [[0x80, 0x80, 0x80], [0xC8, 0x1E, 0x1E], [0, 0, 0]] {
                let colours = told_apart(&palette, (0..8).map(|_| palette.track(Some(host), Role::Other)));
                for (i, a) in colours.iter().enumerate() {
                    let differ = |b: &Color32| (0..3).map(|c| a[c].abs_diff(b[c])).max() > Some(20);
                    assert!(colours[i + 1..].iter().all(differ), "{host:?}: {colours:?}");
                }
            }
            let roles = [Role::Drums, Role::Bass, Role::Keys, Role::Vocals, Role::Fx];
            let own: Vec<Color32> = roles.map(|role| palette.track(None, role)).to_vec();
            assert_eq!(told_apart(&palette, own.iter().copied()), own);
        }
    }

    /// Viénot, Brettel and Mollon, "Digital video colourmaps for checking the legibility of displays by
    /// dichromats" (1999): what protanopes and deuteranopes see, in linear light.
    fn dichromat(colour: Color32, m: [[f32; 3]; 3]) -> [f32; 3] {
        let c = egui::Rgba::from(colour);
        let c = [c.r(), c.g(), c.b()];
        m.map(|row| (0..3).map(|i| row[i] * c[i]).sum::<f32>().max(0.0).powf(1.0 / 2.2))
    }

    #[test]
    fn fallback_colours_are_told_apart_by_colour_blind_people() {
        const PROTAN: [[f32; 3]; 3] =
            [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]];
        const DEUTAN: [[f32; 3]; 3] =
            [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]];
        let roles = [Role::Drums, Role::Bass, Role::Keys, Role::Vocals, Role::Fx];
        for m in [PROTAN, DEUTAN] {
            for (i, &a) in roles.iter().enumerate() {
                for &b in &roles[i + 1..] {
                    let (x, y) = (dichromat(fallback(a), m), dichromat(fallback(b), m));
                    let distance = (0..3).map(|i| (x[i] - y[i]).powi(2)).sum::<f32>().sqrt();
                    assert!(distance > 0.12, "{a:?} {b:?}: {distance}");
                }
            }
        }
    }
}
