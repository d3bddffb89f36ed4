//! The process that compiles: limits itself, reads one component, answers with native code or a refusal, and ends. It opens
//! no file and no connection, and trusts nothing that it reads.

use std::io::{self, Read, Write};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sha2::{Digest as _, Sha256};

use super::compatibility;
use crate::engine::config::{self, Counting};

/// What an answer with native code begins with; its SHA-256 and the code follow.
pub(super) const NATIVE: &[u8; 16] = b"tribunal-native\n";
/// What a refusal begins with; its words follow.
pub(super) const REFUSED: &[u8; 16] = b"tribunal-refuse\n";
/// Threads that compile: each has a stack and an arena of its own, which count as memory.
pub(super) const THREADS_MAX: usize = 4;

/// Compiles the component on standard input. `arguments` are what [`Workshop`](super::Workshop) adds to a command line: bytes
/// of address space, seconds of processor time, and the hash of what the code has to fit. The answer goes to standard
/// output, a refusal included.
///
/// # Errors
/// That the arguments are not those, that a limit cannot be set, or that nobody listens.
pub fn compile_standard_input(arguments: &[String]) -> Result<(), String> {
    let [memory_bytes, cpu_secs, compatible] = arguments else {
        return Err("this is started by `tribunal` itself, to compile a plugin".to_owned());
    };
    let number = |text: &String| text.parse::<u64>().map_err(|error| format!("`{text}` is no number: {error}"));
    limit(number(memory_bytes)?, number(cpu_secs)?)?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(|error| format!("the component cannot be read: {error}"))?;
    let mut out = io::stdout().lock();
    let said = match compile(&bytes, compatible) {
        Ok(code) => {
            let hash: [u8; 32] = Sha256::digest(&code).into();
            out.write_all(NATIVE).and_then(|()| out.write_all(&hash)).and_then(|()| out.write_all(&code))
        }
        Err(why) => out.write_all(REFUSED).and_then(|()| out.write_all(why.as_bytes())),
    };
    said.and_then(|()| out.flush()).map_err(|error| format!("nobody takes the answer: {error}"))
}

fn compile(bytes: &[u8], compatible: &str) -> Result<Vec<u8>, String> {
    let wasm = config::compiler(Counting::Off)?;
    let ours = compatibility(&wasm);
    let counts = || config::compiler(Counting::On).ok().filter(|counts| compatibility(counts) == compatible);
    let fitting = if ours == compatible { Some(wasm) } else { counts() };
    let Some(wasm) = fitting else {
        return Err(format!(
            "this program makes native code `{ours}`, and `{compatible}` is needed: restart `tribunal`"
        ));
    };
    wasm.precompile_component(bytes).map_err(|error| format!("{error:#}"))
}

/// Takes from this process what it does not need. INVARIANT: called before the first byte is read.
fn limit(memory_bytes: u64, cpu_secs: u64) -> Result<(), String> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|error| format!("it would outlive its parent: {error}"))?;
    for (resource, name, most) in [
        (Resource::As, "memory", memory_bytes),
        (Resource::Cpu, "processor time", cpu_secs),
        (Resource::Core, "core dumps", 0),
        (Resource::Fsize, "files", 0),
        // Standard streams, and what the runtime reads about processors.
        (Resource::Nofile, "open files", 32),
    ] {
        let hard = getrlimit(resource).maximum.map_or(most, |hard| hard.min(most));
        // A process that does not heed the soft limit of its time is killed at the hard one.
        let maximum = if resource == Resource::Cpu { hard.saturating_add(1) } else { hard };
        let maximum = getrlimit(resource).maximum.map_or(maximum, |hard| hard.min(maximum));
        setrlimit(resource, Rlimit { current: Some(hard), maximum: Some(maximum) })
            .map_err(|error| format!("its {name} cannot be limited: {error}"))?;
    }
    Ok(())
}
