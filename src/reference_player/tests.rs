use super::*;
use plugin_core::reference_clip::{ClipExchange, ReferenceClip};
use std::sync::Arc;
use testkit::noise;

const RATE: Hz = Hz(48_000.0);
/// Long after every fade.
const SETTLED_FRAMES: usize = 2000;
const UNITY: Option<(u16, Db)> = Some((1, Db(0.0)));

fn clip(frames: impl IntoIterator<Item = f64>) -> Arc<ReferenceClip> {
    let frames = frames.into_iter().map(|x| [x as f32, -x as f32]).collect();
    Arc::new(ReferenceClip { rate: RATE, start: 0, frames })
}

fn player(request: PlayRequest) -> (ReferencePlayer, ClipExchange) {
    let exchange = ClipExchange::default();
    let player = ReferencePlayer::new(RATE, exchange.take_inbox().expect("there is one"));
    assert!(exchange.send_request(Some(request)));
    (player, exchange)
}

fn at(position: usize) -> TransportPosition {
    TransportPosition { playing: true, position: Some(position as i64) }
}

/// Output of `frames` frames for an input of 0.25, in blocks; the right channel is the left's negative.
fn run(player: &mut ReferencePlayer, position: usize, frames: usize, block: usize) -> Vec<f64> {
    let mut all = Vec::new();
    while all.len() < frames {
        let length = block.min(frames - all.len());
        let (mut left, mut right) = (vec![0.25; length], vec![-0.25; length]);
        // as an engine does: parts of one block have its transport
        let half = length / 2;
        let transport = at(position + all.len());
        player.process(&mut left[..half], &mut right[..half], transport, 0);
        player.process(&mut left[half..], &mut right[half..], transport, half);
        assert!(left.iter().zip(&right).all(|(l, r)| *l == -r));
        all.extend(left);
    }
    all
}

#[test]
fn a_song_takes_the_output_s_place_at_its_gain_and_leaves_it_to_the_bit() {
    let clip = clip(vec![0.5; 9000]);
    let (mut player, _exchange) = player(PlayRequest { song: 1, clip, mode: PlayMode::Loop(1000, 8000) });
    assert!(run(&mut player, 0, SETTLED_FRAMES, 480).iter().all(|x| *x == 0.25), "nobody wants it");
    player.select_reference(Some((1, Db(-6.0))));
    let heard = run(&mut player, 0, 20_000, 480);
    let steps = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
    assert!(steps < 0.001, "{steps}");
    let expected = 0.5 * Db(-6.0).gain();
    assert!(
        heard[SETTLED_FRAMES..].iter().all(|x| (x - expected).abs() < 1e-12),
        "seams of equal sound are none"
    );
    player.select_reference(None);
    let back = run(&mut player, 0, 2 * SETTLED_FRAMES, 480);
    assert!(back[SETTLED_FRAMES..].iter().all(|x| *x == 0.25));
    player.select_reference(UNITY);
    run(&mut player, 0, SETTLED_FRAMES, 480);
    player.reset();
    assert!(run(&mut player, 0, 10, 10).iter().all(|x| *x == 0.25), "at once");
}

#[test]
fn the_loudest_stretch_is_played_again_and_again_from_where_it_begins() {
    let sound = noise(3, 12_000, 0.5);
    let (from, to) = (2000, 9000);
    let (mut player, _exchange) =
        player(PlayRequest { song: 1, clip: clip(sound.clone()), mode: PlayMode::Loop(from, to) });
    player.select_reference(UNITY);
    let heard = run(&mut player, 0, 21_000, 256);
    let fade = fade(0.0, RATE).ticks() as usize;
    for (n, x) in heard.iter().enumerate().skip(fade) {
        let place = from + n % (to - from);
        if place + fade < to {
            assert_eq!(*x, f64::from(sound[place] as f32), "{n}");
        }
    }
    // what comes before the beginning leads into it
    let last = f64::from(sound[from - 1] as f32);
    let (song, mix) = (f64::from(sound[to - 1] as f32), fade as f64 / (fade + 1) as f64);
    assert!((heard[to - from - 1] - (song + mix * (last - song))).abs() < 1e-12);
}

#[test]
fn along_with_the_transport_a_song_is_where_the_timeline_is_and_begins_again_when_it_ends() {
    let sound = noise(5, 10_000, 0.5);
    let (mut player, _exchange) =
        player(PlayRequest { song: 1, clip: clip(sound.clone()), mode: PlayMode::FollowTransport(3000) });
    player.select_reference(UNITY);
    let fade = fade(0.0, RATE).ticks() as usize;
    let expect = |heard: &[f64], position: usize, skip: usize| {
        for (n, x) in heard.iter().enumerate().skip(skip) {
            let place = (position + n + 10_000 - 3000) % 10_000;
            if place + fade < 10_000 {
                assert_eq!(*x, f64::from(sound[place] as f32), "{position} + {n}");
            }
        }
    };
    expect(&run(&mut player, 3000, 25_000, 300), 3000, fade + 1);
    // before the song begins, it is near its end
    expect(&run(&mut player, 500, 2000, 300), 500, fade + 1);
    // a host that rounds is not followed back and forth
    let heard = run(&mut player, 2501, 500, 300);
    expect(&heard, 2500, 0);
}

#[test]
fn a_jump_of_the_transport_makes_no_click() {
    // any two places differ
    let ramp = (0..100_000).map(|i| i as f64 / 100_000.0);
    let (mut player, _exchange) =
        player(PlayRequest { song: 1, clip: clip(ramp), mode: PlayMode::FollowTransport(0) });
    player.select_reference(UNITY);
    let mut heard = run(&mut player, 10_000, 4000, 512);
    heard.extend(run(&mut player, 90_000, 4000, 512));
    let steps = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
    assert!(steps < 0.002, "{steps}");
    assert!((heard[7999] - 0.939_99).abs() < 1e-4, "{}", heard[7999]);
}

#[test]
fn what_cannot_be_played_is_the_output() {
    let stopped = TransportPosition { playing: false, position: Some(0) };
    let other = Arc::new(ReferenceClip { rate: Hz(44_100.0), start: 0, frames: vec![[1.0; 2]; 5000].into() });
    let one = || clip(vec![1.0; 5000]);
    for (request, song, transport) in [
        (PlayRequest { song: 1, clip: other, mode: PlayMode::Loop(0, 5000) }, 1, at(0)),
        (PlayRequest { song: 1, clip: one(), mode: PlayMode::Loop(0, 5000) }, 2, at(0)),
        (PlayRequest { song: 1, clip: one(), mode: PlayMode::Loop(0, 5001) }, 1, at(0)),
        (PlayRequest { song: 1, clip: one(), mode: PlayMode::Loop(70, 70) }, 1, at(0)),
        (PlayRequest { song: 1, clip: clip([]), mode: PlayMode::FollowTransport(0) }, 1, at(0)),
        (PlayRequest { song: 1, clip: one(), mode: PlayMode::FollowTransport(0) }, 1, stopped),
    ] {
        let what = format!("{request:?} {song} {transport:?}");
        let (mut player, _exchange) = player(request);
        player.select_reference(Some((song, Db(0.0))));
        let (mut left, mut right) = ([0.25; SETTLED_FRAMES], [0.25; SETTLED_FRAMES]);
        player.process(&mut left, &mut right, transport, 0);
        assert!(left.iter().chain(&right).all(|x| *x == 0.25), "{what}");
    }
}

#[test]
fn a_second_song_comes_after_a_moment_of_the_output_and_the_first_goes_back() {
    let first = clip(vec![0.5; 5000]);
    let (mut player, exchange) =
        player(PlayRequest { song: 1, clip: Arc::clone(&first), mode: PlayMode::Loop(0, 5000) });
    player.select_reference(UNITY);
    run(&mut player, 0, SETTLED_FRAMES, 64);
    assert!(exchange.send_request(Some(PlayRequest {
        song: 2,
        clip: clip(vec![0.75; 5000]),
        mode: PlayMode::Loop(1000, 5000)
    })));
    player.select_reference(Some((2, Db(0.0))));
    let heard = run(&mut player, 0, 3 * SETTLED_FRAMES, 64);
    let steps = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
    assert!(steps < 0.001 && heard.contains(&0.25), "{steps}");
    assert!((heard[3 * SETTLED_FRAMES - 1] - 0.75).abs() < 1e-12);
    assert_eq!(Arc::strong_count(&first), 2);
    exchange.free_returned();
    assert_eq!(Arc::strong_count(&first), 1);
    // asked for, it is given back, too, while it plays
    assert!(exchange.send_request(None));
    player.select_reference(None);
    run(&mut player, 0, 2 * SETTLED_FRAMES, 64);
    assert!(player.request.is_none());
}

#[test]
fn how_blocks_are_cut_does_not_matter() {
    for mode in [PlayMode::Loop(100, 4000), PlayMode::FollowTransport(700)] {
        let of = |block: usize| {
            let (mut player, _exchange) =
                player(PlayRequest { song: 1, clip: clip(noise(9, 5000, 0.5)), mode });
            player.select_reference(Some((1, Db(-3.0))));
            let mut all = run(&mut player, 0, 9000, block);
            all.extend(run(&mut player, 50_000, 9000, block));
            all
        };
        assert_eq!(of(9000), of(90));
        assert_eq!(of(9000), of(1000));
    }
}
