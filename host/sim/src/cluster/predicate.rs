//! The predicates of review thresholds and `review_requests.where`: `equals`, `contains`, `regexp.match`, `&&`, `||`, `!`. Evaluation is total:
//! an unknown identifier is found when a predicate is parsed, never later.

use std::collections::BTreeMap;

use super::expression::{Cursor, Expression};

/// A parsed predicate.
#[derive(Clone, Debug)]
pub(crate) struct Predicate(Expression<Condition>);

#[derive(Clone, Debug)]
enum Condition {
    /// A value of the first operand is a value of the second.
    Shares(Operand, Operand),
    Matches(Operand, regex_lite::Regex),
}

/// Something with values.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Literal(String),
    /// A path, and a key for maps.
    Path(Path, Option<String>),
}

/// What a predicate can look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    ReviewerRoles,
    ReviewerTraits,
    ReviewReason,
    ReviewAnnotations,
    RequestRoles,
    RequestReason,
    RequestAnnotations,
}

const PATHS: [(&str, Path); 7] = [
    ("reviewer.roles", Path::ReviewerRoles),
    ("reviewer.traits", Path::ReviewerTraits),
    ("review.reason", Path::ReviewReason),
    ("review.annotations", Path::ReviewAnnotations),
    ("request.roles", Path::RequestRoles),
    ("request.reason", Path::RequestReason),
    ("request.system_annotations", Path::RequestAnnotations),
];

/// The values that a predicate is judged on.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) reviewer_roles: Vec<String>,
    pub(crate) reviewer_traits: BTreeMap<String, Vec<String>>,
    pub(crate) review_reason: String,
    pub(crate) request_roles: Vec<String>,
    pub(crate) request_reason: String,
    pub(crate) request_annotations: BTreeMap<String, Vec<String>>,
}

impl Predicate {
    /// The empty text is always true.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Expression::parse(text, condition).map(Self)
    }

    pub(crate) fn holds(&self, facts: &Facts) -> bool {
        self.0.holds(&|condition| match condition {
            Condition::Shares(one, two) => {
                let two = two.values(facts);
                one.values(facts).iter().any(|value| two.contains(value))
            }
            Condition::Matches(one, regex) => one.values(facts).iter().any(|value| regex.is_match(value)),
        })
    }
}

impl Operand {
    fn values(&self, facts: &Facts) -> Vec<String> {
        let pick = |map: &BTreeMap<String, Vec<String>>, key: &Option<String>| {
            key.as_ref().and_then(|key| map.get(key)).cloned().unwrap_or_default()
        };
        match self {
            Self::Literal(text) => vec![text.clone()],
            Self::Path(path, key) => match path {
                Path::ReviewerRoles => facts.reviewer_roles.clone(),
                Path::ReviewerTraits => pick(&facts.reviewer_traits, key),
                Path::ReviewReason => vec![facts.review_reason.clone()],
                Path::ReviewAnnotations => Vec::new(),
                Path::RequestRoles => facts.request_roles.clone(),
                Path::RequestReason => vec![facts.request_reason.clone()],
                Path::RequestAnnotations => pick(&facts.request_annotations, key),
            },
        }
    }
}

fn condition(cursor: &mut Cursor<'_>) -> Result<Expression<Condition>, String> {
    let Some(function) = ["equals", "contains", "regexp.match"].into_iter().find(|name| cursor.take(name)) else {
        return Err(format!("no function at `{}`: use equals, contains or regexp.match", cursor.rest()));
    };
    cursor.expect("(")?;
    let one = operand(cursor)?;
    cursor.expect(",")?;
    let two = operand(cursor)?;
    cursor.expect(")")?;
    match (function, two) {
        ("regexp.match", Operand::Literal(pattern)) => regex_lite::Regex::new(&pattern)
            .map(|regex| Expression::One(Condition::Matches(one, regex)))
            .map_err(|error| format!("pattern `{pattern}`: {error}: correct it")),
        ("regexp.match", Operand::Path(..)) => {
            Err("regexp.match needs a pattern in quotes as its second argument".to_owned())
        }
        (_, two) => Ok(Expression::One(Condition::Shares(one, two))),
    }
}

fn operand(cursor: &mut Cursor<'_>) -> Result<Operand, String> {
    if let Some(text) = cursor.text()? {
        return Ok(Operand::Literal(text));
    }
    let Some((_, path)) = PATHS.into_iter().find(|(name, _)| cursor.take(name)) else {
        return Err(format!(
            "nothing known at `{}`: use a text in quotes or one of {}",
            cursor.rest(),
            PATHS.map(|(name, _)| name).join(", ")
        ));
    };
    let is_map = matches!(path, Path::ReviewerTraits | Path::ReviewAnnotations | Path::RequestAnnotations);
    let key = cursor.key()?;
    if is_map == key.is_some() {
        Ok(Operand::Path(path, key))
    } else {
        Err("traits and annotations, and only they, need a key in brackets".to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn predicates_hold_as_written() {
        let facts = Facts {
            reviewer_roles: vec!["lead".to_owned(), "dev".to_owned()],
            reviewer_traits: BTreeMap::from([("team".to_owned(), vec!["blue".to_owned()])]),
            review_reason: "INC-12 seen".to_owned(),
            request_roles: vec!["prod".to_owned()],
            ..Facts::default()
        };
        for (text, holds) in [
            ("", true),
            (r#"contains(reviewer.roles, "lead")"#, true),
            (r#"contains(reviewer.roles,"boss")"#, false),
            (r#"!contains(reviewer.roles,"boss") && equals(request.reason, "")"#, true),
            (r#"contains(reviewer.roles,"boss") || contains(reviewer.traits["team"], "blue")"#, true),
            (r#"regexp.match(review.reason, "^INC-[0-9]+")"#, true),
            (r#"regexp.match(review.reason, "^INC-\\d+")"#, true),
            (r#"equals(review.reason, " INC-12 seen")"#, false),
            (r#"(equals(request.roles, "x") || equals(request.roles, "prod")) && !(equals("a", "b"))"#, true),
        ] {
            assert_eq!(Predicate::parse(text).unwrap().holds(&facts), holds, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_judged_is_refused_when_parsed() {
        for text in [
            "x",
            "contains(",
            r#"contains(reviewer.roles "x")"#,
            r#"contains(reviewer.shoes, "x")"#,
            r#"regexp.match(review.reason, "(")"#,
            r#"contains(reviewer.traits, "x")"#,
            r#"equals("a"#,
            r#"regexp.match(review.reason, "\d")"#,
        ] {
            assert!(Predicate::parse(text).is_err(), "{text}");
        }
        assert!(Predicate::parse(&"!".repeat(10_000)).is_err());
        assert!(Predicate::parse(&"(".repeat(10_000)).is_err());
    }
}
