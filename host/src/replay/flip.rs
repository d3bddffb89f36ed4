//! What would have been otherwise: a verdict, or a lock. It never says which of the two is better.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use tribunal_core::decision::Verdict;
use tribunal_ledger::schema::Time;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// A pending one is approved.
    Approve,
    /// It is denied.
    Deny,
    /// It is left to people.
    Leave,
    /// No policy has anything to say about it.
    Nothing,
    /// A held one is locked.
    Lock,
    /// It is not.
    Keep,
}

/// A request of which something else would have become.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Flip {
    /// The number of the decision's record.
    pub seq: u64,
    /// When it was made.
    pub at: Time,
    /// Its id.
    pub decision: String,
    /// Whose request.
    pub user: String,
    /// Which.
    pub request: String,
    /// The roles that it asks for, or gives.
    pub roles: Vec<String>,
    /// What was decided.
    pub from: Fate,
    /// What would have been.
    pub to: Fate,
    /// The rules behind what was decided, as `policy/rule`.
    pub was: Vec<String>,
    /// The rules behind what would have been.
    pub rules: Vec<String>,
}

/// Flips that must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidden {
    /// None: whatever it was.
    from: Option<Fate>,
    to: Option<Fate>,
}

// === impl Fate ===

impl Fate {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Approve, Self::Deny, Self::Leave, Self::Nothing, Self::Lock, Self::Keep];

    /// Its name, for people and programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Leave => "leave",
            Self::Nothing => "nothing",
            Self::Lock => "lock",
            Self::Keep => "keep",
        }
    }
}

impl From<Verdict> for Fate {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Approve => Self::Approve,
            Verdict::Deny => Self::Deny,
            Verdict::Leave => Self::Leave,
            Verdict::Nothing => Self::Nothing,
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Flip ===

impl Flip {
    /// `approve->deny`, for example.
    #[must_use]
    pub fn turn(&self) -> String {
        format!("{}->{}", self.from, self.to)
    }

    /// The rules to name for it: those behind what would have been, or, where there are none, those that are gone.
    #[must_use]
    pub fn because(&self) -> &[String] {
        if self.rules.is_empty() { &self.was } else { &self.rules }
    }
}

// === impl Forbidden ===

impl Forbidden {
    /// Whether it is about this flip.
    #[must_use]
    pub fn is(&self, flip: &Flip) -> bool {
        self.from.is_none_or(|from| from == flip.from) && self.to.is_none_or(|to| to == flip.to)
    }
}

impl FromStr for Forbidden {
    type Err = String;

    /// Two words with `->` or `:` between them, which no shell takes for anything else; `any` is any of them.
    fn from_str(text: &str) -> Result<Self, String> {
        let fate = |word: &str| {
            match word.trim() {
            "any" => Ok(None),
            word => Fate::ALL.into_iter().find(|fate| fate.as_str() == word).map(Some).ok_or_else(|| {
                format!("`{word}` is no word for what becomes of a request: write approve, deny, leave, nothing, lock, keep or any")
            }),
        }
        };
        let (from, to) = text
            .split_once("->")
            .or_else(|| text.split_once(':'))
            .ok_or_else(|| format!("`{text}` is no flip: write it as in `approve:deny`"))?;
        Ok(Self { from: fate(from)?, to: fate(to)? })
    }
}
