//! The side that has a component compiled: starts the process, hands the bytes over, waits for so long and no longer, and
//! names the limit that ended it. It never believes an answer that is not whole.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use sha2::{Digest as _, Sha256};
use tracing::info;
use wasmtime::Engine;

use super::child::{NATIVE, REFUSED, THREADS_MAX};
use super::{Job, compatibility};
use crate::engine::limits::Limits;
use crate::load::{LoadProblem, MESSAGE_BYTES_MAX};
use crate::text;

/// How often a line says that it still compiles.
const PROGRESS: Duration = Duration::from_secs(5);
/// Bytes of its standard error that are kept.
const STDERR_BYTES_MAX: u64 = 16 * 1024;
/// What the runtime and the system say where there is no memory to be had.
const WORDS_OF_MEMORY: [&str; 4] =
    ["memory allocation of", "os error 12", "Cannot allocate memory", "failed to allocate"];

/// How the process ended.
struct Ended {
    status: ExitStatus,
    answer: Vec<u8>,
    stderr: String,
}

/// Native code for a component, made by another process.
pub(super) fn compile(
    wasm: &Engine,
    program: &Path,
    arguments: &[OsString],
    job: &Job<'_>,
) -> Result<Vec<u8>, LoadProblem> {
    let limits = job.limits;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg(limits.compile_memory_bytes_max.to_string())
        .arg(limits.compile_cpu_secs_max.to_string());
    command.arg(compatibility(wasm));
    // Nothing of our surroundings; few threads, and no address space that an allocator (glibc's, mimalloc's) sets aside for
    // later, so that what is limited is the component's and not the machine's.
    command.env_clear().current_dir("/").env("RAYON_NUM_THREADS", threads().to_string());
    command.env("MALLOC_ARENA_MAX", "2").env("MIMALLOC_DISALLOW_ARENA_ALLOC", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| {
        LoadProblem::Compiler(format!("`{}` cannot be started to compile it: {error}", program.display()))
    })?;
    let ended = attend(child, job)?;
    judge(ended, limits)
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, |all| all.get().min(THREADS_MAX))
}

/// Waits for the answer; kills the process when its time is up.
fn attend(mut child: Child, job: &Job<'_>) -> Result<Ended, LoadProblem> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(LoadProblem::Compiler("the compiling process has no standard streams".to_owned()));
    };
    let limits = job.limits;
    let answer_max = u64::try_from(limits.compiled_bytes_max).unwrap_or(u64::MAX).saturating_add(64);
    let begun = Instant::now();
    let deadline = begun + Duration::from_secs(limits.compile_secs_max);
    thread::scope(|scope| {
        // It refuses without having read all of it, and then nobody takes the rest.
        scope.spawn(move || stdin.write_all(job.bytes));
        let errors = scope.spawn(move || bounded(stderr, STDERR_BYTES_MAX));
        let (done, answer) = mpsc::sync_channel(1);
        scope.spawn(move || done.send(bounded(stdout, answer_max)));
        let answer = loop {
            let now = Instant::now();
            match answer.recv_timeout(deadline.saturating_duration_since(now).min(PROGRESS)) {
                Ok(answer) => break Some(answer),
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => {
                    info!(policy.id = job.plugin, secs = begun.elapsed().as_secs(), "Compiling; it takes its time");
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break None,
            }
        };
        // Whatever it still does is not needed: it has answered, or may not any more.
        let too_much = answer.as_ref().is_some_and(|answer| length(answer) >= answer_max);
        if answer.is_none() || too_much {
            let _gone_already = child.kill();
        }
        let status =
            child.wait().map_err(|error| LoadProblem::Compiler(format!("it cannot be waited for: {error}")))?;
        let Some(answer) = answer else {
            return Err(exceeded("compile_secs_max", "seconds to compile it", limits.compile_secs_max));
        };
        if too_much {
            let max = u64::try_from(limits.compiled_bytes_max).unwrap_or(u64::MAX);
            return Err(exceeded("compiled_bytes_max", "bytes of native code", max));
        }
        let stderr = errors.join().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        Ok(Ended { status, answer, stderr })
    })
}

fn bounded(from: impl Read, bytes_max: u64) -> Vec<u8> {
    let mut from = from.take(bytes_max);
    let mut bytes = Vec::new();
    // What was read before a failure is what there is: an answer that is not whole is no answer.
    let _torn = from.read_to_end(&mut bytes);
    // Whoever writes on is not blocked for ever.
    let _rest = io::copy(&mut from.into_inner().take(STDERR_BYTES_MAX), &mut io::sink());
    bytes
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// What came of it.
fn judge(ended: Ended, limits: &Limits) -> Result<Vec<u8>, LoadProblem> {
    let Ended { status, mut answer, stderr } = ended;
    if let Some(words) = answer.strip_prefix(REFUSED) {
        let words = text::clip(&String::from_utf8_lossy(words), MESSAGE_BYTES_MAX);
        return Err(if is_memory(&words) { no_memory(limits) } else { LoadProblem::Compile(words) });
    }
    if let Some((hash, code)) = answer.strip_prefix(NATIVE).and_then(|rest| rest.split_at_checked(32))
        && hash == Sha256::digest(code).as_slice()
    {
        let head = answer.len().saturating_sub(code.len());
        answer.drain(..head);
        return Ok(answer);
    }
    if status.signal() == Some(Signal::XCPU.as_raw()) {
        return Err(exceeded(
            "compile_cpu_secs_max",
            "seconds of processor time to compile it",
            limits.compile_cpu_secs_max,
        ));
    }
    if is_memory(&stderr) {
        return Err(no_memory(limits));
    }
    let stderr = text::clip(stderr.trim(), MESSAGE_BYTES_MAX);
    Err(LoadProblem::Compiler(format!("the process that compiled it ended with {status}: {stderr}")))
}

fn is_memory(words: &str) -> bool {
    WORDS_OF_MEMORY.iter().any(|known| words.contains(known))
}

fn no_memory(limits: &Limits) -> LoadProblem {
    let max = u64::try_from(limits.compile_memory_bytes_max).unwrap_or(u64::MAX);
    exceeded("compile_memory_bytes_max", "bytes of memory to compile it", max)
}

const fn exceeded(name: &'static str, what: &'static str, max: u64) -> LoadProblem {
    LoadProblem::Exceeded { name, what, max }
}
