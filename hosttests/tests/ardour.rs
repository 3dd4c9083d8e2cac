//! A session in a host that we did not write: Ardour 7 (Debian: `ardour jackd2`), without a screen.
//!
//! The built-in song's stems, each on a track that plays into a bus with Stemlink Stem (VST3), the buses into the master
//! with Stemlink Master. Without Ardour the test says so and passes, unless `STEMLINK_REQUIRE_ORACLES=1`.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a skipped test says why, a measured one what")]

#[path = "link/alone.rs"]
#[allow(dead_code, reason = "the tests of the link use the rest")]
mod alone;
#[path = "ardour/daw.rs"]
mod daw;

use alone::{Folder, alone_in};
use daw::{Daw, Play, RATE};
use hosttests::viewer::{Viewer, eventually};
use link::records::InstanceKind;
use link::{InstanceId, PeerView, ROSTER, SessionId};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use units::{Db, Hz};

/// Ids of the session: those of its Stems, of its Master, and the session's own.
#[derive(Debug, PartialEq)]
struct Identities {
    stems: BTreeSet<InstanceId>,
    master: InstanceId,
    session: SessionId,
}

impl Identities {
    /// Those that are seen now, if they are complete: `stems` Stems and a Master.
    fn seen(stems: usize) -> Option<Self> {
        let infos = || ROSTER.peers().filter_map(|peer| Some((peer.info()?, peer.id()?)));
        let of = |kind: InstanceKind| infos().filter(move |(info, _)| info.kind == kind);
        let (info, master) = of(InstanceKind::Master).next()?;
        let seen: BTreeSet<InstanceId> = of(InstanceKind::Stem).map(|(_, id)| id).collect();
        (seen.len() == stems).then_some(Self { stems: seen, master, session: info.session? })
    }

    /// The same, as soon as they are complete; Ardour is `play`ing.
    fn of(play: &Play, stems: usize) -> Self {
        loop {
            if let Some(seen) = Self::seen(stems) {
                return seen;
            }
            assert!(!play.has_ended(), "Ardour has ended before all plugins were seen: {}", play.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Coverage that the Master has stated while the song was played for the first time.
#[derive(Debug, Default)]
struct FirstPlay {
    /// Largest coverage: more than the whole mix cannot be explained.
    largest: f64,
    /// Time from the first coverage to the first that is complete.
    complete_after: Option<Duration>,
    first: Option<Instant>,
}

impl FirstPlay {
    fn look(&mut self, master: PeerView) {
        let Some(coverage) = master.summary().and_then(|summary| summary.coverage) else { return };
        let first = *self.first.get_or_insert_with(Instant::now);
        self.largest = self.largest.max(coverage);
        if coverage > 0.9999 {
            self.complete_after.get_or_insert(first.elapsed());
        }
    }
}

const TRIM: Db = Db(-1.5);

#[test]
fn the_demo_session_exports_to_the_bit_lives_and_is_the_same_after_reopening() {
    if let Some(missing) = daw::missing() {
        assert!(
            std::env::var("STEMLINK_REQUIRE_ORACLES").as_deref() != Ok("1"),
            "{missing} is not here, and STEMLINK_REQUIRE_ORACLES=1"
        );
        eprintln!("skipped: {missing} is not here");
        return;
    }
    let folder = Folder::new();
    let name = "the_demo_session_exports_to_the_bit_lives_and_is_the_same_after_reopening";
    alone_in(name, Some(folder.0.clone()), || {
        let stems = demo_song::render(Hz(f64::from(RATE)));
        let viewer = Viewer::new();
        let daw = Daw::new(&stems);
        let frames = stems[0].left.len();
        let wanted = |side: usize, at: usize| -> f64 {
            stems.iter().map(|stem| if side == 0 { stem.left[at] } else { stem.right[at] }).sum()
        };
        for export in 1..=3 {
            let mut are_seen = false;
            let mix = daw.export(|| are_seen |= Identities::seen(stems.len()).is_some());
            assert!(are_seen, "export {export}: the plugins were not in it");
            assert!(mix[0].len() >= frames, "export {export} is not complete");
            let far =
                |at: usize| (0..2).map(|side| (mix[side][at] - wanted(side, at)).abs()).fold(0.0, f64::max);
            let apart = (0..frames).map(far).fold(0.0, f64::max);
            println!("export {export}: apart from the sum by {apart:.2e}");
            // the files' and Ardour's own rounding to 24 bits of mantissa
            let wrong: Vec<usize> = (0..frames).filter(|&at| far(at) > 2e-6).collect();
            let from = wrong.first().copied().unwrap_or(0);
            assert!(
                wrong.is_empty(),
                "export {export}: {} frames are wrong, from {from} to {:?}: {:?}",
                wrong.len(),
                wrong.last(),
                &mix[0][from..frames.min(from + 8)]
            );
        }

        let play = daw.play(12);
        let first = Identities::of(&play, stems.len());
        let (stem, master) = (*first.stems.first().expect("some"), viewer.find(first.master));
        let mut heard = FirstPlay::default();
        let asked = Instant::now();
        while !play.has_ended() && asked.elapsed() < Duration::from_secs(60) {
            heard.look(master);
            let trim = ROSTER.find(stem).and_then(|peer| peer.stem_readings()).map(|readings| readings.trim);
            if let Some(trim) = trim.filter(|trim| trim.offset != TRIM) {
                viewer.requester().request_trim(stem, trim.revision, TRIM);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        play.finish();
        println!("{heard:?}");
        assert!(heard.largest < 1.0001, "a mix explained by more than itself: {heard:?}");
        eventually("the plugins have gone", || Identities::seen(stems.len()).is_none().then_some(()));

        let play = daw.play(4);
        let again = Identities::of(&play, stems.len());
        let trim = eventually("the Stem is read", || ROSTER.find(stem)?.stem_readings()).trim;
        play.finish();
        assert_eq!(again, first, "the same session after reopening");
        assert_eq!(trim.offset, TRIM, "the Stem has kept its trim");
    });
}
