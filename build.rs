//! How the program is linked: at a fixed address. Else the loader would correct 33,000 places, on every start, and copy
//! each page that they are on, for parts of the program that most commands never enter.

#![expect(clippy::disallowed_methods, reason = "cargo tells in variables what it builds for")]

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |key: &str| env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    // Elsewhere programs can't be linked so, or are linked without a loader.
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if target("OS") == "linux" && target("ENV") == "gnu" && !is_static {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
