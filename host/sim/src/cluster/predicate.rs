//! The predicates of review thresholds and `review_requests.where`: `equals`, `contains`, `regexp.match`, `&&`, `||`, `!`. Evaluation is total:
//! an unknown identifier is found when a predicate is parsed, never later.

use std::collections::BTreeMap;

/// Deepest nesting of parentheses and negations.
const DEPTH_MAX: usize = 32;

/// A parsed predicate.
#[derive(Clone, Debug)]
pub(crate) enum Predicate {
    Always,
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    Not(Box<Predicate>),
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
        if text.trim().is_empty() {
            return Ok(Self::Always);
        }
        let mut parser = Parser { rest: text.trim_start(), depth: 0 };
        let predicate = parser.or()?;
        if parser.rest.is_empty() {
            Ok(predicate)
        } else {
            Err(format!("cannot read `{}`: join conditions with && or ||", parser.rest))
        }
    }

    pub(crate) fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::Always => true,
            Self::And(all) => all.iter().all(|one| one.holds(facts)),
            Self::Or(any) => any.iter().any(|one| one.holds(facts)),
            Self::Not(one) => !one.holds(facts),
            Self::Shares(one, two) => {
                let two = two.values(facts);
                one.values(facts).iter().any(|value| two.contains(value))
            }
            Self::Matches(one, regex) => one.values(facts).iter().any(|value| regex.is_match(value)),
        }
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

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("`{token}` expected before `{}`", self.rest)) }
    }

    fn or(&mut self) -> Result<Predicate, String> {
        let mut any = vec![self.and()?];
        while self.take("||") {
            any.push(self.and()?);
        }
        Ok(Predicate::Or(any))
    }

    fn and(&mut self) -> Result<Predicate, String> {
        let mut all = vec![self.unary()?];
        while self.take("&&") {
            all.push(self.unary()?);
        }
        Ok(Predicate::And(all))
    }

    fn unary(&mut self) -> Result<Predicate, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX}: simplify it"));
        }
        let predicate = if self.take("!") {
            Predicate::Not(Box::new(self.unary()?))
        } else if self.take("(") {
            let inner = self.or()?;
            self.expect(")")?;
            inner
        } else {
            self.call()?
        };
        self.depth -= 1;
        Ok(predicate)
    }

    fn call(&mut self) -> Result<Predicate, String> {
        let Some(function) = ["equals", "contains", "regexp.match"].into_iter().find(|name| self.take(name)) else {
            return Err(format!("no function at `{}`: use equals, contains or regexp.match", self.rest));
        };
        self.expect("(")?;
        let one = self.operand()?;
        self.expect(",")?;
        let two = self.operand()?;
        self.expect(")")?;
        match (function, two) {
            ("regexp.match", Operand::Literal(pattern)) => regex_lite::Regex::new(&pattern)
                .map(|regex| Predicate::Matches(one, regex))
                .map_err(|error| format!("pattern `{pattern}`: {error}: correct it")),
            ("regexp.match", Operand::Path(..)) => {
                Err("regexp.match needs a pattern in quotes as its second argument".to_owned())
            }
            (_, two) => Ok(Predicate::Shares(one, two)),
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        if self.take("\"") {
            return self.quoted().map(Operand::Literal);
        }
        let Some((_, path)) = PATHS.into_iter().find(|(name, _)| self.take(name)) else {
            return Err(format!(
                "nothing known at `{}`: use a text in quotes or one of {}",
                self.rest,
                PATHS.map(|(name, _)| name).join(", ")
            ));
        };
        let is_map = matches!(path, Path::ReviewerTraits | Path::ReviewAnnotations | Path::RequestAnnotations);
        let key = if self.take("[") {
            self.expect("\"")?;
            let key = self.quoted()?;
            self.expect("]")?;
            Some(key)
        } else {
            None
        };
        if is_map == key.is_some() {
            Ok(Operand::Path(path, key))
        } else {
            Err("traits and annotations, and only they, need a key in brackets".to_owned())
        }
    }

    /// After the opening quote.
    fn quoted(&mut self) -> Result<String, String> {
        let Some((text, rest)) = self.rest.split_once('"') else {
            return Err("a text has no closing quote".to_owned());
        };
        let text = text.to_owned();
        self.rest = rest.trim_start();
        Ok(text)
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
        ] {
            assert!(Predicate::parse(text).is_err(), "{text}");
        }
        assert!(Predicate::parse(&"!".repeat(10_000)).is_err());
        assert!(Predicate::parse(&"(".repeat(10_000)).is_err());
    }
}
