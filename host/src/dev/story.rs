//! Tells what happens, a line for each step, as it happens. It must never make anything happen.

use std::io::Write;

use tribunal_ledger::schema::Verdict;

use super::DevError;
use super::evidence::Judged;
use super::table::short;
use super::user::Wish;

/// Where the story goes: standard output, or standard error where standard output is for a program.
pub(super) struct Story(Box<dyn Write + Send>);

// === impl Story ===

impl Story {
    /// For people.
    pub(super) fn on_stdout() -> Self {
        Self(Box::new(anstream::stdout()))
    }

    /// Beside what a program reads.
    pub(super) fn on_stderr() -> Self {
        Self(Box::new(anstream::stderr()))
    }

    /// A line.
    pub(super) fn line(&mut self, text: &str) -> Result<(), DevError> {
        writeln!(self.0, "{text}").and_then(|()| self.0.flush()).map_err(DevError::Output)
    }

    /// Who does what.
    pub(super) fn says(&mut self, who: &str, what: &str) -> Result<(), DevError> {
        self.line(&format!("{who:<9}  {what}"))
    }

    /// A user asks.
    pub(super) fn asks(&mut self, user: &str, wish: &Wish, id: &str) -> Result<(), DevError> {
        let wanted: Vec<String> = wish
            .resources
            .iter()
            .map(String::as_str)
            .chain(wish.roles.iter().map(String::as_str))
            .map(|name| format!("`{name}`"))
            .collect();
        self.says(user, &format!("asks for {} (request {})", wanted.join(", "), short(id)))
    }

    /// tribunal decided: first what is locked, because that is done first.
    pub(super) fn decides(&mut self, id: &str, judged: &Judged) -> Result<(), DevError> {
        for lock in &judged.locks {
            let (reason, _rule) = super::shown::split_lock_message(&lock.message);
            self.says("tribunal", &format!("locks {} first: {reason} [{}]", short(&lock.request), lock.rule))?;
        }
        let id = short(id);
        let does = match judged.verdict {
            Verdict::Approve => format!("approves {id}"),
            Verdict::Deny => format!("denies {id}"),
            Verdict::Leave | Verdict::Nothing => format!("leaves {id} pending"),
        };
        self.says("tribunal", &format!("{does}: {} [{}]", judged.reason, judged.rules.join(", ")))
    }
}
