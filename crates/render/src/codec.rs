//! Preview of lossy codecs: a file encoded and decoded by ffmpeg, measured, and compared with the source.
//!
//! A codec changes every sample, so peaks rise: what was held at a ceiling comes out above it. Whether that matters depends on
//! the gain at which a platform plays the song, which belongs to the answer.

use std::collections::{HashSet, VecDeque};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::progress::{Progress, advance};
use audiofile::BLOCK;
use audiofile::error::{Error, Result};
use audiofile::resample::{Converted, Endless};
use audiofile::{AudioInfo, AudioReader};
use meter::layout::Layout;
use meter::{Meter, Reading};
use units::{Db, decibels};

/// A codec as a platform uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecPreset {
    /// Its name.
    pub id: &'static str,
    /// The target whose gain applies to it.
    pub target: &'static str,
    /// ffmpeg's encoder.
    pub encoder: &'static str,
    /// Bits a second, as ffmpeg takes them.
    pub bitrate: &'static str,
    /// The container's ending.
    ending: &'static str,
}

/// The codecs and rates that the large platforms stream: as Apple and Spotify publish them; YouTube's as its streams are.
pub const PRESETS: [CodecPreset; 5] = [
    CodecPreset {
        id: "apple-aac-256",
        target: "apple-music",
        encoder: "aac",
        bitrate: "256k",
        ending: "m4a",
    },
    CodecPreset {
        id: "spotify-vorbis-320",
        target: "spotify",
        encoder: "libvorbis",
        bitrate: "320k",
        ending: "ogg",
    },
    CodecPreset {
        id: "spotify-vorbis-160",
        target: "spotify",
        encoder: "libvorbis",
        bitrate: "160k",
        ending: "ogg",
    },
    CodecPreset {
        id: "youtube-opus-160",
        target: "youtube",
        encoder: "libopus",
        bitrate: "160k",
        ending: "opus",
    },
    CodecPreset { id: "youtube-aac-128", target: "youtube", encoder: "aac", bitrate: "128k", ending: "m4a" },
];

/// The decoded file, measured and compared.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The codec.
    pub preset: CodecPreset,
    /// Size of the encoded file.
    pub bytes: u64,
    /// Reading of what came out.
    pub reading: Reading,
    /// Samples of it beyond full scale.
    pub overs: u64,
    /// Level of what is left when the source is subtracted, dBFS; none is digital silence.
    pub residue_rms: Option<Db>,
    /// And its peak.
    pub residue_peak: Option<Db>,
    /// Samples by which it came out later.
    pub late: i64,
}

/// The furthest that a codec's delay is searched.
const MAX_DELAY: usize = 4096;
/// Frames that are compared to find it.
const COMPARED_FRAMES: usize = 32_768;

/// The version of ffmpeg in one line, if it is installed.
pub fn ffmpeg() -> Option<String> {
    let text = said(Command::new("ffmpeg").arg("-version"), OutputStream::Answer).ok()?;
    text.lines().next().map(str::to_owned)
}

/// Encodes and decodes `path` with one preset; none if this ffmpeg has no such encoder.
///
/// # Errors
/// If the file cannot be read, is not stereo, ffmpeg fails, or the listener stops it. Nothing is left behind.
pub fn preview(path: &Path, preset: CodecPreset, progress: &mut dyn Progress) -> Result<Option<Decoded>> {
    let info = AudioReader::open(path)?.info().clone();
    let fault = |fault: String, cure: &str| Error::Bundle { path: path.to_owned(), fault, cure: cure.into() };
    if info.channels != 2 {
        let channels =
            if info.channels == 1 { "one channel".into() } else { format!("{} channels", info.channels) };
        return Err(fault(format!("has {channels}, platforms stream two"), "give a stereo file"));
    }
    let encoders =
        encoders().map_err(|line| fault(format!("ffmpeg does not say what it can ({line})"), "try again"))?;
    if !encoders.contains(preset.encoder) {
        return Ok(None);
    }
    let folder = tempfile::tempdir().map_err(Error::write(&std::env::temp_dir()))?;
    let encoded = folder.path().join("encoded").with_extension(preset.ending);
    let decoded = folder.path().join("decoded.wav");
    // An absolute path is no option and no address.
    let source = path.canonicalize().map_err(Error::open(path))?;
    progress.begin(preset.id, info.frames);
    let encode = ["-map", "0:a:0", "-map_metadata", "-1", "-c:a", preset.encoder, "-b:a", preset.bitrate];
    run(&source, &encode, &encoded)
        .map_err(|line| fault(format!("ffmpeg cannot encode it ({line})"), "convert it to WAV"))?;
    advance(progress, 0, path)?;
    run(&encoded, &["-c:a", "pcm_f32le"], &decoded)
        .map_err(|line| fault(format!("ffmpeg cannot decode it again ({line})"), "update ffmpeg"))?;
    let bytes = std::fs::metadata(&encoded).map_err(Error::read(&encoded))?.len();
    compare(path, &info, &decoded, preset, bytes, progress).map(Some)
}

/// ffmpeg's encoders; the error is its last line.
fn encoders() -> std::result::Result<HashSet<String>, String> {
    let text = said(Command::new("ffmpeg").args(["-v", "error", "-encoders"]), OutputStream::Answer)?;
    // a legend, a rule, then flags and name on each line
    let mut lines = text.lines().skip_while(|line| !line.contains("---")).skip(1).peekable();
    lines.peek().ok_or("no list")?;
    Ok(lines.filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned)).collect())
}

/// Runs ffmpeg; the error is its last line.
fn run(from: &Path, how: &[&str], to: &PathBuf) -> std::result::Result<(), String> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "error", "-xerror", "-y", "-i"]).arg(from).args(how).arg(to);
    said(&mut ffmpeg, OutputStream::Errors).map(drop)
}

/// Text of one stream of ffmpeg; on failure the error is its last line. The standard library's way would
/// panic where a stream cannot be read.
fn said(program: &mut Command, stream: OutputStream) -> std::result::Result<String, String> {
    let (out, err) = match stream {
        OutputStream::Answer => (Stdio::piped(), Stdio::null()),
        OutputStream::Errors => (Stdio::null(), Stdio::piped()),
    };
    let mut child =
        program.stdin(Stdio::null()).stdout(out).stderr(err).spawn().map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    let read = match (&mut child.stdout, &mut child.stderr) {
        (Some(stream), _) => stream.read_to_end(&mut bytes),
        (None, Some(stream)) => stream.read_to_end(&mut bytes),
        (None, None) => Ok(0),
    };
    if read.is_err() {
        // whatever became of it, nobody listens any more
        let _ = child.kill();
    }
    let status = child.wait().and_then(|status| read.map(|_| status)).map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if status.success() { Ok(text) } else { Err(text.lines().last().unwrap_or("no reason given").to_owned()) }
}

/// A stream of a program.
#[derive(Clone, Copy)]
enum OutputStream {
    Answer,
    Errors,
}

/// Measures what came out, and what is left when the source, at its rate and in its place, is taken away.
fn compare(
    path: &Path,
    info: &AudioInfo,
    decoded: &Path,
    preset: CodecPreset,
    bytes: u64,
    progress: &mut dyn Progress,
) -> Result<Decoded> {
    let mut reader = AudioReader::open(decoded)?;
    let out = reader.info().clone();
    let late = delay(path, info, decoded, &out)?;
    let mut source = Converted::new(AudioReader::open(path)?, info.rate, out.rate, path)?;
    let mut ours = vec![VecDeque::new(); info.channels];
    let mut pulled = vec![Vec::new(); info.channels];
    // What comes out later is compared with silence first; what comes out earlier with the source further on.
    if late > 0 {
        ours.iter_mut().for_each(|side| side.resize(late as usize, 0.0));
    } else {
        source.pull(&mut pulled, late.unsigned_abs() as usize)?;
    }
    let mut meter = Meter::new(out.rate, &Layout::new(out.channels, out.channel_mask));
    let (mut overs, mut power, mut peak) = (0, 0.0, 0.0_f64);
    reader.each_block(|planes| {
        let frames = planes[0].len();
        let channels: Vec<&[f64]> = planes.iter().map(Vec::as_slice).collect();
        meter.process(&channels);
        overs += planes.iter().flatten().filter(|x| x.abs() > 1.0).count() as u64;
        source.pull(&mut pulled, frames)?;
        ours.iter_mut().zip(&pulled).for_each(|(ours, more)| ours.extend(more));
        for (i, plane) in planes.iter().enumerate() {
            let side = i.min(ours.len() - 1);
            for (x, y) in plane.iter().zip(ours[side].iter()) {
                power += (x - y).powi(2);
                peak = peak.max((x - y).abs());
            }
        }
        ours.iter_mut().for_each(|side| drop(side.drain(..frames)));
        advance(progress, frames as u64, path)
    })?;
    let mean = power / (meter.frames().max(1) as f64 * out.channels as f64);
    let level = |amplitude: f64| (amplitude > 0.0).then(|| Db(decibels(amplitude)));
    Ok(Decoded {
        preset,
        bytes,
        reading: meter.reading(),
        overs,
        residue_rms: level(mean.sqrt()),
        residue_peak: level(peak),
        late,
    })
}

/// By how many samples the decoded file is late: where its loudest part correlates best with the source.
fn delay(path: &Path, info: &AudioInfo, decoded: &Path, out: &AudioInfo) -> Result<i64> {
    let mut source = Converted::new(AudioReader::open(path)?, info.rate, out.rate, path)?;
    let mut theirs = AudioReader::open(decoded)?;
    // From a third of the song on, where there is music.
    let start = (out.frames / 3).max(MAX_DELAY as u64);
    let mut planes = vec![Vec::new(); info.channels];
    let mut left = start - MAX_DELAY as u64;
    while left > 0 {
        let count = left.min(BLOCK as u64);
        source.pull(&mut planes, count as usize)?;
        left -= count;
    }
    source.pull(&mut planes, COMPARED_FRAMES + 2 * MAX_DELAY)?;
    theirs.seek(start)?;
    let mut other = vec![Vec::new(); out.channels];
    theirs.read_planar(&mut other, COMPARED_FRAMES)?;
    let (ours, other) = (&planes[0], &other[0]);
    let correlation =
        |shift: usize| ours[shift..].iter().zip(other).step_by(4).map(|(a, b)| a * b).sum::<f64>();
    let coarse = (0..=2 * MAX_DELAY).map(|shift| (shift, correlation(shift)));
    let best = coarse.fold((MAX_DELAY, 0.0), |best, this| if this.1 > best.1 { this } else { best });
    Ok(MAX_DELAY as i64 - best.0 as i64)
}
