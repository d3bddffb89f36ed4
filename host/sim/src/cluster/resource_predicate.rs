//! The predicates of resource lists: `name == "x"`, `labels["k"] == "v"`, `!=`, `&&`, `||`, `!`. Evaluation is total: what is unknown is found
//! when a predicate is parsed, never later.

use super::resources::Listed;

/// Deepest nesting of parentheses and negations.
const DEPTH_MAX: usize = 32;
/// Longest predicate, in bytes.
const PREDICATE_BYTES_MAX: usize = 64 * 1024;

/// A parsed predicate.
#[derive(Clone, Debug)]
pub(super) enum ResourcePredicate {
    Always,
    And(Vec<ResourcePredicate>),
    Or(Vec<ResourcePredicate>),
    Not(Box<ResourcePredicate>),
    Equal(Operand, Operand),
}

/// Something with a value.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Literal(String),
    Name,
    Kind,
    /// The label of this key; empty where there is none.
    Label(String),
}

impl ResourcePredicate {
    /// The empty text is always true.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::Always);
        }
        if text.len() > PREDICATE_BYTES_MAX {
            return Err(format!("predicate is longer than {PREDICATE_BYTES_MAX} bytes"));
        }
        let mut parser = Parser { rest: text.trim_start(), depth: 0 };
        let predicate = parser.or()?;
        if parser.rest.is_empty() {
            Ok(predicate)
        } else {
            Err(format!("cannot read `{}`: join conditions with && or ||", parser.rest))
        }
    }

    pub(super) fn holds(&self, resource: &Listed<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::And(all) => all.iter().all(|one| one.holds(resource)),
            Self::Or(any) => any.iter().any(|one| one.holds(resource)),
            Self::Not(one) => !one.holds(resource),
            Self::Equal(one, two) => one.value(resource) == two.value(resource),
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, resource: &Listed<'a>) -> &'a str {
        match self {
            Self::Literal(text) => text,
            Self::Name => resource.name,
            Self::Kind => resource.kind,
            Self::Label(key) => resource.labels.get(key).map_or("", String::as_str),
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

    fn or(&mut self) -> Result<ResourcePredicate, String> {
        let mut any = vec![self.and()?];
        while self.take("||") {
            any.push(self.and()?);
        }
        Ok(ResourcePredicate::Or(any))
    }

    fn and(&mut self) -> Result<ResourcePredicate, String> {
        let mut all = vec![self.unary()?];
        while self.take("&&") {
            all.push(self.unary()?);
        }
        Ok(ResourcePredicate::And(all))
    }

    fn unary(&mut self) -> Result<ResourcePredicate, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX}: simplify it"));
        }
        let predicate = if self.take("!") {
            ResourcePredicate::Not(Box::new(self.unary()?))
        } else if self.take("(") {
            let inner = self.or()?;
            self.expect(")")?;
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(predicate)
    }

    fn comparison(&mut self) -> Result<ResourcePredicate, String> {
        let one = self.operand()?;
        if self.take("==") {
            return Ok(ResourcePredicate::Equal(one, self.operand()?));
        }
        self.expect("!=")?;
        Ok(ResourcePredicate::Not(Box::new(ResourcePredicate::Equal(one, self.operand()?))))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        if self.take_raw("\"") {
            return self.quoted().map(Operand::Literal);
        }
        let word: String =
            self.rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || "._".contains(*letter)).collect();
        self.take(&word);
        match word.as_str() {
            "name" | "resource.metadata.name" => Ok(Operand::Name),
            "resource.kind" => Ok(Operand::Kind),
            "labels" | "resource.metadata.labels" => {
                self.expect("[")?;
                if !self.take_raw("\"") {
                    return Err(format!("a key in quotes expected before `{}`", self.rest));
                }
                let key = self.quoted()?;
                self.expect("]")?;
                Ok(Operand::Label(key))
            }
            other => match other.strip_prefix("labels.") {
                Some(key) if !key.is_empty() => Ok(Operand::Label(key.to_owned())),
                Some(_) | None => Err(format!(
                    "nothing known at `{other}{}`: use a text in quotes, name, resource.metadata.name, resource.kind, labels.k or labels[\"k\"]",
                    self.rest
                )),
            },
        }
    }

    /// As `take`, without skipping blanks: they may belong to a text.
    fn take_raw(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// After the opening quote. A text is one of Go's: `\"` and `\\`, and no line breaks.
    fn quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        let mut letters = self.rest.chars();
        loop {
            match letters.next() {
                Some('"') => {
                    self.rest = letters.as_str().trim_start();
                    return Ok(text);
                }
                Some('\\') => match letters.next() {
                    Some(escaped @ ('"' | '\\')) => text.push(escaped),
                    Some(_) | None => return Err("a text has an escape other than \\\" and \\\\".to_owned()),
                },
                Some('\n') | None => return Err("a text has no closing quote".to_owned()),
                Some(letter) => text.push(letter),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;

    use super::*;

    fn labels() -> BTreeMap<String, String> {
        [("env", "prod"), ("a b", " x "), ("quote", "\"\\")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn predicates_hold_as_written() {
        let labels = labels();
        let resource = Listed { kind: "node", name: "n1", labels: &labels };
        for (text, holds) in [
            ("", true),
            (r#"name == "n1""#, true),
            (r#"name == "n2""#, false),
            (r#"name != "n2""#, true),
            (r#""n1"==name"#, true),
            (r#"resource.metadata.name == "n2" || resource.metadata.name == "n1""#, true),
            (r#"labels["env"] == "prod" && name == "n1""#, true),
            (r#"labels.env == "prod" && !(name == "n1")"#, false),
            (r#"labels["a b"] == " x ""#, true),
            (r#"labels["quote"] == "\"\\""#, true),
            (r#"labels["none"] == """#, true),
            (r#"resource.metadata.labels["env"] == "lab""#, false),
            (r#"resource.kind == "node""#, true),
            (r#"name == "x" && name == "y" || name == "n1""#, true),
        ] {
            assert_eq!(ResourcePredicate::parse(text).unwrap().holds(&resource), holds, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_judged_is_refused_when_parsed() {
        for text in [
            "x",
            "name",
            "name =",
            r#"name = "n1""#,
            r#"name == "n1"#,
            r#"name == "a\n""#,
            "name == \"a\nb\"",
            r#"name == "a" name == "b""#,
            r#"labels == "a""#,
            r#"labels[env] == "a""#,
            r#"labels. == "a""#,
            r#"hostname == "a""#,
            r#"(name == "a""#,
        ] {
            assert!(ResourcePredicate::parse(text).is_err(), "{text}");
        }
        assert!(ResourcePredicate::parse(&"!".repeat(10_000)).is_err());
        assert!(ResourcePredicate::parse(&"(".repeat(10_000)).is_err());
        assert!(ResourcePredicate::parse(&format!("name == \"{}\"", "x".repeat(PREDICATE_BYTES_MAX))).is_err());
    }
}
