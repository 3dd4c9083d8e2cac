//! How the library of the plugins is linked.

#![allow(clippy::print_stdout)] // the language that cargo speaks with build scripts

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    if var("CARGO_CFG_TARGET_FAMILY") == "unix" && var("CARGO_CFG_TARGET_VENDOR") != "apple" {
        // What threads keep for the library is cleaned up by its code when they end, and a host's scanner may have
        // unloaded it by then: it stays where it is. (Apple's loader sees to that by itself.)
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
