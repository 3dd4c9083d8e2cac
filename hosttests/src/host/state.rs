//! States, saved and loaded.

use super::Plugin;
use clack_extensions::state::PluginState;
use std::io::{Read, Write};

/// Takes and gives so many bytes at once.
struct Pieces<T>(T, usize);

impl<T: Read> Read for Pieces<T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = buffer.len().min(self.1);
        self.0.read(&mut buffer[..size])
    }
}

impl<T: Write> Write for Pieces<T> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.0.write(&buffer[..buffer.len().min(self.1)])
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// A state as text without what tells an instance from every other: its id and its session.
pub fn without_identity(state: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(state.get(8..).unwrap_or_default()).into_owned();
    for key in ["instance", "session"] {
        let start = format!(",\\\"{key}\\\":\\\"");
        if let Some(at) = text.find(&start) {
            // sixteen digits and the quotation mark
            text.replace_range(at..at + start.len() + 18, "");
        }
    }
    text
}

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Plugin {
    /// The state as bytes.
    pub fn save(&mut self) -> Vec<u8> {
        self.save_in(usize::MAX)
    }

    /// The state as bytes, taken in pieces of at most `piece`.
    pub fn save_in(&mut self, piece: usize) -> Vec<u8> {
        let handle = self.instance.plugin_handle();
        let state: PluginState = handle.get_extension().expect("state");
        let mut stream = Pieces(Vec::new(), piece);
        state.save(&handle, &mut stream).expect("the state is saved");
        stream.0
    }

    /// Loads a state; false if the plugin says that it could not.
    pub fn load(&mut self, bytes: &[u8]) -> bool {
        self.load_in(bytes, usize::MAX)
    }

    /// Loads a state, given in pieces of at most `piece`.
    pub fn load_in(&mut self, bytes: &[u8], piece: usize) -> bool {
        let handle = self.instance.plugin_handle();
        let state: PluginState = handle.get_extension().expect("state");
        state.load(&handle, &mut Pieces(bytes, piece)).is_ok()
    }
}

/// A saved state with its JSON changed.
///
/// # Panics
/// If it is no state of ours.
pub fn edited(bytes: &[u8], edit: impl Fn(String) -> String) -> Vec<u8> {
    let json = edit(String::from_utf8(bytes[8..].to_vec()).expect("the state is text"));
    [&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat()
}

/// A saved state with that noise print, levels in decibels, in place of none.
///
/// # Panics
/// If it is no state of ours.
pub fn with_noise(bytes: &[u8], levels: &[f32]) -> Vec<u8> {
    with(bytes, "noise", &format!("{levels:?}").replace(' ', ""))
}

/// A saved state with those files to compare with, in place of none.
///
/// # Panics
/// If it is no state of ours.
pub fn with_references(bytes: &[u8], paths: &[&str]) -> Vec<u8> {
    let quoted: Vec<String> = paths.iter().map(|path| format!("\\\"{path}\\\"")).collect();
    with(bytes, "references", &format!("[{}]", quoted.join(",")))
}

/// A saved state of somebody without a role whose document has also `key`: JSON as it stands in a text of JSON.
fn with(bytes: &[u8], key: &str, value: &str) -> Vec<u8> {
    let role = "\\\"role\\\":null";
    edited(bytes, |json| {
        assert!(json.contains(role), "{json}");
        json.replace(role, &format!("{role},\\\"{key}\\\":{value}"))
    })
}
