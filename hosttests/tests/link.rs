//! The plugins in one host, linked: what the Master makes of its Stems, and that no sound depends on it.
//!
//! Every test is a process of its own with a runtime folder of its own, and looks at the plugins as other processes
//! do: through the bridge.

#![cfg(unix)]

mod link {
    mod bridged;
    mod causes;
    mod copies;
    mod exact;
    mod exchange;
    mod habits;
    mod hostile;
    mod identity;
    mod moves;
    mod nested;
    mod placement;
    mod processes;
    mod reactivation;
    mod render;
    mod sessions;
    mod trust;
    mod unlinked;

    pub(crate) mod alone;
    pub(crate) mod desk;
}
