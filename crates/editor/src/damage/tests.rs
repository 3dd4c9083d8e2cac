use super::*;
use egui::{Color32, Pos2, Vec2, vec2};

const WINDOW: Rect = Rect { min: Pos2::ZERO, max: pos2(600.0, 400.0) };
/// Points between those that are looked at.
const GRAIN: f32 = 10.0;

/// Integers below a bound, the same on every run.
fn dice(seed: u32) -> impl FnMut(u32) -> u32 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    }
}

/// A rectangle somewhere, of any colour, half of them opaque, cut now and then.
fn any(dice: &mut impl FnMut(u32) -> u32) -> ClippedShape {
    let mut place = || {
        let size = vec2(1.0 + dice(350) as f32, 1.0 + dice(250) as f32);
        Rect::from_min_size(pos2(dice(550) as f32 - 50.0, dice(400) as f32 - 50.0), size)
    };
    let (rect, clip) = (place(), place().expand(100.0));
    let alpha = if dice(2) == 0 { 255 } else { 100 };
    let colour = Color32::from_rgba_premultiplied(dice(100) as u8, dice(100) as u8, dice(100) as u8, alpha);
    let clip = if dice(3) == 0 { clip } else { WINDOW };
    ClippedShape::new(clip, Shape::rect_filled(rect, 0.0, colour))
}

/// Where the point `n` of a picture is: on no edge.
fn spot(n: usize) -> Pos2 {
    pos2(((n % 60) as f32 + 0.53) * GRAIN, ((n / 60) as f32 + 0.53) * GRAIN)
}

/// What is seen of `shapes` in the points of `place`: each over those before it.
fn paint(picture: &mut [[f32; 3]], shapes: &[ClippedShape], place: Rect) {
    for shape in shapes {
        let Shape::Rect(rect) = &shape.shape else { panic!("only rectangles here") };
        let paint = rect.fill.to_array().map(|x| f32::from(x) / 255.0);
        for (n, pixel) in picture.iter_mut().enumerate() {
            if [rect.rect, shape.clip_rect, place].iter().all(|inside| inside.contains(spot(n))) {
                *pixel = [0, 1, 2].map(|c| paint[c] + pixel[c] * (1.0 - paint[3]));
            }
        }
    }
}

const BLACK: [f32; 3] = [0.0; 3];

/// Draws again what has changed, as a canvas does.
fn repaint(picture: &mut [[f32; 3]], shown: &mut Shown, shapes: Vec<ClippedShape>) {
    let changed = shown.follow(shapes, WINDOW, 1.0);
    for place in &changed {
        let (shapes, is_covered) = shown.within(*place);
        if !is_covered {
            for (n, pixel) in picture.iter_mut().enumerate() {
                if place.contains(spot(n)) {
                    *pixel = BLACK;
                }
            }
        }
        paint(picture, &shapes, *place);
    }
}

#[test]
fn what_is_drawn_again_and_what_stays_make_the_whole_picture() {
    for seed in 0..60 {
        let mut dice = dice(seed);
        let (mut shown, mut picture) = (Shown::default(), vec![BLACK; 60 * 40]);
        let mut shapes: Vec<ClippedShape> = (0..dice(40)).map(|_| any(&mut dice)).collect();
        for frame in 0..12 {
            repaint(&mut picture, &mut shown, shapes.clone());
            let mut whole = vec![BLACK; 60 * 40];
            paint(&mut whole, &shapes, WINDOW);
            assert_eq!(picture, whole, "seed {seed}, frame {frame}");
            // some change, come, go and swap
            for _ in 0..dice(4) {
                let at = |dice: &mut dyn FnMut(u32) -> u32| dice(shapes.len().max(1) as u32) as usize;
                let (one, other) = (at(&mut dice), at(&mut dice));
                match dice(5) {
                    0 => shapes.insert(one, any(&mut dice)),
                    1 if !shapes.is_empty() => drop(shapes.remove(one)),
                    2 if !shapes.is_empty() => shapes.swap(one, other),
                    3 if !shapes.is_empty() => shapes[one] = any(&mut dice),
                    // more than are looked through for the same
                    _ => drop(
                        shapes.splice(one..one, (0..dice(60)).map(|_| any(&mut dice)).collect::<Vec<_>>()),
                    ),
                }
            }
        }
    }
}

fn square(at: Pos2, colour: Color32) -> ClippedShape {
    ClippedShape::new(WINDOW, Shape::rect_filled(Rect::from_min_size(at, Vec2::splat(4.0)), 0.0, colour))
}

#[test]
fn only_what_changes_is_drawn_again() {
    let ground = ClippedShape::new(WINDOW, Shape::rect_filled(WINDOW.expand(9.0), 0.0, Color32::GRAY));
    let far = square(pos2(50.0, 30.0), Color32::WHITE);
    let near = |x: f32| square(pos2(x, 10.0), Color32::RED);
    let mut shown = Shown::default();
    let mut frame = |shapes: &[&ClippedShape]| {
        shown.follow(shapes.iter().map(|shape| (*shape).clone()).collect(), WINDOW, 1.0)
    };
    assert_eq!(frame(&[&ground, &near(10.0), &far]), [WINDOW], "the first frame");
    assert!(frame(&[&ground, &near(10.0), &far]).is_empty(), "nothing has changed");
    // both where it was and where it is, with soft edges
    let place = Rect::from_min_max(pos2(7.0, 7.0), pos2(22.0, 17.0));
    assert_eq!(frame(&[&ground, &near(15.0), &far]), [place]);
    // what follows one that has gone or come is not taken for changed
    let gone = Rect::from_min_max(pos2(12.0, 7.0), pos2(22.0, 17.0));
    assert_eq!(frame(&[&ground, &far]), [gone]);
    assert_eq!(frame(&[&ground, &near(15.0), &far]), [gone]);
    let (shapes, is_covered) = shown.within(gone);
    assert!(
        is_covered && shapes.len() == 2,
        "the ground covers what is below, the other square is elsewhere"
    );
    assert_eq!(shown.follow(Vec::new(), WINDOW, 2.0), [WINDOW], "another scale");
}

#[test]
fn places_are_whole_pixels_and_few() {
    let mut shown = Shown::default();
    let frame = |n: u32| -> Vec<ClippedShape> {
        let mut dice = dice(n);
        (0..200)
            .map(|_| square(pos2(dice(1000) as f32 / 3.0, dice(700) as f32 / 3.0), Color32::RED))
            .collect()
    };
    let window = Rect::from_min_size(Pos2::ZERO, vec2(400.0, 300.0));
    shown.follow(frame(1), window, 1.5);
    let places = shown.follow(frame(2), window, 1.5);
    assert!((1..=MOST).contains(&places.len()), "{places:?}");
    for place in places {
        assert!(window.contains_rect(place));
        for edge in [place.min.x, place.min.y, place.max.x, place.max.y] {
            assert!((edge * 1.5 - (edge * 1.5).round()).abs() < 1e-3, "{place:?}");
        }
    }
}

/// A mesh of squares of one colour at such places.
fn squares(at: &[Pos2]) -> ClippedShape {
    let mut mesh = Mesh::default();
    for place in at {
        mesh.add_colored_rect(Rect::from_min_size(*place, Vec2::splat(10.0)), Color32::RED);
    }
    ClippedShape::new(WINDOW, Shape::mesh(mesh))
}

#[test]
fn of_a_mesh_only_what_differs_is_drawn_again() {
    let mut shown = Shown::default();
    let at = |y: f32| [pos2(20.0, 300.0), pos2(20.0, y), pos2(100.0, 200.0)];
    shown.follow(vec![squares(&at(100.0))], WINDOW, 1.0);
    assert_eq!(shown.follow(vec![squares(&at(100.0))], WINDOW, 1.0), []);
    let moved = shown.follow(vec![squares(&at(104.0))], WINDOW, 1.0);
    assert_eq!(moved, [Rect::from_min_max(pos2(20.0, 100.0), pos2(30.0, 114.0))]);
    // what comes at the end or goes from the beginning
    let more = [at(104.0).as_slice(), &[pos2(50.0, 50.0)]].concat();
    assert_eq!(
        shown.follow(vec![squares(&more)], WINDOW, 1.0),
        [Rect::from_min_size(pos2(50.0, 50.0), Vec2::splat(10.0))]
    );
    assert_eq!(
        shown.follow(vec![squares(&more[1..])], WINDOW, 1.0),
        [Rect::from_min_size(pos2(20.0, 300.0), Vec2::splat(10.0))]
    );
    // cut elsewhere, all of it may be
    let mut cut = squares(&more[1..]);
    cut.clip_rect = Rect::from_min_max(Pos2::ZERO, pos2(105.0, 205.0));
    let all: f32 = shown.follow(vec![cut], WINDOW, 1.0).iter().map(|place| place.area()).sum();
    assert!(all > 80.0 * 150.0, "{all}");
}
