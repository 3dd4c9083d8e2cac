//! Connection to other processes: sandboxed hosts, several hosts, the CLAP and the VST3 build side by side.
//!
//! Every process has one worker thread while it has instances, and none before. The worker keeps one file for each of
//! its own instances in a folder of the user's ([`folders`]) and a slot in the roster for each instance of other
//! processes that it finds there. Files are read and written at positions, never mapped, so the worst that another
//! program can do to a file is to make it unreadable. Audio is exchanged only while a Master elsewhere listens to it.
//!
//! Audio threads take no part in it. If the exchange does not work (no folder, no space), instances in one process
//! still see each other, and [`Bridge::state`] has the reason.

mod bridge;
mod checked_dir;
mod export;
mod file_layout;
mod file_names;
mod import;
mod intervals;
mod member;
mod observer;
mod process;
mod process_lock;
mod requester;
mod runtime_dir;
mod shared;
mod source;
mod worker;

#[cfg(test)]
mod tests;

pub use bridge::{Bridge, Membership};
pub use checked_dir::folders;
pub use file_layout::PROTOCOL_VERSION;
pub use intervals::Intervals;
pub use observer::Observer;
pub use requester::Requester;
pub use shared::BridgeState;
pub use source::InstanceSource;
