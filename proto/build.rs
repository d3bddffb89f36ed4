//! Turns our `.proto` files into Rust, without `protoc`; must never read anything but this folder.

use std::path::Path;
use std::process::ExitCode;

/// Files that nothing else imports; the rest follows from their imports.
const ROOTS: [&str; 3] = [
    "teleport/legacy/proto/authservice.proto",
    "teleport/userloginstate/v1/userloginstate_service.proto",
    "teleport/users/v1/users_service.proto",
];

fn main() -> ExitCode {
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "how a build script speaks")]
            {
                eprintln!("error: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=teleport");
    println!("cargo::rerun-if-changed=build.rs");
    let files = protox::compile(ROOTS, [Path::new(".")])?;
    tonic_prost_build::configure()
        // Ordered, so that equal messages are equal bytes.
        .btree_map(".")
        .include_file("teleport.rs")
        .compile_fds(files)?;
    Ok(())
}
