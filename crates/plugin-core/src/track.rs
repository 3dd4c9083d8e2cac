//! The host's track that a plugin is on.

use session::role::Role;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Name and colour of the track, as the host said last, whether a window is open or not. Locked by the host's main
/// thread and by windows, never by the audio thread.
#[derive(Debug, Default)]
pub struct Track(Mutex<Told>);

#[derive(Clone, Debug, Default)]
struct Told {
    name: String,
    colour: Option<[u8; 3]>,
}

impl Track {
    fn lock(&self) -> MutexGuard<'_, Told> {
        // plain values: whoever panicked left them whole
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the host says.
    pub fn tell(&self, name: &str, colour: Option<[u8; 3]>) {
        *self.lock() = Told { name: name.trim().into(), colour };
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
        track.tell(" Lead Vocals ", Some([1, 2, 3]));
        assert_eq!((track.name().as_str(), track.role()), ("Lead Vocals", Role::Vocals));
    }
}
