//! The compiling process of this crate's tests, which have no `tribunal` to start. It does nothing but what its library does.
#![expect(clippy::print_stderr, reason = "a program that says why it fails")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match tribunal_engine::compile_standard_input(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
