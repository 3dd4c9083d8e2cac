//! `session.toml`: roles, chains and targets of a bundle, in words that people edit. Read, validated and written here.

mod adm;
mod chain_table;
mod deliver;
mod fader;
mod noise_keys;
mod number;
mod open_trims;
mod read;
mod schema;
mod template;
mod write;

pub use open_trims::OpenTrims;
pub use schema::FILE_NAME;
pub use template::new_session_text;
pub use write::{ChainDraft, SessionDraft, StemDraft, parameter_line};
