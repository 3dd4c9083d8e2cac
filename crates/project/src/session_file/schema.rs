//! Name and version of the format.

/// The name of the session file in a bundle.
pub const FILE_NAME: &str = "session.toml";
/// The version of the format; files of another one are refused.
pub(super) const SCHEMA: &str = "stemlink.session/1";
