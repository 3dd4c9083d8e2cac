//! The host's track that a plugin is on.

use parking_lot::{Mutex, MutexGuard};
use session::role::Role;

/// Name and colour of the track, as the host said last, whether a window is open or not. Locked by the host's main
/// thread and by windows, never by the audio thread.
#[derive(Debug, Default)]
pub struct Track(Mutex<TrackInfo>);

#[derive(Clone, Debug, Default)]
struct TrackInfo {
    name: String,
    colour: Option<[u8; 3]>,
}

impl Track {
    fn lock(&self) -> MutexGuard<'_, TrackInfo> {
        self.0.lock()
    }

    /// Takes what the host says.
    pub fn set_info(&self, name: &str, colour: Option<[u8; 3]>) {
        *self.lock() = TrackInfo { name: name.trim().into(), colour };
    }

    /// The track's name; empty if the host has not said.
    pub fn name(&self) -> String {
        self.lock().name.clone()
    }

    /// The track's colour, red, green, blue.
    pub fn colour(&self) -> Option<[u8; 3]> {
        self.lock().colour
    }

    /// The role that the name suggests.
    pub fn role(&self) -> Role {
        Role::guess(&self.lock().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_suggests_a_role() {
        let track = Track::default();
        assert_eq!(track.role(), Role::Other);
        track.set_info(" Lead Vocals ", Some([1, 2, 3]));
        assert_eq!((track.name().as_str(), track.role()), ("Lead Vocals", Role::Vocals));
    }
}
