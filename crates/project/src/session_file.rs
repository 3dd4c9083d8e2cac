//! `session.toml`: roles, chains and targets of a bundle, in words that people edit. Read, validated and written here.

mod adm;
mod chain_table;
mod deliver;
mod fader;
mod moves;
mod noise_keys;
mod number;
mod open_trims;
mod read;
mod schema;
mod template;
mod write;

pub use moves::add_moves;
pub use open_trims::OpenTrims;
pub use schema::FILE_NAME;
pub use template::{muted_text, new_session_text};
pub use write::{ChainDraft, SessionDraft, StemDraft, parameter_line};
