//! Contrast of colours, and their adaptation to a surface.

use egui::{Color32, Rgba};

/// Relative luminance, 0 to 1 (WCAG 2.2).
fn luminance(colour: Color32) -> f32 {
    let c = Rgba::from(colour);
    0.2126 * c.r() + 0.7152 * c.g() + 0.0722 * c.b()
}

/// Contrast ratio, 1 to 21 (WCAG 2.2). Of opaque colours.
pub fn contrast(a: Color32, b: Color32) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Returns `colour`, made lighter or darker at the same hue until its contrast with each of `surfaces` is at least `least`.
/// The surfaces are all dark or all light.
pub fn adapted(colour: Color32, surfaces: &[Color32], least: f32) -> Color32 {
    let fits = |c: Color32| surfaces.iter().all(|&surface| contrast(c, surface) >= least);
    if fits(colour) {
        return colour;
    }
    let [lightness, a, b] = oklab(colour);
    let dark = surfaces.iter().all(|&surface| luminance(surface) < 0.18);
    let target = if dark { 1.0 } else { 0.0 };
    (1..=64)
        .map(|step| {
            let way = step as f32 / 64.0;
            // towards white or black colours fade, or they would leave the gamut
            let chroma = 1.0 - way * way;
            from_oklab([lightness + (target - lightness) * way, a * chroma, b * chroma])
        })
        .find(|&c| fits(c))
        .unwrap_or(if dark { Color32::WHITE } else { Color32::BLACK })
}

/// Björn Ottosson's Oklab: lightness, green to red, blue to yellow.
fn oklab(colour: Color32) -> [f32; 3] {
    let c = Rgba::from(colour);
    let (r, g, b) = (c.r(), c.g(), c.b());
    let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

fn from_oklab([lightness, a, b]: [f32; 3]) -> Color32 {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    let channel = |x: f32| x.clamp(0.0, 1.0);
    Rgba::from_rgb(
        channel(4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s),
        channel(-1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s),
        channel(-0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_the_standard_s_examples() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 1e-3);
        // the grey that is just readable on white
        assert!((contrast(Color32::from_gray(0x76), Color32::WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn oklab_there_and_back_is_the_same_colour() {
        for colour in [[255, 0, 0], [0, 255, 0], [0, 0, 255], [12, 200, 99], [255, 255, 255], [1, 2, 3]] {
            let [r, g, b] = colour;
            let back = from_oklab(oklab(Color32::from_rgb(r, g, b))).to_array();
            assert!((0..3).all(|i| back[i].abs_diff(colour[i]) <= 1), "{colour:?} {back:?}");
        }
    }

    #[test]
    fn a_dark_blue_on_dark_stays_blue() {
        let surface = [Color32::from_rgb(25, 28, 34)];
        let got = adapted(Color32::from_rgb(10, 10, 120), &surface, 3.0);
        assert!(
            contrast(got, surface[0]) >= 3.0 && got.b() > got.r() + 40 && got.b() > got.g() + 40,
            "{got:?}"
        );
    }
}
