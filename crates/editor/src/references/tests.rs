use super::*;
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use plugin_core::document::songs::{SongRange, with_song};
use plugin_core::reference_clip::ClipInbox;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use testkit::noise;

const RATE: Option<Hz> = Some(Hz(48e3));
const MIX: Option<Lufs> = Some(Lufs(-14.0));

/// A folder of songs, a window and an audio thread's end.
struct Desk {
    folder: PathBuf,
    shared: PluginShared,
    inbox: ClipInbox,
    held: Option<PlayRequest>,
    window: References,
    kept: Vec<String>,
    songs: Vec<SongRange>,
}

impl Desk {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("stemlink-references-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("made");
        let shared = PluginShared::default();
        let inbox = shared.references.take_inbox().expect("there is one");
        let mut window = References::default();
        window.open(|| ());
        Self { folder, shared, inbox, held: None, window, kept: Vec::new(), songs: Vec::new() }
    }

    /// A song of noise, 3 s long.
    fn song(&mut self, name: &str, level: f64) -> String {
        let path = self.folder.join(name);
        let spec = WavSpec::new(Hz(48e3), 2, StoredFormat::Float32);
        let mut writer = WavWriter::create(&path, spec, true).expect("made");
        writer.write_planar(&[noise(1, 144_000, level), noise(2, 144_000, level)]).expect("written");
        writer.finish().expect("written");
        let path: String = path.to_str().expect("plain").into();
        self.kept.push(path.clone());
        path
    }

    fn look(&mut self) -> shown::ReferenceList {
        self.look_with(MIX, RATE)
    }

    fn look_with(&mut self, mix: Option<Lufs>, rate: Option<Hz>) -> shown::ReferenceList {
        let facts = self.window.look(&self.kept, &self.songs, mix, rate, &self.shared);
        self.inbox.take_newest(&mut self.held);
        facts
    }

    /// Looks until it is so.
    fn until(&mut self, is_so: impl Fn(&Self, &shown::ReferenceList) -> bool) -> shown::ReferenceList {
        let start = Instant::now();
        loop {
            let facts = self.look();
            if is_so(self, &facts) {
                return facts;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{facts:?} {:?}", self.window);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn hear(&mut self, path: &str) -> shown::ReferenceList {
        self.window.hear(Some(path), &self.shared);
        let at = self.kept.iter().position(|one| one == path);
        self.until(|_, facts| facts.heard == at)
    }

    /// Number and gain of what is listened to.
    fn listens(&self) -> Option<(u16, f64)> {
        match self.shared.monitor.mode() {
            MonitorMode::Reference { song, gain } => Some((song, gain.0)),
            _ => None,
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn figures(reference: &Reference) -> ReferenceReadings {
    let ReferenceState::Ready(figures) = reference.state else { panic!("{reference:?}") };
    figures
}

#[test]
fn a_song_is_heard_as_loud_as_the_mix_and_its_gain_follows_it() {
    let mut desk = Desk::new("heard");
    let (loud, quiet) = (desk.song("loud.wav", 0.5), desk.song("quiet.wav", 0.05));
    let facts = desk.hear(&loud);
    let integrated = figures(&facts.kept[0]).integrated.expect("noise").0;
    let (song, gain) = desk.listens().expect("a reference");
    assert!((gain - (-14.0 - integrated)).abs() < 0.006, "{gain} {integrated}");
    assert_eq!(desk.held.as_ref().map(|cue| (cue.song, cue.clip.frames.len())), Some((song, 144_000)));
    // as the mix goes on, it follows; by less than anybody hears, it does not
    desk.look_with(Some(Lufs(-14.01)), RATE);
    assert_eq!(desk.listens(), Some((song, gain)));
    desk.look_with(Some(Lufs(-15.0)), RATE);
    assert!((desk.listens().expect("a reference").1 - (gain - 1.0)).abs() < 0.011);
    // a meter that is started anew says nothing yet
    let facts = desk.look_with(None, RATE);
    assert_eq!((facts.heard, desk.listens().is_some()), (Some(0), true));
    let facts = desk.hear(&quiet);
    let matched = facts.matched_gain(1).expect("both are loud");
    assert_eq!(facts.last, Some(1));
    assert!((desk.listens().expect("a reference").1 - matched.gain.0).abs() < 0.006 && matched.gain.0 > 0.0);
    assert_ne!(desk.listens().expect("a reference").0, song, "another song has another number");
}

#[test]
fn what_ends_listening_ends_it_for_good() {
    let mut desk = Desk::new("ends");
    let path = desk.song("a.wav", 0.3);
    desk.hear(&path);
    // the sign, a host that activates, a state
    desk.shared.monitor.clear_mode();
    for _ in 0..3 {
        let facts = desk.look();
        assert_eq!((facts.heard, facts.awaited, desk.listens()), (None, None, None));
    }
    desk.hear(&path);
    desk.shared.monitor.set_mode(MonitorMode::Mono);
    desk.look();
    desk.look();
    assert_eq!(desk.shared.monitor.mode(), MonitorMode::Mono, "another way of listening stays");
    desk.hear(&path);
    desk.window.hear(None, &desk.shared);
    assert_eq!((desk.look().heard, desk.listens()), (None, None));
    desk.hear(&path);
    desk.kept.clear();
    desk.look();
    assert_eq!(desk.listens(), None, "removed");
}

#[test]
fn a_closed_window_takes_the_song_back_from_the_audio_thread_and_frees_it() {
    let mut desk = Desk::new("closed");
    let path = desk.song("a.wav", 0.3);
    desk.hear(&path);
    let reel = Arc::downgrade(&desk.held.as_ref().expect("cued").clip);
    drop(desk.window.close(&desk.shared));
    assert_eq!(desk.shared.monitor.mode(), MonitorMode::Off);
    desk.inbox.take_newest(&mut desk.held);
    assert!(desk.held.is_none() && reel.strong_count() == 1, "not by the audio thread");
    desk.shared.references.free_returned();
    assert_eq!(reel.strong_count(), 0);
    // opened again, it is known, read again, and heard
    desk.window.open(|| ());
    let facts = desk.look();
    assert!(matches!(facts.kept[0].state, ReferenceState::Ready(_)));
    desk.hear(&path);
}

#[test]
fn along_with_the_transport_a_song_begins_where_the_song_under_it_does() {
    let mut desk = Desk::new("along");
    let path = desk.song("a.wav", 0.3);
    desk.hear(&path);
    assert_eq!(desk.held.as_ref().map(|cue| cue.mode), Some(PlayMode::Loop(0, 144_000)), "shorter than 20 s");
    desk.window.along(true);
    desk.shared.transport.publish(Some(205.0), None);
    desk.look();
    assert_eq!(desk.held.as_ref().map(|cue| cue.mode), Some(PlayMode::FollowTransport(0)));
    desk.songs = with_song(&with_song(&[], 0.0, 190.0), 200.0, 400.0);
    desk.look();
    assert_eq!(desk.held.as_ref().map(|cue| cue.mode), Some(PlayMode::FollowTransport(9_600_000)));
    assert_eq!(desk.listens().map(|(song, _)| song), desk.held.as_ref().map(|cue| cue.song));
}

#[test]
fn another_rate_reads_the_file_again_at_it() {
    let mut desk = Desk::new("rate");
    let path = desk.song("a.wav", 0.3);
    desk.hear(&path);
    desk.shared.monitor.restart(false);
    desk.look_with(MIX, Some(Hz(96e3)));
    desk.window.hear(Some(&path), &desk.shared);
    let start = Instant::now();
    while desk.held.as_ref().is_none_or(|cue| cue.clip.rate != Hz(96e3)) {
        desk.look_with(MIX, Some(Hz(96e3)));
        assert!(start.elapsed() < Duration::from_secs(60));
    }
    assert_eq!(desk.held.as_ref().map(|cue| cue.clip.frames.len()), Some(288_000));
}

#[test]
fn a_file_that_is_not_there_says_so_and_is_looked_for_when_a_window_opens() {
    let mut desk = Desk::new("broken");
    let path = desk.song("a.wav", 0.3);
    std::fs::remove_file(&path).expect("it was there");
    desk.window.hear(Some(&path), &desk.shared);
    let facts = desk.until(|_, facts| facts.kept[0].state != ReferenceState::Reading);
    let ReferenceState::Broken(fault) = &facts.kept[0].state else { panic!("{facts:?}") };
    assert!(fault.contains("a.wav") && fault.contains("no such file"), "{fault}");
    assert_eq!((desk.look().awaited, desk.listens()), (None, None));
    desk.kept.clear();
    desk.song("a.wav", 0.3);
    drop(desk.window.close(&desk.shared));
    desk.window.open(|| ());
    desk.until(|_, facts| matches!(facts.kept[0].state, ReferenceState::Ready(_)));
}

#[test]
fn songs_are_held_up_to_a_limit_the_one_that_is_heard_always() {
    let mut window = References::default();
    let reel = |frames: usize| {
        // nothing is read from it
        Arc::new(ReferenceClip { rate: Hz(48e3), start: 0, frames: vec![[0.0; 2]; frames].into() })
    };
    let figures =
        ReferenceReadings { integrated: None, true_peak: None, length: Ms(1.0), loudest: (Ms(0.0), Ms(1.0)) };
    for (name, frames) in [("a", MOST_FRAMES / 4), ("b", MOST_FRAMES / 2), ("c", MOST_FRAMES / 4), ("d", 1)] {
        window.reels.push((name.into(), reel(frames)));
    }
    let held = |window: &References| window.reels.iter().map(|(name, _)| name.clone()).collect::<String>();
    assert!(window.reel("d", figures, RATE).is_some());
    assert_eq!(held(&window), "bcd", "the one heard longest ago makes way");
    assert!(window.reel("b", figures, RATE).is_some());
    assert_eq!(held(&window), "cdb");
}
