//! What can be written in a case, key by key. It means nothing before it is filled in.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use tribunal_core::case::Case;
use tribunal_core::request::{Decider, RequestKind, RequestState};

use super::expect::Expect;
use super::flex::{Flex, Many, Word};
use super::when::{Ends, When};

/// A case, and what is expected of a policy that is shown it.
#[derive(Clone, Debug, Default, serde::Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CaseForm {
    /// The whole case, where it was read in the ledger's form.
    #[serde(skip)]
    pub(crate) whole: Option<Case>,
    /// What it shows.
    pub name: Option<String>,
    /// A file with the case that this one is, but for what is said here; relative to this file.
    pub from: Option<String>,
    /// The policy's only clock.
    pub now: Option<When>,
    /// The root cluster.
    pub cluster: Option<String>,
    /// Whose requests these are.
    pub subject: Option<Flex<SubjectForm>>,
    /// What the subject holds, oldest first.
    pub held: Option<Many<RequestForm>>,
    /// What the subject asks for, oldest first.
    pub asks: Option<Many<RequestForm>>,
    /// Requests of any state.
    pub requests: Option<Many<RequestForm>>,
    /// Data of the operator's.
    pub facts: Option<FactsForm>,
    /// Settings of the policy in this case, over those of the suite.
    pub settings: Option<Map<String, Value>>,
    /// Which pending request the policy is asked about, where there are several.
    pub request: Option<String>,
    /// What is expected.
    pub expect: Option<Flex<Expect>>,
    /// Keys of a case with labelled values for each: one case for each combination.
    pub matrix: BTreeMap<String, BTreeMap<String, Value>>,
    /// What is expected of each combination: labels joined by `/`, where `*` is any.
    pub expects: BTreeMap<String, Flex<Expect>>,
}

/// A subject.
#[derive(Clone, Debug, Default, serde::Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct SubjectForm {
    pub(super) name: Option<String>,
    pub(super) roles: Option<Many<String>>,
    pub(super) traits: Option<BTreeMap<String, Many<String>>>,
}

/// A request.
#[derive(Clone, Debug, Default, serde::Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RequestForm {
    pub(super) id: Option<String>,
    pub(super) revision: String,
    pub(super) user: Option<String>,
    pub(super) state: Option<State>,
    pub(super) term: Option<Term>,
    #[serde(alias = "role")]
    pub(super) roles: Many<String>,
    #[serde(alias = "resource")]
    pub(super) resources: Many<ResourceForm>,
    pub(super) reason: Option<String>,
    pub(super) created: Option<When>,
    #[serde(alias = "access_starts", alias = "starts")]
    pub(super) access_starts: Option<When>,
    #[serde(alias = "access_expires", alias = "expires")]
    pub(super) access_expires: Option<Ends>,
    #[serde(alias = "request_expires")]
    pub(super) request_expires: Option<When>,
    #[serde(alias = "decided_by")]
    pub(super) decided_by: Option<DecidedBy>,
    pub(super) decision: Option<String>,
    #[serde(alias = "resolve_reason")]
    pub(super) resolve_reason: String,
    pub(super) reviews: Vec<ReviewForm>,
    #[serde(alias = "suggested_reviewers")]
    pub(super) suggested_reviewers: Many<String>,
    pub(super) annotations: BTreeMap<String, Many<String>>,
    /// Why the operator exempts it from being locked.
    pub(super) exempt: Option<String>,
    pub(super) locks: Many<CaseLockForm>,
}

/// A resource.
#[derive(Clone, Debug, Default, serde::Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResourceForm {
    pub(super) cluster: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) name: String,
    #[serde(alias = "sub_resource")]
    pub(super) sub_resource: String,
    pub(super) labels: Option<Flex<Labels>>,
    pub(super) constraints: Option<ConstraintsForm>,
}

/// Labels, or the word that says that they could not be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// They could not be read.
    Unreadable,
    /// These.
    Are(BTreeMap<String, Many<String>>),
}

/// What limits the use of a resource.
#[derive(Clone, Debug, serde::Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum ConstraintsForm {
    /// As JSON text.
    Known(String),
    /// What no build understands.
    Unknown(String),
}

/// A review.
#[derive(Clone, Debug, serde::Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ReviewForm {
    pub(super) author: String,
    pub(super) state: State,
    #[serde(default)]
    pub(super) reason: String,
    pub(super) created: Option<When>,
}

/// A lock in force on a request.
#[derive(Clone, Debug, Default, serde::Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct CaseLockForm {
    pub(super) name: String,
    pub(super) message: String,
    pub(super) ours: bool,
    pub(super) expires: Option<When>,
}

/// Facts by name, or one by one.
#[derive(Clone, Debug, PartialEq)]
pub enum FactsForm {
    /// One by one.
    List(Vec<FactForm>),
    /// Name and value of each.
    ByName(BTreeMap<String, Value>),
}

/// A fact.
#[derive(Clone, Debug, serde::Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct FactForm {
    pub(super) name: String,
    /// A JSON text.
    pub(super) json: Option<String>,
    /// The same as a value.
    pub(super) value: Option<Value>,
    pub(super) fetched: Option<When>,
    #[serde(default = "yes")]
    pub(super) fresh: bool,
}

const fn yes() -> bool {
    true
}

/// One of a few words of the contract, in any case: lower in the contract, upper in Teleport.
macro_rules! words {
    ($name:ident, $core:ty, $expected:literal, $($word:literal => $value:expr,)*) => {
        #[doc = $expected]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $core);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                match text.to_ascii_lowercase().as_str() {
                    $($word => Ok(Self($value)),)*
                    _ => Err(de::Error::custom(format_args!("`{text}` is not {}", $expected))),
                }
            }
        }
    };
}

words! {
    State, RequestState, "one of `pending`, `approved`, `denied`, `promoted` and `unknown`",
    "pending" => RequestState::Pending,
    "approved" => RequestState::Approved,
    "denied" => RequestState::Denied,
    "promoted" => RequestState::Promoted,
    "unknown" => RequestState::Unknown,
}

words! {
    Term, RequestKind, "one of `short-term`, `long-term` and `unknown`",
    "short-term" => RequestKind::ShortTerm,
    "long-term" => RequestKind::LongTerm,
    "unknown" => RequestKind::Unknown,
}

words! {
    DecidedBy, Decider, "one of `nobody`, `person`, `tribunal` and `other-bot`",
    "nobody" => Decider::Nobody,
    "person" => Decider::Person,
    "tribunal" => Decider::Tribunal,
    "other-bot" => Decider::OtherBot,
}

// === impl SubjectForm ===

impl Word for SubjectForm {
    const EXPECTED: &'static str = "a user's name, or a table with `name`, `roles`, `traits`";

    fn word(text: &str) -> Result<Self, String> {
        Ok(Self { name: Some(text.to_owned()), ..Self::default() })
    }
}

// === impl RequestForm ===

impl Word for RequestForm {
    const EXPECTED: &'static str = "a resource such as `node-1` or `db/orders`, or a table of a request";

    fn word(text: &str) -> Result<Self, String> {
        let resource = ResourceForm::word(text)?;
        Ok(Self { id: Some(text.to_owned()), resources: Many(vec![resource]), ..Self::default() })
    }
}

// === impl ResourceForm ===

impl Word for ResourceForm {
    const EXPECTED: &'static str = "a resource such as `node-1`, `db/orders` or `/cluster/kind/name`, or a table with `kind`, \
                                    `name`, `labels`";

    /// A node's name, `kind/name`, or Teleport's own `/cluster/kind/name/inside-of-it`.
    fn word(text: &str) -> Result<Self, String> {
        let owned = |text: &str| Some(text.to_owned());
        let Some(path) = text.strip_prefix('/') else {
            return Ok(match text.split_once('/') {
                Some((kind, name)) => Self { kind: owned(kind), name: name.to_owned(), ..Self::default() },
                None => Self { name: text.to_owned(), ..Self::default() },
            });
        };
        let mut parts = path.splitn(4, '/');
        let (Some(cluster), Some(kind), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("`{text}` is no resource: write `/cluster/kind/name`"));
        };
        let sub_resource = parts.next().unwrap_or_default().to_owned();
        Ok(Self { cluster: owned(cluster), kind: owned(kind), name: name.to_owned(), sub_resource, ..Self::default() })
    }
}

// === impl Labels ===

impl Word for Labels {
    const EXPECTED: &'static str = "a table of labels, or the word `unreadable`";

    fn word(text: &str) -> Result<Self, String> {
        match text {
            "unreadable" => Ok(Self::Unreadable),
            _ => Err(format!("`{text}` is not {}", Self::EXPECTED)),
        }
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::Are)
    }
}

// === impl FactsForm ===

impl<'de> Deserialize<'de> for FactsForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FactsVisitor)
    }
}

struct FactsVisitor;

impl<'de> Visitor<'de> for FactsVisitor {
    type Value = FactsForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of facts, or a list of tables with `name`, `value`, `fetched`, `fresh`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<FactsForm, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(FactsForm::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FactsForm, A::Error> {
        BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(FactsForm::ByName)
    }
}

// === impl CaseLockForm ===

impl Word for CaseLockForm {
    const EXPECTED: &'static str = "the name of a lock, or a table with `name`, `message`, `ours`, `expires`";

    fn word(text: &str) -> Result<Self, String> {
        Ok(Self { name: text.to_owned(), ..Self::default() })
    }
}
