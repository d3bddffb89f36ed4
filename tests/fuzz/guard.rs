//! Watches over the case that runs: whoever takes too long, or fills the memory, is ended with its input written down. It
//! must never judge a case that came to its end.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::{memory, say};

/// A case that takes longer hangs. Generous: no case takes a hundredth of it, and slow machines are not what is tested.
const CASE_TIME_MAX: Duration = Duration::from_secs(20);
/// What the whole program may hold. A case may take far less; this ends one that would take everything.
const HELD_BYTES_MAX: usize = 2 * 1024 * 1024 * 1024;
/// How often it looks.
const LOOK: Duration = Duration::from_millis(20);

/// The case that runs, and since when.
type Running = Option<(Instant, Vec<u8>)>;

/// Knows the case that runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard(Arc<Mutex<Running>>);

// === impl Guard ===

impl Guard {
    /// Watches from now on.
    pub(crate) fn start(target: &'static str, failures: PathBuf) -> Self {
        let guard = Self::default();
        let watched = guard.clone();
        thread::spawn(move || {
            loop {
                thread::park_timeout(LOOK);
                watched.look(target, &failures);
            }
        });
        guard
    }

    pub(crate) fn begin(&self, input: &[u8]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), input.to_vec()));
    }

    pub(crate) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn look(&self, target: &str, failures: &Path) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((since, input)) = &*running else { return };
        let wrong = if since.elapsed() > CASE_TIME_MAX {
            format!("it did not end within {} s", CASE_TIME_MAX.as_secs())
        } else if memory::held() > HELD_BYTES_MAX {
            format!("it took more than {HELD_BYTES_MAX} bytes of memory")
        } else {
            return;
        };
        say(&format!("fuzz failed: {target}: {}", written(target, input, failures, &wrong)));
        // Whoever hangs cannot be asked to end.
        std::process::exit(1);
    }
}

/// Writes a case down that failed, and says where.
pub(crate) fn written(target: &str, input: &[u8], failures: &Path, wrong: &str) -> String {
    let path = failures.join(format!("fuzz-{target}-{}", crate::corpus::name(input)));
    match std::fs::write(&path, input) {
        Ok(()) => {
            let path = path.display();
            format!("{wrong}; the case is `{path}`, and `fuzz --target {target} --replay {path}` runs it again")
        }
        Err(error) => format!("{wrong}; the case cannot be written ({error}): {}", input.escape_ascii()),
    }
}
