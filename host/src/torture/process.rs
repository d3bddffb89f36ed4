//! What this process holds, as the system sees it: memory, open files, panics. Where the system does not tell, there is no
//! figure, and nothing is judged by it.

use std::fs;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};

const STATUS: &str = "/proc/self/status";
const FILES: &str = "/proc/self/fd";
/// Written to, it makes the peak of memory what is held now.
const FORGET: &str = "/proc/self/clear_refs";
/// What has to be written there.
const FORGET_PEAK: &[u8] = b"5";
const KIB: u64 = 1024;

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Memory that is resident, in bytes.
pub(super) fn resident() -> Option<u64> {
    status("VmRSS:")
}

/// The most that was resident since [`forget_peak`], in bytes.
pub(super) fn peak() -> Option<u64> {
    status("VmHWM:")
}

/// Begins to look for the peak anew; whether the system does.
pub(super) fn forget_peak() -> bool {
    fs::write(FORGET, FORGET_PEAK).is_ok()
}

/// Open files.
pub(super) fn open_files() -> Option<usize> {
    // The directory itself is open while it is read, each time alike.
    fs::read_dir(FILES).ok().map(Iterator::count)
}

/// From now on panics are counted, wherever they are caught, beside what was done about them before.
pub(super) fn count_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        before(panicked);
    }));
}

/// Panics so far.
pub(super) fn panics() -> u64 {
    PANICS.load(Ordering::SeqCst)
}

fn status(key: &str) -> Option<u64> {
    let status = fs::read_to_string(STATUS).ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix(key))?.trim().strip_suffix(" kB")?;
    kib.trim().parse::<u64>().ok().map(|kib| kib.saturating_mul(KIB))
}
