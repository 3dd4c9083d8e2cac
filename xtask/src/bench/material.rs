//! The audio of the benchmark: the demo song's master, again and again at changing levels, as long as it takes.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::clock::{Task, time};

/// Files that every contestant gets: 48 kHz, 24 bit, stereo.
pub(super) struct Material {
    /// Ten minutes with quiet and loud passages.
    pub(super) programme: PathBuf,
    /// Ten minutes, 12 dB over full scale, clipped.
    pub(super) dense: PathBuf,
    /// Three minutes, to be mastered.
    pub(super) song: PathBuf,
    /// Eight stems of four minutes.
    pub(super) stems: Vec<PathBuf>,
}

/// Level of every repetition, dB; the programme has twenty.
const LEVELS: [f64; 20] = [
    -3.0, -6.0, -1.0, -9.0, -4.0, -2.0, 0.0, -5.0, -12.0, -3.0, -1.5, -7.0, -2.5, 0.0, -4.5, -8.0, -6.0,
    -2.0, -10.0, -1.0,
];

/// Makes what is not there yet in `folder`.
pub(super) fn make(stems: &Path, folder: &Path) -> Result<Material, String> {
    let [master, parts] = song(stems, folder)?;
    let master = &master[0];
    let eight: Vec<PathBuf> = (0..8).map(|n| folder.join(format!("stems/{:02}.wav", n + 1))).collect();
    let material = Material {
        programme: folder.join("programme.wav"),
        dense: folder.join("dense.wav"),
        song: folder.join("song3.wav"),
        stems: eight,
    };
    write(&material.programme, master, 600, 0.0, 1.0)?;
    write(&material.dense, master, 600, 12.0, 0.97)?;
    write(&material.song, master, 180, -6.0, 1.0)?;
    for (n, stem) in material.stems.iter().enumerate() {
        write(stem, &parts[n % parts.len()], 240, -(n as f64), 1.0)?;
    }
    Ok(material)
}

/// Twenty seconds and eighty of the programme, with their frames.
pub(super) fn excerpts(stems: &Path, folder: &Path) -> Result<[(PathBuf, u64); 2], String> {
    let [master, _] = song(stems, folder)?;
    let excerpt = |seconds: usize| -> Result<(PathBuf, u64), String> {
        let file = folder.join(format!("excerpt{seconds}.wav"));
        write(&file, &master[0], seconds, 0.0, 1.0)?;
        Ok((file, (seconds * RATE) as u64))
    };
    Ok([excerpt(20)?, excerpt(80)?])
}

/// The demo song: its master and its stems.
fn song(stems: &Path, folder: &Path) -> Result<[Vec<PathBuf>; 2], String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let song = folder.join("song");
    if !song.is_dir() {
        time(&Task::new(stems, folder).with(["demo", "--force", "--out", "song"]))?;
    }
    Ok([only_wav(&song.join("Masters"))?, only_wav(&song.join("Demo Song"))?])
}

fn only_wav(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "wav") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(format!("{}: holds no WAV files", folder.display())) } else { Ok(files) }
}

/// Frames in a second, bytes in a frame.
const RATE: usize = 48_000;
const FRAME: usize = 6;
/// Bytes before the samples.
const HEAD: usize = 44;

/// The samples of a 24-bit file.
fn samples(file: &Path) -> Result<Vec<f64>, String> {
    let mut bytes = Vec::new();
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    File::open(file).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(failed)?;
    let at = bytes.windows(4).position(|id| id == b"data").ok_or(format!("{}: no data", file.display()))? + 8;
    let value = |&[a, b, c]: &[u8; 3]| f64::from(i32::from_le_bytes([0, a, b, c])) / f64::from(1u32 << 31);
    Ok(bytes[at..].as_chunks::<3>().0.iter().map(value).collect())
}

/// Repeats `from` for so many seconds at `gain` dB and the changing levels, clipped at `clip`.
fn write(to: &Path, from: &Path, seconds: usize, gain: f64, clip: f64) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", to.display());
    let data = seconds * RATE * FRAME;
    if fs::metadata(to).is_ok_and(|found| found.len() == (HEAD + data) as u64) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let samples = samples(from)?;
    let mut file = BufWriter::new(File::create(to).map_err(failed)?);
    file.write_all(&head(data as u32)).map_err(failed)?;
    let mut left = 2 * seconds * RATE;
    for level in LEVELS.iter().cycle() {
        let factor = 10f64.powf((gain + level) / 20.0);
        let now = left.min(samples.len());
        let bytes: Vec<u8> = (samples[..now].iter())
            .flat_map(|sample| {
                let value = (sample * factor).clamp(-clip, clip) * 8_388_607.0;
                let [a, b, c, _] = (value.round() as i32).to_le_bytes();
                [a, b, c]
            })
            .collect();
        file.write_all(&bytes).map_err(failed)?;
        left -= now;
        if left == 0 {
            break;
        }
    }
    file.flush().map_err(failed)
}

/// The smallest head of a 24-bit stereo file at 48 kHz.
fn head(data: u32) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        head[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(b"RIFF");
    put(&(data + 36).to_le_bytes());
    put(b"WAVEfmt ");
    put(&16u32.to_le_bytes());
    put(&1u16.to_le_bytes());
    put(&2u16.to_le_bytes());
    put(&(RATE as u32).to_le_bytes());
    put(&((RATE * FRAME) as u32).to_le_bytes());
    put(&(FRAME as u16).to_le_bytes());
    put(&24u16.to_le_bytes());
    put(b"data");
    put(&data.to_le_bytes());
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_as_long_as_asked_clipped_and_read_back() {
        let folder = std::env::temp_dir().join(format!("stemlink-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let (from, to) = (folder.join("from.wav"), folder.join("to.wav"));
        let mut bytes = head(12).to_vec();
        bytes.extend([0, 0, 0x40, 0, 0, 0xc0, 0xff, 0xff, 0x7f, 0, 0, 0]);
        fs::write(&from, bytes).expect("written");
        write(&to, &from, 1, 3.0, 0.9).expect("made");
        let made = samples(&to).expect("read");
        assert_eq!(made.len(), 2 * RATE);
        let expected = [0.5, -0.5, 0.9, 0.0];
        for (value, expected) in made.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{value} {expected}");
        }
        fs::remove_dir_all(folder).expect("removed");
    }
}
