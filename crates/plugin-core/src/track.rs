//! Host track of a plugin.

use parking_lot::{Mutex, MutexGuard};
use session::role::Role;

/// Name and colour of the track as the host gave them last. Locked by the host's main thread and by windows, never by
/// the audio thread.
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

    /// Sets name and colour.
    pub fn set_info(&self, name: &str, colour: Option<[u8; 3]>) {
        *self.lock() = TrackInfo { name: name.trim().into(), colour };
    }

    /// Returns the track's name; empty if the host gives none.
    pub fn name(&self) -> String {
        self.lock().name.clone()
    }

    /// Returns the track's colour: red, green, blue.
    pub fn colour(&self) -> Option<[u8; 3]> {
        self.lock().colour
    }

    /// Returns the role that the name suggests.
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
