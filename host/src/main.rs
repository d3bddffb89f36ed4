//! The program `tribunal`; all of it is in the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tribunal::cli::main(std::env::args_os())
}
