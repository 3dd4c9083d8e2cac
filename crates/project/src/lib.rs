//! A project on disk: a folder of stems, its session file, and the user's targets.

pub mod bundle;
pub mod delivery;
pub mod fader;
mod named;
pub mod names;
pub mod noise;
pub mod placement;
pub mod reserved;
pub mod session;
pub mod session_file;
pub mod setting_fault;
pub mod tag_value;
pub mod target_file;
pub mod text_file;
pub mod timed_move;
pub mod unread;
