//! User files in the configuration folder, and exported sessions. The only place in the editors that touches the file
//! system; called when a window opens or closes and on user actions, never on the audio thread.

pub mod audio_files;
pub mod presets;
pub mod reference_loader;
pub mod sessions;
pub mod window_settings;

use etcetera::BaseStrategy;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Longest file that is read, bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Returns Stemlink's folder; `None` without a configuration folder.
fn folder() -> Option<PathBuf> {
    let config = etcetera::choose_base_strategy().ok()?.config_dir();
    Some(config.join("stemlink"))
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Writes `text` into a file atomically, replacing an existing one. Creates its folder.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = fs::File::create(&beside)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    drop(file);
    let done = written.and_then(|()| fs::rename(&beside, path));
    if done.is_err() {
        // what is left of a failed attempt is of no use; the error says the rest
        let _ = fs::remove_file(&beside);
    }
    done
}
