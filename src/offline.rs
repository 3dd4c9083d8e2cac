//! The chain and the meters over files: projects, what is rendered from them, and the built-in song.
//!
//! Everything here streams: memory stays bounded whatever a file is long or claims to be.

pub mod demo_song;
pub mod project;
pub mod render;
