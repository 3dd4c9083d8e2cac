//! How the plugin library is linked.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo that way")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A host that unloads the library must not pull the code from under a thread that is about to end. The link's
    // worker is joined, but the framework has threads of its own.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
