//! A bar on standard error while something takes long, for people who look at a terminal. It says nothing anywhere else.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(100);
/// What is over by then has no bar.
const PATIENCE: Duration = Duration::from_millis(500);
/// Cells of the bar.
const WIDTH: usize = 40;

/// Does the work; meanwhile `so_far` says which part of it is done, of 1, and what to write beside that.
pub(super) fn during<T: Send>(so_far: impl Fn() -> (f64, String) + Sync, work: impl FnOnce() -> T) -> T {
    if !std::io::stderr().is_terminal() {
        return work();
    }
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let looking = thread::Builder::new().spawn_scoped(scope, || look(&over, &so_far));
        let done = work();
        over.store(true, Ordering::Release);
        if let Ok(looking) = looking {
            looking.thread().unpark();
        }
        done
    })
}

fn look(over: &AtomicBool, so_far: &impl Fn() -> (f64, String)) {
    let began = Instant::now();
    let mut shown = false;
    while !over.load(Ordering::Acquire) {
        if began.elapsed() >= PATIENCE {
            let (part, beside) = so_far();
            say(&format!("\r\u{1b}[K{}", bar(part, &beside)));
            shown = true;
        }
        thread::park_timeout(EVERY);
    }
    if shown {
        say("\r\u{1b}[K");
    }
}

fn bar(part: f64, beside: &str) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "at most 100"
    )]
    let (filled, percent) = ((part.clamp(0.0, 1.0) * WIDTH as f64) as usize, (part.clamp(0.0, 1.0) * 100.0) as u32);
    format!("[{}{}] {percent:>3} % {beside}", "#".repeat(filled), ".".repeat(WIDTH.saturating_sub(filled)))
}

fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // Where nobody can be told, nobody can be told that either.
    let _unseen = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_wide_at_the_end_as_at_the_beginning() {
        for part in [-1.0, 0.0, 0.33, 1.0, 7.0] {
            assert_eq!(bar(part, "x").len(), WIDTH + 10, "{part}");
        }
        assert!(bar(0.5, "7 decisions").ends_with(" 50 % 7 decisions"));
    }
}
