//! Instances that know of each other: who is there, what each one reads, and the audio of every stem.
//!
//! [`roster`] is the table of all instances in this process, and of those in others once the bridge has brought them
//! in. An instance owns one [`slot`] of it: a few [`cell`]s of plain values ([`snapshot`]), each written by one
//! thread and read by anyone, and a [`ring`] with the last seconds of the stem's input and output. Readers find
//! audio by the project's timeline ([`timeline`]), never by when it arrived: hosts render ahead, in any order and at
//! any speed. The [`bridge`] does the same between processes.
//!
//! Nothing here blocks, waits or allocates on an audio thread, and audio never depends on any of it.

pub mod bridge;
pub mod cell;
pub mod delivery;
pub mod identity;
pub mod observe;
pub mod order;
pub mod request;
pub mod ring;
pub mod roster;
pub mod slot;
pub mod snapshot;
pub mod status;
pub mod summary;
pub mod survey;
pub mod timeline;
pub mod word;
pub mod words;

pub use identity::{InstanceId, SessionId};
pub use roster::{AudioWriter, ControlWriter, PeerView, Roster};

/// All instances that this process, or this copy of the library in it, knows of.
pub static ROSTER: Roster = Roster::new();

/// What brings those of other processes in.
pub static BRIDGE: bridge::Bridge = bridge::Bridge::new(&ROSTER);
