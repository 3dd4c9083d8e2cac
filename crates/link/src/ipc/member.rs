//! Local instance as the worker knows it.

use super::source::InstanceSource;
use crate::records::InstanceInfo;
use crate::roster::ControlWriter;
use parking_lot::Mutex;
use std::sync::Arc;

/// Local instance that has joined the link.
pub(super) struct LocalMember {
    /// Number that identifies one stay of an instance in the link.
    pub(super) key: u64,
    /// Host, process and time of creation; the other fields are unused.
    pub(super) origin: InstanceInfo,
    pub(super) control_writer: Mutex<ControlWriter>,
    pub(super) source: Arc<dyn InstanceSource>,
}

impl std::fmt::Debug for LocalMember {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalMember").field("key", &self.key).finish_non_exhaustive()
    }
}

impl LocalMember {
    /// Description by the source, with host, process and time of creation.
    pub(super) fn info(&self) -> InstanceInfo {
        complete_info(self.source.info(), &self.origin)
    }
}

/// Returns `info` with host, process and time of creation of `origin`.
pub(super) fn complete_info(info: InstanceInfo, origin: &InstanceInfo) -> InstanceInfo {
    InstanceInfo { host: origin.host, process: origin.process, born: origin.born, ..info }
}
