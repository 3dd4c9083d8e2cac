//! A move as the Master predicts it and as a meter reads it once it is made.

use super::alone::alone;
use super::desk::{Audio, Desk, Manner, RATE, measure, song};
use hosttests::Library;
use hosttests::host::is_worst;
use hosttests::viewer::{Viewer, eventually};
use link::remote_trim::TrimVerdict;
use link::summary::Forecast;
use units::{Db, Lufs};

#[test]
fn a_move_that_is_predicted_then_asked_for_reads_as_predicted() {
    alone("link::moves::a_move_that_is_predicted_then_asked_for_reads_as_predicted", || {
        const SECONDS: usize = 6;
        const MOVE: Db = Db(3.0);
        let loudness = |mix: &Audio| measure(mix).integrated.expect("sounds");
        let all = 0..SECONDS * RATE as usize;
        let (viewer, library) = (Viewer::new(), Library::open());
        let songs = (0..5).map(|n| song(n + 20, SECONDS)).collect();
        // faders and pans
        let gains = [[0.5, 1.2], [1.1, 0.3], [0.8, 0.8], [1.5, 0.9], [0.2, 0.6]];
        let mut desk = Desk::new(&library, songs, &gains);
        let (master, stems) = (desk.master_id(), desk.ids());
        viewer.find(master);
        let (mix, _) = desk.play(all.clone(), Manner::USUAL);
        let before = loudness(&mix);
        // back to the beginning: the last hop waits for what follows, which says whether it was an audition
        desk.play(0..RATE as usize / 2, Manner::USUAL);
        let whole = |heard: f64| heard > SECONDS as f64 - 0.05;
        viewer.summary(master, |summary| whole(summary.heard));

        let moved = stems[3];
        let counter = viewer.requester().request_prediction(master, moved, MOVE).expect("it is there");
        let answered = viewer
            .summary(master, |summary| summary.forecast.is_some_and(|forecast| forecast.counter == counter));
        let forecast = answered.forecast.expect("answered");
        assert_eq!((forecast.stem, forecast.gain, forecast.half_width.0), (moved, MOVE, 0.0));
        let [now, then] = forecast.into_master.expect("sounds");
        assert!((now - before).0.abs() < 0.01, "{now:?} {before:?}");

        // a request based on an older trim is refused, one based on the present trim is done
        let stem = viewer.find(moved);
        let trim = || stem.stem_readings().expect("it is there").trim;
        let answer = |counter: u64| {
            eventually("the Stem answers", || {
                trim().answer.filter(|answer| answer.counter == counter).map(|answer| answer.verdict)
            })
        };
        let base = trim().revision;
        let stale = viewer.requester().request_trim(moved, base.wrapping_add(1), MOVE).expect("it is there");
        assert_eq!((answer(stale), trim().offset), (TrimVerdict::Stale, Db(0.0)));
        let asked = viewer.requester().request_trim(moved, base, MOVE).expect("it is there");
        assert_eq!((answer(asked), trim().offset), (TrimVerdict::Accepted, MOVE));

        // half a second of the trimmed song tells the Master all: what it has heard is rescaled
        desk.play(0..RATE as usize / 2, Manner::USUAL);
        let rescaled = viewer.summary(master, |summary| {
            summary.mix.integrated.is_some_and(|integrated| (integrated - then).0.abs() < 0.01)
        });
        assert!(whole(rescaled.heard), "nothing is old");

        let (mix, _) = desk.play(all, Manner::USUAL);
        let after = loudness(&mix);
        assert!((after - before).0.abs() > 0.2, "the move is heard");
        assert!((then - after).0.abs() < 0.01, "predicted {then:?}, measured {after:?}");
        assert!((viewer.summary(master, |_| true).mix.integrated.expect("sounds") - after).0.abs() < 0.01);
    });
}

/// The song with a hit every so many frames: 14 dB louder for 20 ms.
fn hits(mut song: Audio, every: usize) -> Audio {
    for side in &mut song {
        for (n, x) in side.iter_mut().enumerate().filter(|(n, _)| n % every < 960) {
            *x *= 1.0 + 4.0 * (1.0 - (n % every) as f32 / 960.0);
        }
    }
    song
}

/// Holds a simulated move of a Master that its limiter drives to `target` LUFS against a render.
#[allow(clippy::print_stdout, reason = "what is measured is printed")]
fn driven_to(target: f64) {
    const SECONDS: usize = 8;
    const MOVE: Db = Db(4.0);
    let all = 0..SECONDS * RATE as usize;
    let (viewer, library) = (Viewer::new(), Library::open());
    let songs = (0..3).map(|n| hits(song(n + 30, SECONDS), 9000 + 1777 * n as usize)).collect();
    let mut desk = Desk::new(&library, songs, &[[0.8, 0.8], [1.0, 0.7], [0.9, 0.9]]);
    let loudness = |out: &Audio| measure(out).integrated.expect("sounds");
    let set = |desk: &mut Desk, name: &str, text: &str| {
        let change = desk.master.typed(0, name, text);
        desk.master.flush(&[change]);
    };
    set(&mut desk, "Limiter On", "on");
    set(&mut desk, "Limiter Ceiling", "-1");
    // more and more drive until it is as loud as that
    let mut drive = target - loudness(&desk.play(all.clone(), Manner::USUAL).0).0;
    let mut before = Lufs(f64::NEG_INFINITY);
    for _ in 0..4 {
        set(&mut desk, "Limiter Drive", &format!("{drive:.2} dB"));
        // a change glides: the second pass is settled
        desk.play(0..RATE as usize, Manner::USUAL);
        before = loudness(&desk.play(all.clone(), Manner::USUAL).1);
        drive += target - before.0;
    }
    assert!((before.0 - target).abs() < 0.5, "driven to {target}: {before:?}");

    let (master, stems) = (desk.master_id(), desk.ids());
    viewer.find(master);
    let forecast = |viewer: &Viewer| {
        let counter = viewer.requester().request_prediction(master, stems[0], MOVE).expect("it is there");
        let is = |forecast: &Forecast| forecast.counter == counter;
        let answered = viewer.summary(master, |summary| summary.forecast.is_some_and(|f| is(&f)));
        answered.forecast.expect("answered")
    };
    // a fast render leaves windows behind; they come with the next
    let mut last = None;
    let told = eventually("most of the song has been simulated", || {
        last = Some(desk.play(all.clone(), Manner::USUAL));
        Some(forecast(&viewer)).filter(|forecast| forecast.simulated_seconds >= 5.9)
    });
    let (mix, out) = last.expect("it has played");
    let before = loudness(&out);
    desk.buses[0].gains = desk.buses[0].gains.map(|gain| gain * MOVE.gain() as f32);
    let (louder, out) = desk.play(all, Manner::USUAL);
    let after = loudness(&out);
    let [into, out_of] = [told.into_master.expect("sounds"), told.out_of_master.expect("it was simulated")];
    let (entering, leaving) = ((loudness(&louder) - loudness(&mix)).0, (after - before).0);
    println!("{target} LUFS: {entering:.2} LU into the master, {leaving:.3} out of it, simulated {out_of:?}");
    assert!((into[1] - into[0]).0 - entering < 0.01);
    let simulated = (out_of[1] - out_of[0]).0;
    let half_width = told.simulated_half_width.0;
    assert!(
        half_width.is_finite() && (out_of[1] - after).0.abs() <= half_width,
        "{half_width}: {out_of:?} {after:?}"
    );
    assert!((simulated - leaving).abs() < 0.1, "simulated {simulated}, rendered {leaving}");
    // the worst host activates the Master anew in mid-song: its limiter comes to rest twice
    let limit = if is_worst() { 0.25 } else { 0.2 };
    assert!((out_of[1] - after).0.abs() < limit, "simulated {:?}, rendered {after:?}", out_of[1]);
    if target > -12.0 {
        assert!(entering - leaving > 0.1, "the limiter takes a part of it: {entering} {leaving}");
    }
}

#[test]
fn a_move_on_a_master_driven_to_14_is_simulated() {
    alone("link::moves::a_move_on_a_master_driven_to_14_is_simulated", || driven_to(-14.0));
}

#[test]
fn a_move_on_a_master_driven_to_11_is_simulated() {
    alone("link::moves::a_move_on_a_master_driven_to_11_is_simulated", || driven_to(-11.0));
}

#[test]
fn a_move_on_a_master_driven_to_9_is_simulated() {
    alone("link::moves::a_move_on_a_master_driven_to_9_is_simulated", || driven_to(-9.0));
}

#[test]
fn two_who_ask_at_once_are_both_answered() {
    alone("link::moves::two_who_ask_at_once_are_both_answered", || {
        const SECONDS: usize = 3;
        let (viewers, library) = ([(); 3].map(|()| Viewer::new()), Library::open());
        let songs = (0..2).map(|n| song(n + 40, SECONDS)).collect();
        let mut desk = Desk::new(&library, songs, &[[0.8, 0.8], [1.0, 0.7]]);
        let (master, stems) = (desk.master_id(), desk.ids());
        viewers[0].find(master);
        desk.play(0..SECONDS * RATE as usize, Manner::USUAL);
        viewers[0].summary(master, |summary| summary.heard > 2.0);
        let moves = [Db(1.0), Db(2.0), Db(3.0)];
        let ask = |(viewer, gain): (&Viewer, Db)| {
            (viewer.id(), viewer.requester().request_prediction(master, stems[0], gain).expect("it is there"))
        };
        let mut waiting: Vec<_> = viewers.iter().zip(moves).map(ask).collect();
        // each looks as often as the command line does
        eventually("all are answered", || {
            std::thread::sleep(std::time::Duration::from_millis(45));
            let forecast = viewers[0].summary(master, |_| true).forecast;
            let told = forecast.map(|forecast| (forecast.sender, forecast.counter));
            waiting.retain(|asked| Some(*asked) != told);
            waiting.is_empty().then_some(())
        });
    });
}
