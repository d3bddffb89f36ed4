//! What the ledger says about each request: the verdict, the rules, the locks. It must never guess what is not written
//! there.

use std::collections::BTreeMap;
use std::path::Path;

use tribunal_ledger::ReadError;
use tribunal_ledger::schema::{Body, Decided, Verdict};

/// The decisions of a ledger.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// How many there are.
    pub(super) decisions: usize,
    /// The newest verdict about each request.
    judged: BTreeMap<String, Judged>,
    /// The rules that each request was locked by, in order.
    locking: BTreeMap<String, Vec<String>>,
}

/// A verdict about a request.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// As `policy/rule`.
    pub(super) rules: Vec<String>,
    pub(super) reason: String,
    /// What is locked for its sake.
    pub(super) locks: Vec<Locking>,
}

/// A lock on a request.
#[derive(Clone, Debug)]
pub(super) struct Locking {
    /// The locked request's id.
    pub(super) request: String,
    /// As `policy/rule`.
    pub(super) rule: String,
    pub(super) message: String,
}

// === impl Evidence ===

impl Evidence {
    /// Reads the ledger in this directory, beside the daemon that writes it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(directory: &Path) -> Result<Self, ReadError> {
        let mut evidence = Self::default();
        for line in tribunal_ledger::read(directory)? {
            match line?.body {
                Body::Decided(decided) => evidence.add(*decided),
                Body::Outcome(_) | Body::Lifecycle(_) => {}
            }
        }
        Ok(evidence)
    }

    /// The newest verdict about this request.
    pub(super) fn judged(&self, id: &str) -> Option<&Judged> {
        self.judged.get(id)
    }

    /// The rules behind the newest verdict about this request and behind the locks on it, each once.
    pub(super) fn rules(&self, id: &str) -> Vec<String> {
        let verdict = self.judged.get(id).map(|judged| judged.rules.as_slice()).unwrap_or_default();
        let locks = self.locking.get(id).map(Vec::as_slice).unwrap_or_default();
        let mut rules: Vec<String> = Vec::new();
        for rule in verdict.iter().chain(locks) {
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
        rules
    }

    fn add(&mut self, decided: Decided) {
        self.decisions = self.decisions.saturating_add(1);
        let Decided { verdict, determined_by, reason, request, locks, .. } = decided;
        let locks: Vec<Locking> = locks
            .into_iter()
            .filter_map(|planned| {
                let request = planned.lock.target.access_request?;
                Some(Locking { request, rule: planned.rule, message: planned.lock.message })
            })
            .collect();
        for lock in &locks {
            self.locking.entry(lock.request.clone()).or_default().push(lock.rule.clone());
        }
        if let (Some(request), Some(verdict)) = (request, verdict) {
            let rules = determined_by.map(|by| by.rules).unwrap_or_default();
            self.judged.insert(request.id, Judged { verdict, rules, reason, locks });
        }
    }
}

// === impl Judged ===

impl Judged {
    /// Whether the request stays pending.
    pub(super) fn leaves(&self) -> bool {
        match self.verdict {
            Verdict::Leave | Verdict::Nothing => true,
            Verdict::Approve | Verdict::Deny => false,
        }
    }
}
