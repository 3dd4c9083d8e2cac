//! A project on disk: a folder of stems, its session file, and the user's targets.

pub mod bundle;
pub mod delivery;
pub mod names;
pub mod placement;
pub mod session_file;
pub mod target_file;
