//! The link between instances: a table of every Stem and Master in reach, the values each publishes, and the last
//! seconds of each Stem's audio.
//!
//! [`roster`] is the table of all instances in this process, and of those in others as far as [`ipc`] has brought them
//! in. Each instance owns one [`slot`] of it: several [`cell`]s of plain values ([`records`]), each written by one
//! thread and read by any, and an [`audio_ring`] with the Stem's input and output. Readers find audio by the project's
//! timeline ([`timeline`]), never by its time of arrival: hosts render ahead, in any order and at any speed.
//!
//! Nothing here blocks, waits or allocates on an audio thread, and no sound depends on any of it.

pub mod atomic_word;
pub mod audio_ring;
pub mod audition;
pub mod cell;
pub mod hop_queue;
pub mod identity;
pub mod ipc;
pub mod records;
pub mod remote_trim;
pub mod request;
pub mod roster;
pub mod routing;
pub mod slot;
pub mod status;
pub mod stem_aligner;
mod stem_reader;
pub mod summary;
pub mod survey;
pub mod text;
pub mod timeline;
pub mod wire;

pub use identity::{InstanceId, SessionId};
pub use roster::{AudioWriter, ControlWriter, PeerView, Roster};

/// All instances in reach of this process, or of this copy of the library in it.
pub static ROSTER: Roster = Roster::new();

/// Connection of [`ROSTER`] to the rosters of other processes.
pub static BRIDGE: ipc::Bridge = ipc::Bridge::new(&ROSTER);
