use super::*;
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use std::fs;
use testkit::noise;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("stemlink-loader-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("made");
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("plain").into()
    }

    fn wav(&self, name: &str, rate: f64, planes: &[Vec<f64>]) -> String {
        let path = self.path(name);
        let spec = WavSpec::new(Hz(rate), planes.len(), StoredFormat::Float32);
        let mut writer = WavWriter::create(Path::new(&path), spec, false).expect("made");
        writer.write_planar(planes).expect("written");
        writer.finish().expect("written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Timeout of a test's waits.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

fn wait(loader: &ReferenceLoader) -> LoadResult {
    let start = Instant::now();
    while start.elapsed() < TEST_TIMEOUT {
        if let Some(done) = loader.poll_result() {
            return done;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("nothing is done");
}

fn measured(loader: &ReferenceLoader, path: &str) -> core::result::Result<ReferenceReadings, String> {
    loader.request(LoadJob::Measure(path.into()));
    match wait(loader) {
        LoadResult::Measured(of, figures) if of == path => figures,
        other => panic!("{other:?}"),
    }
}

fn loaded(
    loader: &ReferenceLoader,
    path: &str,
    figures: ReferenceReadings,
    rate: f64,
) -> core::result::Result<Arc<ReferenceClip>, String> {
    loader.request(LoadJob::Load(path.into(), figures, Hz(rate)));
    match wait(loader) {
        LoadResult::Loaded(of, clip) if of == path => clip,
        other => panic!("{other:?}"),
    }
}

/// A sine of 997 Hz, its amplitude a function of seconds.
fn tone(rate: f64, seconds: f64, amplitude: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..(rate * seconds) as usize)
        .map(|i| i as f64 / rate)
        .map(|t| amplitude(t) * (core::f64::consts::TAU * 997.0 * t).sin())
        .collect()
}

#[test]
fn a_file_is_measured_as_the_standard_says_and_its_loudest_stretch_is_found() {
    let (folder, loader) = (Folder::new("measured"), ReferenceLoader::open(|| ()));
    // -23 dBFS on both sides is -23 LUFS (Tech 3341); 20 s of it are 6 dB louder
    let quiet = units::Db(-23.0).gain();
    let wave = tone(48e3, 50.0, |t| if (17.0..37.0).contains(&t) { 2.0 * quiet } else { quiet });
    let path = folder.wav("a.wav", 48e3, &[wave.clone(), wave]);
    let figures = measured(&loader, &path).expect("reads");
    // 20 s of four times the power beside 30 s
    let expected = -23.0 + 10.0 * f64::log10((20.0 * 4.0 + 30.0) / 50.0);
    assert!((figures.integrated.expect("loud").0 - expected).abs() < 0.1, "{figures:?}");
    assert!((figures.true_peak.expect("loud").0 + 16.98).abs() < 0.1, "{figures:?}");
    assert_eq!(figures.length, Ms(50_000.0));
    let (from, to) = figures.loudest;
    assert!((from.0 - 17_000.0).abs() < 101.0 && to.0 - from.0 == 20_000.0, "{figures:?}");
    let short = folder.wav("b.wav", 48e3, &[tone(48e3, 1.5, |_| 0.1)]);
    assert_eq!(measured(&loader, &short).expect("reads").loudest, (Ms(0.0), Ms(1500.0)));
}

#[test]
fn a_file_is_loaded_to_the_bit_at_its_own_rate_and_mono_is_on_both_sides() {
    let (folder, loader) = (Folder::new("loaded"), ReferenceLoader::open(|| ()));
    let (left, right) = (noise(1, 30_000, 0.5), noise(2, 30_000, 0.5));
    let path = folder.wav("a.wav", 48e3, &[left.clone(), right.clone()]);
    let figures = measured(&loader, &path).expect("reads");
    let clip = loaded(&loader, &path, figures, 48e3).expect("reads");
    assert_eq!((clip.frames.len(), clip.start, clip.rate), (30_000, 0, Hz(48e3)));
    assert!(clip.frames.iter().zip(left.iter().zip(&right)).all(|(f, (l, r))| *f == [*l as f32, *r as f32]));
    let mono = folder.wav("b.wav", 48e3, std::slice::from_ref(&left));
    let figures = measured(&loader, &mono).expect("reads");
    let clip = loaded(&loader, &mono, figures, 48e3).expect("reads");
    assert!(clip.frames.iter().zip(&left).all(|(f, x)| *f == [*x as f32; 2]));
}

#[test]
fn a_file_of_another_rate_is_what_it_would_be_at_this_one() {
    let (folder, loader) = (Folder::new("rates"), ReferenceLoader::open(|| ()));
    let path = folder.wav("a.wav", 44_100.0, &[tone(44_100.0, 3.0, |_| 0.5)]);
    let figures = measured(&loader, &path).expect("reads");
    let clip = loaded(&loader, &path, figures, 96e3).expect("reads");
    assert_eq!(clip.frames.len(), 288_000);
    let expected = tone(96e3, 3.0, |_| 0.5);
    // away from the ends, where it begins and stops at once
    let worst =
        (50_000..238_000).map(|i| (f64::from(clip.frames[i][0]) - expected[i]).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-6, "{worst}");
}

#[test]
fn what_is_no_reference_is_said_in_one_line_with_the_file() {
    let (folder, loader) = (Folder::new("faults"), ReferenceLoader::open(|| ()));
    fs::write(folder.path("text.wav"), "this is no audio").expect("written");
    fs::write(folder.path("void.flac"), "").expect("written");
    let six = folder.wav("six.wav", 48e3, &vec![vec![0.1; 4800]; 6]);
    let empty = folder.wav("empty.wav", 48e3, &[vec![], vec![]]);
    let missing = folder.path("missing.wav");
    for (path, word) in [
        (missing.as_str(), "no such file"),
        (six.as_str(), "6 channels"),
        (empty.as_str(), "empty"),
        (folder.path("text.wav").as_str(), "is no audio file"),
        (folder.path("void.flac").as_str(), "is no audio file"),
        (folder.path("").as_str(), "folder"),
    ] {
        let fault = measured(&loader, path).expect_err("it is none");
        assert!(fault.contains(word) && fault.lines().count() == 1 && fault.contains("; "), "{fault}");
        assert!(fault.contains("faults"), "{fault}");
    }
    // gone since it was measured
    let figures =
        ReferenceReadings { integrated: None, true_peak: None, length: Ms(9.0), loudest: (Ms(0.0), Ms(9.0)) };
    assert!(loaded(&loader, &missing, figures, 48e3).expect_err("gone").contains("no such file"));
}

#[test]
fn what_somebody_waits_for_goes_first_and_a_closed_window_waits_for_nothing() {
    let folder = Folder::new("order");
    let song = folder.wav("song.wav", 48e3, &[noise(1, 4800, 0.1)]);
    // after each job the thread stands still until it is told to go on
    let (go_on, told) = channel();
    let loader = ReferenceLoader::open(move || {
        // or the test is over
        let _ = told.recv_timeout(TEST_TIMEOUT);
    });
    loader.request(LoadJob::Measure(song.clone()));
    assert!(matches!(wait(&loader), LoadResult::Measured(..)));
    for _ in 0..40 {
        loader.request(LoadJob::Measure(song.clone()));
    }
    loader.request(LoadJob::List(Some(folder.path(""))));
    go_on.send(()).expect("it waits");
    assert!(matches!(wait(&loader), LoadResult::Listed(_)));
    let start = Instant::now();
    drop(loader);
    assert!(start.elapsed() < TEST_TIMEOUT / 2, "{:?}", start.elapsed());
}

#[test]
fn whoever_waits_is_woken() {
    let woken = Arc::new(AtomicBool::new(false));
    let bell = Arc::clone(&woken);
    let loader = ReferenceLoader::open(move || bell.store(true, Ordering::Release));
    loader.request(LoadJob::List(None));
    wait(&loader);
    let start = Instant::now();
    while !woken.load(Ordering::Acquire) {
        assert!(start.elapsed() < TEST_TIMEOUT);
        std::thread::yield_now();
    }
}

#[test]
fn of_what_is_too_long_a_part_around_the_loudest_stretch_is_held() {
    assert_eq!(around(50, 100, 200), 0..100);
    assert_eq!(around(50, 100, 100), 0..100);
    assert_eq!(around(500, 1000, 100), 450..550);
    assert_eq!((around(10, 1000, 100), around(990, 1000, 100)), (0..100, 900..1000));
}
