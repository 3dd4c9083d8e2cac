//! Names of instances.

use link::records::InstanceInfo;

/// The name of an instance, or `unnamed`.
pub(super) fn name(label: &InstanceInfo) -> &str {
    match label.name.as_str() {
        "" => "unnamed",
        name => name,
    }
}
