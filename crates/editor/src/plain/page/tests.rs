use super::*;
use crate::theme::{TEXT_CONTRAST, contrast};

fn words() -> PageText {
    PageText { title: "Stemlink Stem: Drums".into(), reason: "No matching configuration was found".into() }
}

fn paint(words: PageText, palette: Palette, size: (usize, usize), pixels_per_point: f32) -> PageImage {
    PagePainter::new(words, palette).paint(size, pixels_per_point)
}

/// Bounds of all text, as left, top, right and bottom, and its number of lines.
fn ink(picture: &PageImage, palette: &Palette) -> ([usize; 4], usize) {
    let rows = picture.pixels.chunks(picture.width);
    let marks = |row: &[Color32]| -> Vec<usize> {
        (0..row.len()).filter(|&x| row[x] != palette.background).collect()
    };
    let rows: Vec<Vec<usize>> = rows.map(marks).collect();
    let written = |y: &usize| !rows[*y].is_empty();
    let top = (0..rows.len()).find(written).expect("there is text");
    let bottom = (0..rows.len()).rfind(written).expect("there is text");
    let left = rows.iter().filter_map(|row| row.first()).min().expect("there is text");
    let right = rows.iter().filter_map(|row| row.last()).max().expect("there is text");
    let lines = (top..=bottom).filter(|y| written(y) && !written(&(y + 1))).count();
    ([*left, top, *right, bottom], lines)
}

#[test]
fn the_text_is_inside_and_in_the_middle_at_any_size_and_scale() {
    for (width, height, scale) in
        [(1000, 640, 1.0), (760, 480, 1.0), (570, 360, 0.75), (2000, 1280, 2.0), (1001, 643, 1.25)]
    {
        let picture = paint(words(), Palette::DARK, (width, height), scale);
        assert_eq!(picture.pixels.len(), width * height);
        let ([left, top, right, bottom], lines) = ink(&picture, &Palette::DARK);
        let margin = (MARGIN * scale) as usize;
        assert!(left + 2 >= margin && right < width - margin, "{left} to {right} of {width}");
        assert!(top >= margin && bottom < height - margin, "{top} to {bottom} of {height}");
        assert!((top + bottom).abs_diff(height) < (20.0 * scale) as usize, "{top} and {bottom} of {height}");
        assert_eq!(lines, 4, "{width} x {height}: one line for each sentence");
    }
}

#[test]
fn long_texts_wrap_and_are_cut_before_they_fill_the_window() {
    let (size, scale) = ((570, 360), 0.75);
    let (_, usual) = ink(&paint(words(), Palette::DARK, size, scale), &Palette::DARK);
    for long in ["a matching configuration ".repeat(8), "x".repeat(4000), "failed\nagain\n".repeat(50)] {
        let words = PageText { title: long.clone(), reason: long };
        let picture = paint(words, Palette::DARK, size, scale);
        let ([left, top, right, bottom], lines) = ink(&picture, &Palette::DARK);
        assert!(lines > usual, "it wraps");
        assert!(left > 10 && top > 10 && right < 560 && bottom < 350, "{left} {top} {right} {bottom}");
    }
}

#[test]
fn letters_are_as_clear_as_text_must_be() {
    for palette in [Palette::DARK, Palette::LIGHT] {
        let picture = paint(words(), palette, (1000, 640), 1.0);
        let clear = |pixel: &&Color32| contrast(**pixel, palette.background) >= TEXT_CONTRAST;
        let (written, clear) = (
            picture.pixels.iter().filter(|pixel| **pixel != palette.background).count(),
            picture.pixels.iter().filter(clear).count(),
        );
        assert!(written > 2000, "{written} pixels of text");
        assert!(clear * 3 > written, "{clear} of {written}");
        assert!(picture.pixels.iter().all(|pixel| pixel.a() == 255));
    }
}

#[test]
fn lines_are_no_longer_than_one_reads() {
    let words = PageText { reason: "a matching configuration ".repeat(8), ..words() };
    let ([left, _, right, _], _) = ink(&paint(words, Palette::DARK, (2000, 640), 1.0), &Palette::DARK);
    assert!((right - left) as f32 <= MAX_LINE_WIDTH, "{left} to {right}");
}

#[test]
fn letters_of_a_line_stand_on_it() {
    for height in 600..612 {
        let words = PageText { title: "n h n h T".into(), reason: "n".into() };
        let picture = paint(words, Palette::DARK, (900, height), 1.5);
        let rows: Vec<&[Color32]> = picture.pixels.chunks(900).collect();
        let is_clear = |pixel: &Color32| contrast(*pixel, Palette::DARK.background) >= TEXT_CONTRAST;
        let top = rows.iter().position(|row| row.iter().any(is_clear)).expect("there is text");
        let line = &rows[top..top + 24];
        let lowest = |x: usize| line.iter().rposition(|row| is_clear(&row[x]));
        // the stems of the letters: where most of a column is filled
        let stems = (0..900).filter(|x| line.iter().filter(|row| is_clear(&row[*x])).count() > 10);
        let feet: Vec<Option<usize>> = stems.map(lowest).collect();
        assert!(feet.len() >= 9, "{feet:?}");
        assert!(feet.iter().all(|foot| *foot == feet[0]), "{height}: {feet:?}");
    }
}

#[test]
fn what_is_outside_changes_nothing() {
    let empty = PageImage { width: 3, pixels: vec![Color32::BLACK; 6] };
    let mut picture = empty.clone();
    for place in [(-1.0, 0.0), (0.0, -1.0), (3.0, 0.0), (0.0, 2.0), (2.0, 2.0)] {
        picture.blend(place, Color32::WHITE, 255);
    }
    assert_eq!(picture, empty);
    picture.blend((2.0, 1.0), Color32::WHITE, 255);
    assert_eq!(picture.pixels[5], Color32::WHITE);
}

#[test]
fn windows_without_room_for_it_are_painted_all_the_same() {
    for size in [(0, 0), (1, 1), (30, 400), (400, 10)] {
        let picture = paint(words(), Palette::LIGHT, size, 0.375);
        assert_eq!(picture.pixels.len(), size.0 * size.1);
    }
}
