//! The same chain and meter over files, and the demo song that shows them at work.

pub mod demo_song;
