use super::*;
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use plugin_core::document::songs::{SongRange, with_song};
use plugin_core::reference_clip::ClipInbox;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use testkit::noise;

const RATE: Option<Hz> = Some(Hz(48e3));
const MIX: Option<Lufs> = Some(Lufs(-14.0));

/// Test rig: a folder of songs, a window and the audio thread's inbox.
struct Rig {
    folder: PathBuf,
    shared: PluginShared,
    inbox: ClipInbox,
    held: Option<PlayRequest>,
    window: ReferenceController,
    kept: Vec<String>,
    songs: Vec<SongRange>,
}

impl Rig {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("stemlink-references-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("made");
        let shared = PluginShared::default();
        let inbox = shared.references.take_inbox().expect("there is one");
        let mut window = ReferenceController::default();
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

    fn poll(&mut self) -> model::ReferenceList {
        self.poll_with(MIX, RATE)
    }

    fn poll_with(&mut self, mix: Option<Lufs>, rate: Option<Hz>) -> model::ReferenceList {
        let shown = self.window.update(&self.kept, &self.songs, mix, rate, &self.shared);
        self.inbox.take_newest(&mut self.held);
        shown
    }

    /// Polls until the condition holds.
    fn until(&mut self, is_so: impl Fn(&Self, &model::ReferenceList) -> bool) -> model::ReferenceList {
        let start = Instant::now();
        loop {
            let shown = self.poll();
            if is_so(self, &shown) {
                return shown;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{shown:?} {:?}", self.window);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn play(&mut self, path: &str) -> model::ReferenceList {
        self.window.play_reference(Some(path), &self.shared);
        let at = self.kept.iter().position(|one| one == path);
        self.until(|_, shown| shown.heard == at)
    }

    /// Number and gain of what is listened to.
    fn listens(&self) -> Option<(u16, f64)> {
        match self.shared.monitor.mode() {
            MonitorMode::Reference { song, gain } => Some((song, gain.0)),
            _ => None,
        }
    }
}

impl Drop for Rig {
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
    let mut rig = Rig::new("heard");
    let (loud, quiet) = (rig.song("loud.wav", 0.5), rig.song("quiet.wav", 0.05));
    let shown = rig.play(&loud);
    let integrated = figures(&shown.kept[0]).integrated.expect("noise").0;
    let (song, gain) = rig.listens().expect("a reference");
    assert!((gain - (-14.0 - integrated)).abs() < 0.006, "{gain} {integrated}");
    assert_eq!(rig.held.as_ref().map(|cue| (cue.song, cue.clip.frames.len())), Some((song, 144_000)));
    // as the mix goes on, it follows; by less than anybody hears, it does not
    rig.poll_with(Some(Lufs(-14.01)), RATE);
    assert_eq!(rig.listens(), Some((song, gain)));
    rig.poll_with(Some(Lufs(-15.0)), RATE);
    assert!((rig.listens().expect("a reference").1 - (gain - 1.0)).abs() < 0.011);
    // a meter that was reset says nothing yet
    let shown = rig.poll_with(None, RATE);
    assert_eq!((shown.heard, rig.listens().is_some()), (Some(0), true));
    let shown = rig.play(&quiet);
    let matched = shown.matched_gain(1).expect("both are loud");
    assert_eq!(shown.last, Some(1));
    assert!((rig.listens().expect("a reference").1 - matched.gain.0).abs() < 0.006 && matched.gain.0 > 0.0);
    assert_ne!(rig.listens().expect("a reference").0, song, "another song has another number");
}

#[test]
fn what_ends_listening_ends_it_for_good() {
    let mut rig = Rig::new("ends");
    let path = rig.song("a.wav", 0.3);
    rig.play(&path);
    // the sign, a host that activates, a state
    rig.shared.monitor.clear_mode();
    for _ in 0..3 {
        let shown = rig.poll();
        assert_eq!((shown.heard, shown.awaited, rig.listens()), (None, None, None));
    }
    rig.play(&path);
    rig.shared.monitor.set_mode(MonitorMode::Mono);
    rig.poll();
    rig.poll();
    assert_eq!(rig.shared.monitor.mode(), MonitorMode::Mono, "another way of listening stays");
    rig.play(&path);
    rig.window.play_reference(None, &rig.shared);
    assert_eq!((rig.poll().heard, rig.listens()), (None, None));
    rig.play(&path);
    rig.kept.clear();
    rig.poll();
    assert_eq!(rig.listens(), None, "removed");
}

#[test]
fn a_closed_window_takes_the_song_back_from_the_audio_thread_and_frees_it() {
    let mut rig = Rig::new("closed");
    let path = rig.song("a.wav", 0.3);
    rig.play(&path);
    let clip = Arc::downgrade(&rig.held.as_ref().expect("cued").clip);
    drop(rig.window.close(&rig.shared));
    assert_eq!(rig.shared.monitor.mode(), MonitorMode::Off);
    rig.inbox.take_newest(&mut rig.held);
    assert!(rig.held.is_none() && clip.strong_count() == 1, "not by the audio thread");
    rig.shared.references.free_returned();
    assert_eq!(clip.strong_count(), 0);
    // opened again, it is known, read again, and heard
    rig.window.open(|| ());
    let shown = rig.poll();
    assert!(matches!(shown.kept[0].state, ReferenceState::Ready(_)));
    rig.play(&path);
}

#[test]
fn along_with_the_transport_a_song_begins_where_the_song_under_it_does() {
    let mut rig = Rig::new("along");
    let path = rig.song("a.wav", 0.3);
    rig.play(&path);
    assert_eq!(rig.held.as_ref().map(|cue| cue.mode), Some(PlayMode::Loop(0, 144_000)), "shorter than 20 s");
    rig.window.follow_transport(true);
    rig.shared.transport.publish(Some(205.0), None);
    rig.poll();
    assert_eq!(rig.held.as_ref().map(|cue| cue.mode), Some(PlayMode::FollowTransport(0)));
    rig.songs = with_song(&with_song(&[], 0.0, 190.0), 200.0, 400.0);
    rig.poll();
    assert_eq!(rig.held.as_ref().map(|cue| cue.mode), Some(PlayMode::FollowTransport(9_600_000)));
    assert_eq!(rig.listens().map(|(song, _)| song), rig.held.as_ref().map(|cue| cue.song));
}

#[test]
fn another_rate_reads_the_file_again_at_it() {
    let mut rig = Rig::new("rate");
    let path = rig.song("a.wav", 0.3);
    rig.play(&path);
    rig.shared.monitor.restart(false);
    rig.poll_with(MIX, Some(Hz(96e3)));
    rig.window.play_reference(Some(&path), &rig.shared);
    let start = Instant::now();
    while rig.held.as_ref().is_none_or(|cue| cue.clip.rate != Hz(96e3)) {
        rig.poll_with(MIX, Some(Hz(96e3)));
        assert!(start.elapsed() < Duration::from_secs(60));
    }
    assert_eq!(rig.held.as_ref().map(|cue| cue.clip.frames.len()), Some(288_000));
}

#[test]
fn a_file_that_is_not_there_says_so_and_is_looked_for_when_a_window_opens() {
    let mut rig = Rig::new("broken");
    let path = rig.song("a.wav", 0.3);
    std::fs::remove_file(&path).expect("it was there");
    rig.window.play_reference(Some(&path), &rig.shared);
    let shown = rig.until(|_, shown| shown.kept[0].state != ReferenceState::Reading);
    let ReferenceState::Broken(fault) = &shown.kept[0].state else { panic!("{shown:?}") };
    assert!(fault.contains("a.wav") && fault.contains("no such file"), "{fault}");
    assert_eq!((rig.poll().awaited, rig.listens()), (None, None));
    rig.kept.clear();
    rig.song("a.wav", 0.3);
    drop(rig.window.close(&rig.shared));
    rig.window.open(|| ());
    rig.until(|_, shown| matches!(shown.kept[0].state, ReferenceState::Ready(_)));
}

#[test]
fn songs_are_held_up_to_a_limit_the_one_that_is_heard_always() {
    let mut window = ReferenceController::default();
    let clip = |frames: usize| {
        // nothing is read from it
        Arc::new(ReferenceClip { rate: Hz(48e3), start: 0, frames: vec![[0.0; 2]; frames].into() })
    };
    let figures =
        ReferenceReadings { integrated: None, true_peak: None, length: Ms(1.0), loudest: (Ms(0.0), Ms(1.0)) };
    for (name, frames) in [("a", MAX_FRAMES / 4), ("b", MAX_FRAMES / 2), ("c", MAX_FRAMES / 4), ("d", 1)] {
        window.clips.push((name.into(), clip(frames)));
    }
    let held =
        |window: &ReferenceController| window.clips.iter().map(|(name, _)| name.clone()).collect::<String>();
    assert!(window.clip("d", figures, RATE).is_some());
    assert_eq!(held(&window), "bcd", "the one heard longest ago makes way");
    assert!(window.clip("b", figures, RATE).is_some());
    assert_eq!(held(&window), "cdb");
}
