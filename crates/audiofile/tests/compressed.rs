//! Compressed formats and containers against ffmpeg: the same frames at the same places, and values as near as two decoders
//! are. Without ffmpeg the test says so and passes, unless `STEMLINK_REQUIRE_ORACLES=1`.

#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use audiofile::{AudioReader, Container, SampleFormat, stem_streams};
use units::Hz;

/// False if there is no ffmpeg with these encoders.
fn has_ffmpeg() -> bool {
    let output = Command::new("ffmpeg").args(["-hide_banner", "-encoders"]).output();
    let known = output.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ["libmp3lame", "libvorbis", " aac ", " alac "].iter().all(|name| text.contains(name))
    });
    if !known {
        testkit::skip_or_fail("there is no ffmpeg with MP3, AAC, ALAC and Vorbis");
    }
    known
}

fn ffmpeg(arguments: &[&str]) {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(arguments)
        .output()
        .expect("ffmpeg starts");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the test is text")
}

/// Two channels of noise with silence in front, so that a shift cannot hide; 24 bits.
fn write_source(path: &Path, rate: f64, channels: usize, frames: usize, seed: u64) {
    let spec = WavSpec::new(Hz(rate), channels, StoredFormat::Int24);
    let mut writer = WavWriter::create(path, spec, true).expect("creates");
    let planes: Vec<Vec<f64>> = (0..channels as u64)
        .map(|channel| {
            let noise = testkit::noise(seed + channel, frames, 0.4);
            // Band-limited, as codecs keep it.
            let mut low = 0.0;
            let smooth = noise.iter().enumerate().map(|(i, x)| {
                low += 0.1 * (x - low);
                if i < 700 { 0.0 } else { low }
            });
            smooth.collect()
        })
        .collect();
    writer.write_planar(&planes).expect("writes");
    writer.finish().expect("finishes");
}

fn read(path: &Path) -> (Vec<Vec<f64>>, AudioReader) {
    let mut reader = AudioReader::open(path).unwrap_or_else(|error| panic!("{error}"));
    let mut all = vec![Vec::new(); reader.info().channels];
    let mut planes = all.clone();
    while reader.read_planar(&mut planes, 997).unwrap_or_else(|error| panic!("{error}")) > 0 {
        all.iter_mut().zip(&planes).for_each(|(all, part)| all.extend(part));
    }
    assert_eq!(all[0].len() as u64, reader.info().frames, "{}", path.display());
    (all, reader)
}

/// The largest difference of two files of one length.
#[track_caller]
fn difference(name: &str, ours: &[Vec<f64>], theirs: &[Vec<f64>]) -> f64 {
    assert_eq!(ours.len(), theirs.len(), "{name}: channels");
    assert_eq!(ours[0].len(), theirs[0].len(), "{name}: frames");
    ours.iter().flatten().zip(theirs.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

struct Case {
    file: &'static str,
    how: &'static [&'static str],
    /// The largest difference that two decoders may have; none: not a bit.
    within: Option<f64>,
    lossy: Option<&'static str>,
    format: SampleFormat,
}

const FLOAT: SampleFormat = SampleFormat::Float { bits: 32 };

#[test]
fn every_codec_gives_the_frames_of_ffmpeg_to_the_sample() {
    if !has_ffmpeg() {
        return;
    }
    let lossy = |file, how, lossy| Case { file, how, within: Some(2e-5), lossy: Some(lossy), format: FLOAT };
    let exact =
        |file, how, bits| Case { file, how, within: None, lossy: None, format: SampleFormat::Int { bits } };
    let cases = [
        lossy("a.mp3", &["-c:a", "libmp3lame", "-b:a", "320k"], "MP3"),
        lossy("vbr.mp3", &["-c:a", "libmp3lame", "-q:a", "4"], "MP3"),
        lossy("low.mp3", &["-c:a", "libmp3lame", "-b:a", "64k", "-ar", "22050"], "MP3"),
        lossy("mono.mp3", &["-c:a", "libmp3lame", "-ac", "1", "-b:a", "96k"], "MP3"),
        lossy("tags.mp3", &["-c:a", "libmp3lame", "-metadata", "title=x", "-write_id3v1", "1"], "MP3"),
        lossy("a.m4a", &["-c:a", "aac", "-b:a", "192k"], "AAC"),
        lossy("front.m4a", &["-c:a", "aac", "-movflags", "+faststart"], "AAC"),
        lossy("mono.m4a", &["-c:a", "aac", "-ac", "1"], "AAC"),
        lossy("a.mov", &["-c:a", "aac"], "AAC"),
        lossy("a.ogg", &["-c:a", "libvorbis", "-q:a", "6"], "Vorbis"),
        lossy("mono.ogg", &["-c:a", "libvorbis", "-ac", "1"], "Vorbis"),
        exact("flac.ogg", &["-c:a", "flac", "-sample_fmt", "s32"], 24),
        exact("flac.oga", &["-c:a", "flac", "-sample_fmt", "s16", "-ac", "1"], 16),
        exact("alac.m4a", &["-c:a", "alac"], 24),
        exact("alac16.m4a", &["-c:a", "alac", "-sample_fmt", "s16p"], 16),
        exact("alac.caf", &["-c:a", "alac"], 24),
        exact("pcm.caf", &["-c:a", "pcm_s24le"], 24),
        exact("big.caf", &["-c:a", "pcm_s16be"], 16),
        Case { format: FLOAT, ..exact("float.caf", &["-c:a", "pcm_f32le"], 0) },
        exact("a.w64", &["-c:a", "pcm_s24le"], 24),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (rate, frames) in [(48_000.0, 60_000), (44_100.0, 50_003), (44_100.0, 1024 * 20)] {
        let source = folder.path().join("source.wav");
        write_source(&source, rate, 2, frames, 7);
        for case in &cases {
            let path = folder.path().join(case.file);
            let mut arguments = vec!["-i", text(&source)];
            arguments.extend(case.how);
            arguments.push(text(&path));
            ffmpeg(&arguments);
            let decoded = folder.path().join("decoded.wav");
            let (ours, mut reader) = read(&path);
            let name = format!("{} of {frames} at {rate}", case.file);
            ffmpeg(&[
                "-i",
                text(&path),
                "-c:a",
                if case.within.is_none() { "pcm_s32le" } else { "pcm_f32le" },
                text(&decoded),
            ]);
            let (mut theirs, _) = read(&decoded);
            let mut ours_compared = ours.clone();
            if case.lossy == Some("AAC") {
                // Older ffmpeg keeps what fills up the last packet; the container says where the audio ends.
                assert!((ours[0].len()..ours[0].len() + 1024).contains(&theirs[0].len()), "{name}");
                theirs.iter_mut().for_each(|plane| plane.truncate(ours[0].len()));
            }
            let info = reader.info().clone();
            if case.lossy == Some("Vorbis") && theirs[0].len() < ours[0].len() {
                // ffmpeg 5 drops a short block at the end of some files, as the source's length shows.
                ours_compared.iter_mut().for_each(|plane| plane.truncate(theirs[0].len()));
            }
            let largest = difference(&name, &ours_compared, &theirs);
            assert!(largest <= case.within.unwrap_or(0.0), "{name}: {largest}");
            assert_eq!((info.lossy, info.start_known), (case.lossy, true), "{name}");
            assert_eq!(info.warnings, Vec::<String>::new(), "{name}");
            assert_eq!(info.format, case.format, "{name}");
            // ffmpeg counts what fills up the eight bytes of Wave64 as audio, and reads it so.
            let filled = if case.file == "a.w64" { (frames * 6).next_multiple_of(8) / 6 } else { frames };
            if info.rate.0 == rate {
                assert_eq!(info.frames, filled as u64, "{name}");
            }
            if case.lossy.is_some() && info.rate.0 == rate && info.channels == 2 {
                // In time with what was encoded, to the sample.
                let (original, _) = read(&source);
                let distance = |ours_from: usize, theirs_from: usize| -> f64 {
                    let pairs = ours[0][ours_from..].iter().zip(&original[0][theirs_from..]);
                    pairs.map(|(a, b)| (a - b).powi(2)).sum()
                };
                let [exact, late, early] = [distance(0, 0), distance(1, 0), distance(0, 1)];
                assert!(exact < 0.5 * late && exact < 0.5 * early, "{name}: {exact} {late} {early}");
            }
            // From anywhere the same samples come.
            for target in [frames / 2, 10, 2_000, 0] {
                let mut planes = vec![Vec::new(); info.channels];
                reader.seek(target as u64).expect("seeks");
                let count = reader.read_planar(&mut planes, 1500).expect("reads");
                for (plane, all) in planes.iter().zip(&ours) {
                    let from = target.min(all.len());
                    assert!(plane[..] == all[from..from + count], "{name} from {target}");
                }
            }
        }
    }
}

#[test]
fn a_stem_file_is_a_folder_of_its_streams() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let sources: Vec<PathBuf> = (0..3)
        .map(|stream| {
            let path = folder.path().join(format!("{stream}.wav"));
            write_source(&path, 44_100.0, 2, 30_000, 10 * stream);
            path
        })
        .collect();
    let file = folder.path().join("Song.stem.mp4");
    let mut arguments: Vec<&str> = sources.iter().flat_map(|path| ["-i", text(path)]).collect();
    arguments.extend(["-map", "0", "-map", "1", "-map", "2", "-c:a", "alac", text(&file)]);
    ffmpeg(&arguments);
    let streams = stem_streams(&file).expect("is a stem file");
    let names: Vec<&str> =
        streams.iter().map(|path| path.file_name().and_then(|name| name.to_str()).unwrap_or("")).collect();
    assert_eq!(names, ["00_Mix.m4a", "01_Stem 1_Stem.m4a", "02_Stem 2_Stem.m4a"]);
    for (stream, source) in streams.iter().zip(&sources) {
        let (ours, reader) = read(stream);
        assert_eq!(reader.info().container, Container::Mp4);
        assert_eq!(difference(text(stream), &ours, &read(source).0), 0.0);
    }
    // Streams that say nothing of their delay have it in common.
    let bare = folder.path().join("Bare.stem.mp4");
    ffmpeg(&["-i", text(&file), "-map", "0", "-c:a", "aac", "-use_editlist", "0", text(&bare)]);
    for stream in stem_streams(&bare).expect("is a stem file") {
        assert!(read(&stream).1.info().start_known);
    }
    let error = AudioReader::open(&file).err().expect("one stream is to be named").to_string();
    assert!(error.contains("3 audio streams"), "{error}");
}

#[test]
fn what_does_not_say_its_delay_is_read_and_said_to_be_out_of_time() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let source = folder.path().join("source.wav");
    write_source(&source, 48_000.0, 2, 48_000, 3);
    for (file, how) in [
        ("bare.mp3", &["-c:a", "libmp3lame", "-write_xing", "0"][..]),
        ("bare.m4a", &["-c:a", "aac", "-use_editlist", "0"]),
    ] {
        let path = folder.path().join(file);
        ffmpeg(&[&["-i", text(&source)], how, &[text(&path)]].concat());
        let (all, reader) = read(&path);
        assert!(!reader.info().start_known, "{file}");
        assert!(all[0].len() > 48_000, "{file}: all frames are kept");
    }
}

#[test]
fn tags_around_a_file_are_stepped_over() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let source = folder.path().join("source.wav");
    write_source(&source, 48_000.0, 1, 3000, 5);
    let bytes = fs::read(&source).expect("reads");
    let tagged = folder.path().join("tagged.wav");
    let front = [&b"ID3\x03\0\0\0\0\x02\0"[..], &[1; 256]].concat();
    let behind = [&b"TAG"[..], &[b' '; 125]].concat();
    fs::write(&tagged, [&front[..], &bytes, &behind].concat()).expect("writes");
    let (found, reader) = read(&tagged);
    assert_eq!(found, read(&source).0);
    assert_eq!(reader.info().warnings, Vec::<String>::new());
    if has_ffmpeg() {
        let flac = folder.path().join("plain.flac");
        ffmpeg(&["-i", text(&source), text(&flac)]);
        fs::write(&tagged, [&front[..], &fs::read(&flac).expect("reads"), &behind].concat()).expect("writes");
        assert_eq!(read(&tagged).0, found);
    }
}

#[test]
fn cut_off_and_mutated_files_give_frames_or_a_line_and_no_panic() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let source = folder.path().join("source.wav");
    write_source(&source, 48_000.0, 2, 20_000, 3);
    for (file, how) in [
        ("a.mp3", &["-c:a", "libmp3lame"][..]),
        ("a.m4a", &["-c:a", "aac", "-movflags", "+faststart"]),
        ("alac.m4a", &["-c:a", "alac", "-movflags", "+faststart"]),
        ("a.ogg", &["-c:a", "libvorbis"]),
        ("alac.caf", &["-c:a", "alac"]),
        ("pcm.caf", &["-c:a", "pcm_s24le"]),
        ("a.w64", &["-c:a", "pcm_s24le"]),
    ] {
        let path = folder.path().join(file);
        ffmpeg(&[&["-i", text(&source)], how, &[text(&path)]].concat());
        let whole = fs::read(&path).expect("reads");
        let broken = folder.path().join(format!("broken-{file}"));
        let all = |path: &Path| -> Result<(u64, Vec<String>), String> {
            let mut reader = AudioReader::open(path).map_err(|error| error.to_string())?;
            let mut frames = 0;
            reader
                .each_block(|planes| {
                    frames += planes[0].len() as u64;
                    Ok(())
                })
                .map_err(|error| error.to_string())?;
            Ok((frames, reader.info().warnings.clone()))
        };
        for part in 1..12 {
            fs::write(&broken, &whole[..whole.len() * part / 12]).expect("writes");
            match all(&broken) {
                Ok((frames, warnings)) => {
                    assert!(frames < 20_000 && !warnings.is_empty(), "{file} {part}: {frames} {warnings:?}");
                }
                Err(line) => assert!(line.contains("; ") && !line.contains('\n'), "{line}"),
            }
        }
        let places = testkit::noise(9, 160, 1.0);
        for (n, place) in places.iter().enumerate() {
            let mut bytes = whole.clone();
            // The first kilobyte, where the descriptions lie, gets most of it.
            let reach = if n % 4 == 0 { bytes.len() } else { bytes.len().min(1024) };
            let at = ((place.abs() * reach as f64) as usize).min(bytes.len() - 1);
            bytes[at] = [0, 0xff, 0x80, 0x7f, 1][n % 5];
            fs::write(&broken, &bytes).expect("writes");
            if let Err(line) = all(&broken) {
                assert!(line.contains("; ") && !line.contains('\n'), "{line}");
            }
        }
    }
}
