//! The library, as a host's scanner sees it.

#![allow(unsafe_code)] // loading a library

use clack_host::factory::plugin::PluginFactory;
use clack_host::prelude::*;
use clack_host::utils::ClapVersion;
use std::ffi::CStr;
use std::path::{Path, PathBuf};
use stemlink::{MasterPlugin, StemPlugin};

/// The loaded library. The last clone that goes, its instances gone, unloads it.
#[derive(Clone)]
pub struct Library(PluginEntry);

/// A plugin as the library describes it before there is an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Vendor, version, description.
    pub words: [String; 3],
    /// Features.
    pub features: Vec<String>,
}

pub(super) fn text(s: Option<&CStr>) -> String {
    s.map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Library {
    /// Place where cargo puts the library when it builds a test that depends on it.
    ///
    /// # Panics
    /// If the test has no folder.
    pub fn path() -> PathBuf {
        let name = format!("{}stemlink{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        let test = std::env::current_exe().expect("a test has a path");
        test.parent().expect("a test lies in a folder").join(name)
    }

    /// Loads it.
    ///
    /// # Panics
    /// If it cannot be loaded.
    pub fn open() -> Self {
        Self::open_at(&Self::path())
    }

    /// Loads a copy of it that lies elsewhere.
    ///
    /// # Panics
    /// If it cannot be loaded, or was built with other features than the test: all builds have one file, which cargo
    /// does not notice.
    pub fn open_at(path: &Path) -> Self {
        // SAFETY: the library is our own, built by the same cargo run; it is a CLAP plugin and has no initializers
        let entry = unsafe { PluginEntry::load(path) };
        let library = Self(entry.expect("the built library loads"));
        let described = library.descriptors().into_iter().map(|descriptor| descriptor.words[2].clone());
        assert!(
            described.eq([StemPlugin::DESCRIPTION, MasterPlugin::DESCRIPTION]),
            "{} is of another build: remove it, and cargo builds it again",
            path.display()
        );
        library
    }

    pub(super) fn entry(&self) -> &PluginEntry {
        &self.0
    }

    /// The version of CLAP it was made for.
    pub fn version(&self) -> ClapVersion {
        self.0.version()
    }

    /// Descriptions of every plugin in it.
    ///
    /// # Panics
    /// If there is no plugin factory.
    pub fn descriptors(&self) -> Vec<Descriptor> {
        let factory: PluginFactory<'_> = self.0.get_plugin_factory().expect("the library has a factory");
        factory
            .plugin_descriptors()
            .map(|d| Descriptor {
                id: text(d.id()),
                name: text(d.name()),
                words: [d.vendor(), d.version(), d.description()].map(text),
                features: d.features().map(|f| f.to_string_lossy().into_owned()).collect(),
            })
            .collect()
    }

    /// Tells whether it has a factory of that kind.
    pub fn has_factory(&self, kind: &CStr) -> bool {
        let get = self.0.raw_entry().get_factory.expect("the entry is whole");
        // SAFETY: the entry is loaded and the name ends in a zero byte
        !unsafe { get(kind.as_ptr()) }.is_null()
    }
}
