//! Our WAV, AIFF and FLAC readers and our writer against libsndfile (PyPI `soundfile`) and ffmpeg, sample by
//! sample: files of ours read by them, files of theirs read by us, and odd and broken files read by both.
//!
//! Without the oracle the test says so and passes, unless `STEMLINK_REQUIRE_ORACLES=1`.

#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use audiofile::wav::{Bext, Chunk, LargeForm, Place, StoredFormat, WavSpec, WavWriter};
use audiofile::{AudioReader, Container};
use serde_json::Value;
use units::Hz;

/// Runs an oracle; none if it is not installed.
fn oracle(command: &mut Command, probe: &[&str]) -> Option<Output> {
    if !testkit::is_present(&mut Command::new(command.get_program()), probe) {
        return None;
    }
    Some(command.output().expect("the oracle can be started"))
}

/// Lets libsndfile `read` a folder or `write` one, or only its FLAC files, and returns its answers.
fn libsndfile(task: &str, folder: &Path) -> Option<serde_json::Map<String, Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/wav_corpus.py");
    let output = oracle(
        Command::new("python3").arg(script).arg(task).arg(folder),
        &["-c", "import numpy, soundfile"],
    )?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("the oracle answers in JSON"))
}

/// Interleaved samples of the oracle, as bits so that NaN equals itself.
fn their_samples(folder: &Path, name: &str) -> Vec<u64> {
    let bytes = fs::read(folder.join(format!("{name}.f64"))).expect("the oracle left its samples");
    bytes.chunks_exact(8).map(|b| u64::from_le_bytes(b.try_into().expect("eight bytes"))).collect()
}

struct Ours {
    reader: AudioReader,
    samples: Vec<u64>,
}

/// The whole file as we read it, in pieces of odd length.
fn ours(path: &Path) -> Result<Ours, String> {
    let mut reader = AudioReader::open(path).map_err(|error| error.to_string())?;
    let mut planes = vec![Vec::new(); reader.info().channels];
    let mut samples = Vec::new();
    loop {
        let frames = reader.read_planar(&mut planes, 997).map_err(|error| error.to_string())?;
        if frames == 0 {
            break Ok(Ours { reader, samples });
        }
        samples.extend((0..frames).flat_map(|i| planes.iter().map(move |plane| plane[i].to_bits())));
    }
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

#[track_caller]
fn agree(name: &str, ours: &Ours, theirs: &Value, their_samples: &[u64]) {
    let info = ours.reader.info();
    assert_eq!(theirs["rate"].as_f64(), Some(info.rate.0), "{name}: rate");
    assert_eq!(theirs["channels"].as_u64(), Some(info.channels as u64), "{name}: channels");
    assert_eq!(theirs["frames"].as_u64(), Some(info.frames), "{name}: frames, {:?}", info.warnings);
    assert!(ours.samples == their_samples, "{name}: samples differ");
}

#[test]
fn what_libsndfile_writes_is_read_to_the_bit() {
    let folder = temporary();
    let Some(answers) = libsndfile("write", folder.path()) else { return };
    let mut compared = 0;
    for (name, theirs) in &answers {
        if theirs.get("error").is_some() {
            continue; // libsndfile cannot write it, or not read what it wrote
        }
        let found = ours(&folder.path().join(name)).expect("what libsndfile writes can be read");
        agree(name, &found, theirs, &their_samples(folder.path(), name));
        let warned = found.reader.info().frames > 0 && !found.reader.info().warnings.is_empty();
        assert!(!warned, "{name}: {:?}", found.reader.info().warnings);
        compared += 1;
    }
    assert!(compared > 200, "only {compared} files were compared");
}

/// Noise on the grid of 24 bits.
fn noise(seed: u64, frames: usize) -> Vec<f64> {
    testkit::noise(seed, frames, 1.0).iter().map(|x| (x * 8_388_607.0).round() / 8_388_608.0).collect()
}

/// Writes files of every form and returns them with what they hold.
fn write_ours(folder: &Path) -> Vec<(String, Vec<Vec<f64>>)> {
    let mut written = Vec::new();
    for format in [StoredFormat::Int16, StoredFormat::Int24, StoredFormat::Float32] {
        for (channels, mask, frames) in [
            (1, None, 9001),
            (2, None, 4000),
            (2, Some(3), 1),
            (6, Some(0x3f), 77),
            (12, None, 33),
            (2, None, 0),
        ] {
            let mut spec = WavSpec { channel_mask: mask, ..WavSpec::new(Hz(48_000.0), channels, format) };
            spec.large = LargeForm::Rf64;
            if frames % 2 == 1 {
                spec.bext = Some(Bext { description: "odd".into(), ..Bext::default() });
                let axml = Chunk { id: *b"axml", bytes: b"<a/>".to_vec(), place: Place::AfterData };
                spec.chunks.push(axml);
            }
            let grid = if format == StoredFormat::Int16 { 32_768.0 } else { 8_388_608.0 };
            let planes: Vec<Vec<f64>> = (0..channels as u64)
                .map(|seed| noise(seed, frames).into_iter().map(|x| (x * grid).floor() / grid).collect())
                .collect();
            let name = format!("{format:?}-{channels}-{mask:?}-{frames}.wav");
            let mut writer = WavWriter::create(folder.join(&name), spec, false).expect("starts");
            writer.write_planar(&planes).expect("writes");
            writer.finish().expect("finishes");
            written.push((name, planes));
        }
    }
    written
}

fn interleaved(planes: &[Vec<f64>]) -> Vec<u64> {
    (0..planes[0].len()).flat_map(|i| planes.iter().map(move |plane| plane[i].to_bits())).collect()
}

#[test]
fn what_we_write_is_read_to_the_bit_by_libsndfile() {
    let folder = temporary();
    let written = write_ours(folder.path());
    let Some(answers) = libsndfile("read", folder.path()) else { return };
    for (name, planes) in &written {
        let found = ours(&folder.path().join(name)).expect("ours can be read");
        assert!(found.samples == interleaved(planes), "{name}: we read what we wrote");
        agree(name, &found, &answers[name], &their_samples(folder.path(), name));
    }
}

#[test]
fn what_we_write_is_read_to_the_bit_by_ffmpeg() {
    let folder = temporary();
    for (name, planes) in write_ours(folder.path()) {
        if planes[0].is_empty() {
            continue; // ffmpeg refuses to convert nothing
        }
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-i"]).arg(folder.path().join(&name));
        command.args(["-f", "f64le", "-c:a", "pcm_f64le", "-"]);
        let Some(output) = oracle(&mut command, &["-version"]) else { return };
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let theirs: Vec<u64> = output
            .stdout
            .chunks_exact(8)
            .map(|b| u64::from_le_bytes(b.try_into().expect("eight bytes")))
            .collect();
        assert!(theirs == interleaved(&planes), "{name}: samples differ");
    }
}

#[test]
fn the_broadcast_extension_we_write_is_read_by_ffmpeg() {
    let folder = temporary();
    let path = folder.path().join("a.wav");
    let bext = Bext {
        description: "Lead vocal".into(),
        originator: "Stemlink".into(),
        originator_reference: "ref-7".into(),
        date: "2026-02-28".into(),
        time: "12:34:56".into(),
        time_reference: 5_000_000_000,
        umid: Some([0xab; 64]),
        coding_history: "A=PCM,F=48000,W=24,M=stereo\r\n".into(),
        ..Bext::default()
    };
    let spec = WavSpec { bext: Some(bext.clone()), ..WavSpec::new(Hz(48_000.0), 1, StoredFormat::Int24) };
    let mut writer = WavWriter::create(&path, spec, false).expect("starts");
    writer.write_planar(&[[0.5; 100]]).expect("writes");
    writer.finish().expect("finishes");
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-of", "json", "-show_entries", "format_tags"]).arg(&path);
    let Some(output) = oracle(&mut command, &["-version"]) else { return };
    let answer: Value = serde_json::from_slice(&output.stdout).expect("ffprobe answers in JSON");
    let tags = &answer["format"]["tags"];
    for (tag, value) in [
        ("comment", bext.description.as_str()),
        ("encoded_by", &bext.originator),
        ("originator_reference", &bext.originator_reference),
        ("date", &bext.date),
        ("creation_time", &bext.time),
        ("time_reference", "5000000000"),
    ] {
        assert_eq!(tags[tag].as_str(), Some(value), "{tag} in {tags}");
    }
    let umid = tags["umid"].as_str().expect("has a UMID");
    assert!(umid.to_lowercase().contains("abababab"), "{umid}");
    let history = tags["coding_history"].as_str().expect("has a history");
    assert_eq!(history.trim_end(), bext.coding_history.trim_end());
}

#[test]
fn a_bit_flipped_anywhere_in_a_flac_file_is_an_error_or_changes_no_sample() {
    let folder = temporary();
    let Some(_) = libsndfile("write-flac", folder.path()) else { return };
    let damaged = folder.path().join("damaged");
    let mut refused = 0;
    for name in ["FLAC-PCM_24-FILE-2-9001", "FLAC-PCM_16-FILE-1-9001"] {
        let path = folder.path().join(name);
        let whole = ours(&path).expect("reads").samples;
        let bytes = fs::read(&path).expect("reads");
        for step in 0..150 {
            // Behind the stream information, which says what to expect.
            let at = 42 + step * (bytes.len() - 42) / 150;
            let mut mutated = bytes.clone();
            mutated[at] ^= 1 << (step % 8);
            fs::write(&damaged, mutated).expect("writes");
            match ours(&damaged) {
                Ok(found) => assert!(found.samples == whole, "{name}, byte {at}"),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 100, "only {refused} of 300 were refused");
}

fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    sized(id, content.len() as u32, &[content, &vec![0; content.len() % 2]].concat())
}

fn sized(id: &[u8; 4], size: u32, content: &[u8]) -> Vec<u8> {
    [&id[..], &size.to_le_bytes(), content].concat()
}

fn form(id: &[u8; 4], size: Option<u32>, parts: &[Vec<u8>]) -> Vec<u8> {
    let parts = parts.concat();
    let size = size.unwrap_or(parts.len() as u32 + 4);
    [&id[..], &size.to_le_bytes(), b"WAVE", &parts].concat()
}

fn riff(parts: &[Vec<u8>]) -> Vec<u8> {
    form(b"RIFF", None, parts)
}

fn format(tag: u16, channels: u16, bits: u16, align: u16) -> Vec<u8> {
    let mut bytes = [tag.to_le_bytes(), channels.to_le_bytes()].concat();
    bytes.extend(48_000u32.to_le_bytes());
    bytes.extend((48_000 * u32::from(align)).to_le_bytes());
    bytes.extend(align.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes
}

fn fmt(channels: u16) -> Vec<u8> {
    chunk(b"fmt ", &format(1, channels, 16, 2 * channels))
}

fn extensible(tag: u16, channels: u16, bits: u16, valid: u16, mask: u32) -> Vec<u8> {
    let mut bytes = format(0xfffe, channels, bits, channels * bits / 8);
    bytes.extend([22u16.to_le_bytes(), valid.to_le_bytes()].concat());
    bytes.extend(mask.to_le_bytes());
    bytes.extend(tag.to_le_bytes());
    bytes.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    chunk(b"fmt ", &bytes)
}

fn ds64(data: u64, frames: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for size in [data + 100, data, frames] {
        bytes.extend(size.to_le_bytes());
    }
    bytes.extend(0u32.to_le_bytes());
    chunk(b"ds64", &bytes)
}

/// Relation that must hold between the two readers on a file.
enum Relation {
    /// The same samples.
    Same,
    /// We read this many frames; libsndfile does otherwise, for the reason given.
    Ours(u64, &'static str),
    /// We refuse it with a line that contains this, whatever libsndfile does.
    Refused(&'static str),
}
use Relation::{Ours as OnlyOurs, Refused, Same};

fn odd_and_broken() -> Vec<(&'static str, Vec<u8>, Relation)> {
    let audio: Vec<u8> = noise(5, 100).iter().flat_map(|x| ((x * 32_768.0) as i16).to_le_bytes()).collect();
    let data = || chunk(b"data", &audio);
    let floats = [0.5f32, -0.25, f32::NAN, f32::INFINITY, 1e-40, 3.5].map(f32::to_le_bytes).concat();
    let list = || chunk(b"LIST", b"INFOISFT\x05\0\0\0Reap\0\0");
    let wide =
        |bits: u16, valid: u16| riff(&[extensible(1, 2, bits, valid, 3), chunk(b"data", &audio[..192])]);
    let mut padded_format = format(1, 1, 16, 2);
    padded_format.resize(40, 0);
    vec![
        ("plain", riff(&[fmt(2), data()]), Same),
        ("format-of-18", riff(&[chunk(b"fmt ", &[format(1, 2, 16, 4), vec![0; 2]].concat()), data()]), Same),
        ("format-of-40-not-extensible", riff(&[chunk(b"fmt ", &padded_format), data()]), Same),
        ("float-in-16-bytes", riff(&[chunk(b"fmt ", &format(3, 1, 32, 4)), chunk(b"data", &floats)]), Same),
        ("extensible-float", riff(&[extensible(3, 2, 32, 32, 3), chunk(b"data", &floats)]), Same),
        ("extensible-24-valid-in-32", wide(32, 24), Same),
        ("extensible-20-valid-in-24", wide(24, 20), Same),
        ("12-bit", riff(&[chunk(b"fmt ", &format(1, 1, 12, 2)), data()]), Same),
        ("junk-and-list-around", riff(&[chunk(b"JUNK", &[0; 28]), list(), fmt(1), data(), list()]), Same),
        ("unknown-chunks", riff(&[fmt(1), chunk(b"abcd", &[1; 33]), data(), chunk(b"wxyz", &[2; 5])]), Same),
        ("odd-chunk-padded", riff(&[chunk(b"LIST", b"INFOx"), fmt(1), data()]), Same),
        ("odd-audio-not-padded", riff(&[fmt(1), sized(b"data", 199, &audio[..199])]), Same),
        ("incomplete-frame", riff(&[fmt(2), chunk(b"data", &audio[..198])]), Same),
        ("riff-size-0", form(b"RIFF", Some(0), &[fmt(1), data()]), Same),
        ("riff-size-max", form(b"RIFF", Some(u32::MAX), &[fmt(1), data()]), Same),
        ("riff-size-small", form(b"RIFF", Some(50), &[fmt(1), data()]), Same),
        ("data-size-max", riff(&[fmt(1), sized(b"data", u32::MAX, &audio)]), Same),
        (
            "data-size-max-both",
            form(b"RIFF", Some(u32::MAX), &[fmt(1), sized(b"data", u32::MAX, &audio)]),
            Same,
        ),
        ("data-size-0-unclosed", form(b"RIFF", Some(8), &[fmt(1), sized(b"data", 0, &audio)]), Same),
        ("data-size-too-large", riff(&[fmt(1), sized(b"data", 100_000, &audio)]), Same),
        ("truncated", riff(&[fmt(1), data()])[..150].to_vec(), Same),
        ("truncated-mid-frame", riff(&[fmt(2), data()])[..151].to_vec(), Same),
        ("trailing-zeros", [riff(&[fmt(1), data()]), vec![0; 100]].concat(), Same),
        (
            "trailing-text",
            [riff(&[fmt(1), data()]), b"TAGtitle and so on, of any length".to_vec()].concat(),
            Same,
        ),
        ("no-frames", riff(&[fmt(1), chunk(b"data", &[])]), Same),
        ("no-frames-then-list", riff(&[fmt(1), chunk(b"data", &[]), list()]), Same),
        ("block-align-0", riff(&[chunk(b"fmt ", &format(1, 2, 16, 0)), data()]), Same),
        ("block-align-too-small", riff(&[chunk(b"fmt ", &format(1, 2, 16, 2)), data()]), Same),
        (
            "rf64",
            form(b"RF64", Some(u32::MAX), &[ds64(200, 100), fmt(1), sized(b"data", u32::MAX, &audio)]),
            Same,
        ),
        (
            "rf64-32-bit-size",
            form(b"RF64", Some(u32::MAX), &[ds64(0, 0), fmt(1), data()]),
            OnlyOurs(100, "libsndfile believes an empty ds64 more than the data chunk"),
        ),
        (
            "rf64-truncated",
            form(
                b"RF64",
                Some(u32::MAX),
                &[ds64(1 << 33, 1 << 32), fmt(1), sized(b"data", u32::MAX, &audio)],
            ),
            Same,
        ),
        (
            "odd-chunk-not-padded",
            riff(&[sized(b"LIST", 5, b"INFOx"), fmt(1), data()]),
            OnlyOurs(100, "libsndfile loses its way behind a LIST without its pad byte"),
        ),
        (
            "two-data-chunks",
            riff(&[fmt(1), data(), data()]),
            OnlyOurs(100, "libsndfile gives up on a second data chunk"),
        ),
        ("data-before-format", riff(&[data(), fmt(1)]), OnlyOurs(100, "libsndfile wants the format first")),
        (
            "bw64",
            form(b"BW64", Some(u32::MAX), &[ds64(200, 100), fmt(1), sized(b"data", u32::MAX, &audio)]),
            OnlyOurs(100, "libsndfile does not know BW64"),
        ),
        ("empty", vec![], Refused("it is empty")),
        ("text", b"this is no audio at all, only words".to_vec(), Refused("is no audio file")),
        ("rifx", [b"RIFX\0\0\0\x40WAVE".to_vec(), vec![0; 40]].concat(), Refused("RIFX")),
        ("avi", [b"RIFF\0\0\0\x40AVI ".to_vec(), vec![0; 40]].concat(), Refused("RIFF file of the kind AVI")),
        ("mu-law", riff(&[chunk(b"fmt ", &format(7, 1, 8, 1)), data()]), Refused("mu-law")),
        ("ms-adpcm", riff(&[chunk(b"fmt ", &format(2, 1, 4, 256)), data()]), Refused("Microsoft ADPCM")),
        ("mp3", riff(&[chunk(b"fmt ", &format(0x55, 2, 0, 1)), data()]), Refused("MP3")),
        ("no-format", riff(&[data()]), Refused("no format chunk")),
        ("no-data", riff(&[fmt(1)]), Refused("no data chunk")),
        ("no-channels", riff(&[fmt(0), data()]), Refused("no channels")),
        (
            "absurd-channels",
            riff(&[chunk(b"fmt ", &format(1, 60_000, 16, 0)), data()]),
            Refused("60000 channels"),
        ),
        (
            "24-in-32-not-extensible",
            riff(&[chunk(b"fmt ", &format(1, 1, 24, 4)), data()]),
            Refused("programs differ"),
        ),
        ("64-bit-integers", riff(&[chunk(b"fmt ", &format(1, 1, 64, 8)), data()]), Refused("64-bit integer")),
    ]
}

#[test]
fn odd_and_broken_files_are_read_as_libsndfile_reads_them_or_refused_in_words() {
    let folder = temporary();
    let corpus = odd_and_broken();
    for (name, bytes, _) in &corpus {
        fs::write(folder.path().join(name), bytes).expect("writes");
    }
    let answers = libsndfile("read", folder.path());
    for (name, _, relation) in &corpus {
        let path: PathBuf = folder.path().join(name);
        let found = ours(&path);
        match relation {
            Refused(fault) => {
                let line = found.err().unwrap_or_else(|| panic!("{name} is read"));
                assert!(line.contains(fault) && line.contains("; "), "{name}: {line}");
            }
            Same | OnlyOurs(..) => {
                let found = found.unwrap_or_else(|line| panic!("{line}"));
                let Some(answers) = &answers else { continue };
                match relation {
                    OnlyOurs(frames, reason) => {
                        assert_eq!(found.reader.info().frames, *frames, "{name}");
                        let differs = answers[*name]["frames"].as_u64() != Some(*frames);
                        assert!(differs, "{name}: no longer true that {reason}");
                    }
                    _ => {
                        assert!(answers[*name].get("error").is_none(), "{name}: {}", answers[*name]);
                        agree(name, &found, &answers[*name], &their_samples(folder.path(), name));
                    }
                }
            }
        }
    }
}

#[test]
fn the_kind_of_file_is_told_by_its_content() {
    let folder = temporary();
    let path = folder.path().join("wrong.flac");
    fs::write(&path, riff(&[fmt(1), chunk(b"data", &[1, 2])])).expect("writes");
    assert_eq!(ours(&path).expect("reads").reader.info().container, Container::Wav);
    for (bytes, name) in [
        (&b"OggS"[..], "Ogg"),
        (b"ID3\x04", "something else"),
        (b"\xff\xfb\x90", "MP3"),
        (b"wvpk", "WavPack"),
    ] {
        fs::write(&path, bytes).expect("writes");
        let line = ours(&path).err().expect("is refused");
        assert!(line.contains(name), "{line}");
    }
    let line = ours(folder.path()).err().expect("is refused");
    assert!(line.contains("it is a folder; name a file"), "{line}");
    let line = ours(&folder.path().join("none")).err().expect("is refused");
    assert!(line.contains("no such file"), "{line}");
}
