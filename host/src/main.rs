//! The program `tribunal`; all of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    tribunal::cli::main(std::env::args_os())
}
