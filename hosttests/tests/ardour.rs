//! A session in a host that we did not write: Ardour 7 (Debian: `ardour`), without a screen.
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

/// Song after which the Master is right and complete, seconds.
const SONG_LIMIT: f64 = 5.0;
/// Time on top of it: the report's interval, the link's, and a hop that waits for the next one, seconds.
const REPORT_SLACK: f64 = 2.0;
/// Song that is not recorded at most: the hops in which the trim glides, and the block of the last look, seconds.
const UNHEARD_LIMIT: f64 = 0.4;

/// Statements of the Master while the song was played for the first time.
#[derive(Debug, Default)]
struct FirstPlay {
    /// Song that was played, seconds.
    played: f64,
    /// Song that was heard of it at the last look, seconds.
    heard: f64,
    /// Largest coverage: more than the whole mix cannot be explained.
    largest: f64,
    /// Song after which the Master was right and complete and has stayed so, seconds.
    complete_after: Option<f64>,
    causes: BTreeSet<String>,
}

impl FirstPlay {
    fn look(&mut self, master: PeerView, stems: usize) {
        let status = master.block_status().filter(|status| status.playing);
        if let Some(position) = status.and_then(|status| status.position) {
            self.played = self.played.max(position as f64 / f64::from(RATE));
        }
        let Some(summary) = master.summary() else { return };
        self.heard = summary.heard;
        if !summary.cause.as_str().is_empty() {
            self.causes.insert(summary.cause.as_str().to_owned());
        }
        self.largest = self.largest.max(summary.coverage.unwrap_or(0.0));
        let is_complete = summary.coverage.is_some_and(|coverage| coverage > 0.9999)
            && summary.half_width.is_some_and(|off| off.0 == 0.0)
            && summary.stems().count() == stems
            && summary.heard > self.played - REPORT_SLACK;
        self.complete_after = if is_complete { self.complete_after.or(Some(self.played)) } else { None };
    }
}

const TRIM: Db = Db(-1.5);

#[test]
fn the_demo_session_exports_to_the_bit_lives_and_is_the_same_after_reopening() {
    if let Some(missing) = daw::missing() {
        return hosttests::skip_or_fail(&format!("{missing} is not here"));
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

        let gone =
            || eventually("the plugins have gone", || Identities::seen(stems.len()).is_none().then_some(()));
        gone();
        let play = daw.play(12);
        let first = Identities::of(&play, stems.len());
        let (stem, master) = (*first.stems.first().expect("some"), viewer.find(first.master));
        let mut heard = FirstPlay::default();
        let asked = Instant::now();
        while !play.has_ended() && asked.elapsed() < Duration::from_secs(60) {
            heard.look(master, stems.len());
            let trim = ROSTER.find(stem).and_then(|peer| peer.stem_readings()).map(|readings| readings.trim);
            if let Some(trim) = trim.filter(|trim| trim.offset != TRIM) {
                viewer.requester().request_trim(stem, trim.revision, TRIM);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        play.finish();
        println!("{heard:?}");
        assert!(heard.largest < 1.0001, "a mix explained by more than itself: {heard:?}");
        assert!(heard.causes.is_empty(), "a false cause: {heard:?}");
        let is_in_time = heard.complete_after.is_some_and(|after| after <= SONG_LIMIT + REPORT_SLACK);
        assert!(is_in_time, "not right and complete in time: {heard:?}");
        assert!(heard.heard > heard.played - UNHEARD_LIMIT, "not from the first sample on: {heard:?}");
        gone();

        let play = daw.play(4);
        // Ardour activates a plugin before it loads the state
        eventually("the same session after reopening", || {
            (Identities::seen(stems.len())? == first).then_some(())
        });
        let trim = eventually("the Stem is read", || ROSTER.find(stem)?.stem_readings()).trim;
        play.finish();
        assert_eq!(trim.offset, TRIM, "the Stem has kept its trim");
    });
}
