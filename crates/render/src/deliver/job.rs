//! A delivery to be made.

use std::path::Path;

use project::bundle::Bundle;
use project::delivery::DeliverSettings;
use project::session::Session;
use session::target::NormalizationTarget;

/// A delivery to be made.
pub struct DeliveryJob<'a> {
    /// The stems.
    pub bundle: &'a Bundle,
    /// Their settings.
    pub session: &'a Session,
    /// The session file, if there is one.
    pub session_file: Option<&'a Path>,
    /// The files to make.
    pub settings: &'a DeliverSettings,
    /// The song's title.
    pub title: String,
    /// The folder to fill; it is there.
    pub output: &'a Path,
    /// Replace files that are there.
    pub overwrite: bool,
    /// Refuse what stems cannot hold.
    pub strict: bool,
    /// The target named by the session or the command line, if any.
    pub target: Option<NormalizationTarget>,
}
