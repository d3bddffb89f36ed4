//! What goes wrong on purpose: latency, errors, lost replies, broken streams, a wrong clock. It decides by its seed; it never touches the
//! cluster's state.

use std::time::Duration;

use tonic::{Code, Status};

use crate::chance::Chance;
use crate::scenario::{FaultCode, FaultDef};

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Often {
    /// The next so many calls.
    Next(u64),
    /// Each call with this probability.
    Probability(f64),
}

#[derive(Clone, Debug)]
struct Fault {
    /// `*` is every method.
    method: String,
    often: Often,
    /// `None` for a lost reply.
    status: Option<(Code, String)>,
}

/// The faults in force.
#[derive(Debug)]
pub struct Faults {
    chance: Chance,
    latency_ms: u64,
    latency_jitter_ms: u64,
    clock_skew_ms: i64,
    drop_watch_after: Option<u64>,
    errors: Vec<Fault>,
    lost_replies: Vec<Fault>,
}

impl Faults {
    pub(crate) fn new(def: &FaultDef) -> Self {
        let often = |next: Option<u64>, probability: Option<f64>| match (next, probability) {
            (Some(next), _) => Often::Next(next),
            (None, probability) => Often::Probability(probability.unwrap_or(0.0)),
        };
        let mut faults = Self {
            chance: Chance::new(def.seed ^ 0x0fa1_7000),
            latency_ms: u64::try_from(def.latency.ms()).unwrap_or(0),
            latency_jitter_ms: u64::try_from(def.latency_jitter.ms()).unwrap_or(0),
            clock_skew_ms: def.clock_skew.ms(),
            drop_watch_after: (def.drop_watch_after > 0).then_some(def.drop_watch_after),
            errors: Vec::new(),
            lost_replies: Vec::new(),
        };
        for error in &def.error {
            let message = error.message.clone().unwrap_or_else(|| "injected fault".to_owned());
            faults.fail(&error.method, often(error.next, error.probability), error.code.to_code(), &message);
        }
        for lost in &def.lost_reply {
            faults.lose_reply(&lost.method, often(lost.next, lost.probability));
        }
        faults
    }

    /// Calls of this method (`*` for all) fail before anything happens.
    pub fn fail(&mut self, method: &str, often: Often, code: Code, message: &str) {
        self.errors.push(Fault { method: method.to_owned(), often, status: Some((code, message.to_owned())) });
    }

    /// Calls of this method (`*` for all) take effect and then answer `Unavailable`.
    pub fn lose_reply(&mut self, method: &str, often: Often) {
        self.lost_replies.push(Fault { method: method.to_owned(), often, status: None });
    }

    /// Each call waits this long, and up to `jitter` more.
    pub fn set_latency(&mut self, latency: Duration, jitter: Duration) {
        self.latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        self.latency_jitter_ms = u64::try_from(jitter.as_millis()).unwrap_or(u64::MAX);
    }

    /// The server's clock is ahead by so many milliseconds (behind, when negative).
    pub const fn set_clock_skew_ms(&mut self, ms: i64) {
        self.clock_skew_ms = ms;
    }

    /// Each new watch stream breaks after so many events.
    pub const fn set_drop_watch_after(&mut self, events: Option<u64>) {
        self.drop_watch_after = events;
    }

    /// No more faults; the clock is right again.
    pub fn clear(&mut self) {
        self.latency_ms = 0;
        self.latency_jitter_ms = 0;
        self.clock_skew_ms = 0;
        self.drop_watch_after = None;
        self.errors.clear();
        self.lost_replies.clear();
    }

    pub(crate) const fn clock_skew_ms(&self) -> i64 {
        self.clock_skew_ms
    }

    pub(crate) const fn drop_watch_after(&self) -> Option<u64> {
        self.drop_watch_after
    }

    /// How long a call waits.
    pub(crate) const fn delay(&mut self) -> Duration {
        let jitter_ms = if self.latency_jitter_ms == 0 { 0 } else { self.chance.up_to(self.latency_jitter_ms) };
        Duration::from_millis(self.latency_ms.saturating_add(jitter_ms))
    }

    /// The error that this call meets before anything happens.
    pub(crate) fn error(&mut self, method: &str) -> Option<Status> {
        strike(&mut self.errors, &mut self.chance, method)
            .and_then(|fault| fault.status)
            .map(|(code, message)| Status::new(code, message))
    }

    /// Whether the reply to this call, whose effect happened, is lost.
    pub(crate) fn loses_reply(&mut self, method: &str) -> bool {
        strike(&mut self.lost_replies, &mut self.chance, method).is_some()
    }
}

/// The first fault that strikes this call; used-up ones are removed.
fn strike(faults: &mut Vec<Fault>, chance: &mut Chance, method: &str) -> Option<Fault> {
    let mut hit = None;
    for fault in faults.iter_mut().filter(|fault| fault.method == "*" || fault.method == method) {
        let strikes = match &mut fault.often {
            Often::Next(left) if *left > 0 => {
                *left -= 1;
                true
            }
            Often::Next(_) => false,
            Often::Probability(probability) => chance.happens(*probability),
        };
        if strikes {
            hit = Some(fault.clone());
            break;
        }
    }
    faults.retain(|fault| fault.often != Often::Next(0));
    hit
}

impl FaultCode {
    const fn to_code(self) -> Code {
        match self {
            Self::Aborted => Code::Aborted,
            Self::AlreadyExists => Code::AlreadyExists,
            Self::Cancelled => Code::Cancelled,
            Self::DeadlineExceeded => Code::DeadlineExceeded,
            Self::FailedPrecondition => Code::FailedPrecondition,
            Self::Internal => Code::Internal,
            Self::InvalidArgument => Code::InvalidArgument,
            Self::NotFound => Code::NotFound,
            Self::PermissionDenied => Code::PermissionDenied,
            Self::ResourceExhausted => Code::ResourceExhausted,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Unavailable => Code::Unavailable,
            Self::Unimplemented => Code::Unimplemented,
            Self::Unknown => Code::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_calls_of_a_method_fail_and_no_others() {
        let mut faults = Faults::new(&FaultDef::default());
        faults.fail("UpsertLock", Often::Next(2), Code::Unavailable, "x");
        assert!(faults.error("GetLock").is_none());
        assert_eq!(faults.error("UpsertLock").map(|status| status.code()), Some(Code::Unavailable));
        assert!(faults.error("UpsertLock").is_some());
        assert!(faults.error("UpsertLock").is_none());
    }

    #[test]
    fn the_same_seed_strikes_the_same_calls() {
        let run = |seed| {
            let mut faults = Faults::new(&FaultDef { seed, ..FaultDef::default() });
            faults.lose_reply("*", Often::Probability(0.3));
            (0..200).map(|_| faults.loses_reply("Ping")).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }
}
