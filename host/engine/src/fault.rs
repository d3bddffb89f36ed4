//! What went wrong inside of a guest, sorted; wasmtime's own text goes to the operator only, and a fault is never an answer.

use tracing::debug;
use tribunal_core::opinion::{Fault, FaultKind};
use wasmtime::{Error, PoolConcurrencyLimitError, Trap, WasmBacktrace};

use crate::engine::limits::{Deadline, Limits};
use crate::host::meter::Refused;
use crate::host::{Host, Stop};
use crate::text;

/// Bytes of a fault's detail.
pub(crate) const DETAIL_BYTES_MAX: usize = 8 * 1024;
/// Frames of the guest that a fault names.
const FRAMES_MAX: usize = 4;
/// What wasmtime says when a call hands over more than it may; there is no type for it.
const HOSTCALL_TEXT: &str = "fuel allocated for hostcalls has been exhausted";
/// What it says when a component has too many instances, memories or tables; there is no type for it either.
const COUNT_TEXT: &str = "resource limit exceeded";

/// The fault behind `error`, which a guest ran into while the host called its function `during`.
pub(crate) fn classify(error: &Error, host: &Host, limits: &Limits, deadline: Deadline, during: &str) -> Fault {
    let (kind, what) = sort(error, host, limits, deadline.ms(limits));
    let frames = frames(error);
    if kind == FaultKind::Deadline && deadline == Deadline::Answer {
        // How far it came is a matter of the moment: the same words each time, or the same decision would be told again.
        debug!(during, frames, "Policy interrupted");
        return Fault::new(kind, what);
    }
    let mut detail = format!("{what} (in `{during}`)");
    if !frames.is_empty() {
        detail.push_str(", at ");
        detail.push_str(&frames);
    }
    for (name, output) in [("stderr", host.wasi.stderr()), ("stdout", host.wasi.stdout())] {
        if !output.is_empty() {
            detail.push_str(&format!("; {name}: {output}"));
        }
    }
    Fault::new(kind, text::clip(&detail, DETAIL_BYTES_MAX))
}

/// What is said of every answer that does not come in time.
pub(crate) fn late(deadline_ms: u64) -> String {
    format!("exceeded its deadline of {deadline_ms} ms")
}

fn sort(error: &Error, host: &Host, limits: &Limits, deadline_ms: u64) -> (FaultKind, String) {
    let trap = error.downcast_ref::<Trap>();
    if trap == Some(&Trap::Interrupt) {
        return (FaultKind::Deadline, late(deadline_ms));
    }
    // A guest turns a refused growth into a panic of its own; what it ran into is the limit.
    match host.meter.refused() {
        Some(Refused::Memory { bytes, max }) => {
            return (FaultKind::Memory, format!("exceeded its memory of {max} bytes: asked for {bytes}"));
        }
        Some(Refused::Table { elements, max }) => {
            let detail =
                format!("exceeded its limit of {max} table elements (`table_elements_max`): asked for {elements}");
            return (FaultKind::Limit, detail);
        }
        None => {}
    }
    if let Some(stop) = error.downcast_ref::<Stop>() {
        let kind = match stop {
            Stop::Exit | Stop::Misuse(_) => FaultKind::Trap,
            Stop::Limit { .. } => FaultKind::Limit,
        };
        return (kind, stop.to_string());
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return (FaultKind::Unavailable, format!("no free place to run in: {error:#}"));
    }
    if trap == Some(&Trap::StackOverflow) {
        let max = limits.stack_bytes_max;
        return (FaultKind::Limit, format!("exceeded its limit of {max} bytes of stack (`stack_bytes_max`)"));
    }
    if let Some(trap) = trap {
        return (FaultKind::Trap, trap.to_string());
    }
    let text = format!("{error:#}");
    if text.contains(HOSTCALL_TEXT) {
        let max = limits.hostcall_bytes_max;
        (FaultKind::Limit, format!("exceeded its limit of {max} bytes in one call (`hostcall_bytes_max`)"))
    } else if text.contains(COUNT_TEXT) {
        (FaultKind::Limit, count(&text, limits))
    } else {
        // What is left is an answer that is no value of the contract's types: bad pointers, discriminants, text.
        (FaultKind::Nonsense, format!("broke the contract: {text}"))
    }
}

/// Which of the numbers of an instance's parts was exceeded, as wasmtime's `text` says.
fn count(text: &str, limits: &Limits) -> String {
    let known = [
        ("instance count", "core instances", "instances_max", limits.instances_max),
        ("memory count", "memories", "memories_max", limits.memories_max),
        ("table count", "tables", "tables_max", limits.tables_max),
    ];
    match known.iter().find(|(sign, ..)| text.contains(sign)) {
        Some((_, what, name, max)) => format!("exceeded its limit of {max} {what} (`{name}`): {text}"),
        None => text.to_owned(),
    }
}

/// The innermost functions of the guest, as far as it names them.
fn frames(error: &Error) -> String {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return String::new() };
    let names = backtrace.frames().iter().filter_map(|frame| frame.func_name());
    let names: Vec<_> = names.take(FRAMES_MAX).map(|name| format!("`{}`", text::clip(name, 128))).collect();
    names.join(" < ")
}
