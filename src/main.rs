//! The `deploy` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    deploy::main()
}
