//! The predicates of resource lists: `name == "x"`, `labels["k"] == "v"`, `!=`, `&&`, `||`, `!`. Evaluation is total: what is unknown is found
//! when a predicate is parsed, never later.

use super::expression::{Cursor, Expression};
use super::resources::Listed;

/// Longest predicate, in bytes.
const PREDICATE_BYTES_MAX: usize = 64 * 1024;

/// A parsed predicate.
#[derive(Clone, Debug)]
pub(super) struct ResourcePredicate(Expression<Equal>);

/// Both operands have the same value.
#[derive(Clone, Debug)]
struct Equal(Operand, Operand);

/// Something with a value.
#[derive(Clone, Debug)]
enum Operand {
    Literal(String),
    Name,
    Kind,
    /// The label of this key; empty where there is none.
    Label(String),
}

impl ResourcePredicate {
    /// The empty text is always true.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > PREDICATE_BYTES_MAX {
            return Err(format!("predicate is longer than {PREDICATE_BYTES_MAX} bytes"));
        }
        Expression::parse(text, comparison).map(Self)
    }

    pub(super) fn holds(&self, resource: &Listed<'_>) -> bool {
        self.0.holds(&|Equal(one, two)| one.value(resource) == two.value(resource))
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

fn comparison(cursor: &mut Cursor<'_>) -> Result<Expression<Equal>, String> {
    let one = operand(cursor)?;
    if cursor.take("==") {
        return Ok(Expression::One(Equal(one, operand(cursor)?)));
    }
    cursor.expect("!=")?;
    Ok(Expression::Not(Box::new(Expression::One(Equal(one, operand(cursor)?)))))
}

fn operand(cursor: &mut Cursor<'_>) -> Result<Operand, String> {
    if let Some(text) = cursor.text()? {
        return Ok(Operand::Literal(text));
    }
    let letters = cursor.rest().chars();
    let word: String = letters.take_while(|letter| letter.is_ascii_alphanumeric() || "._".contains(*letter)).collect();
    cursor.take(&word);
    match word.as_str() {
        "name" | "resource.metadata.name" => Ok(Operand::Name),
        "resource.kind" => Ok(Operand::Kind),
        "labels" | "resource.metadata.labels" => match cursor.key()? {
            Some(key) => Ok(Operand::Label(key)),
            None => Err(format!("`[` expected before `{}`", cursor.rest())),
        },
        other => match other.strip_prefix("labels.") {
            Some(key) if !key.is_empty() => Ok(Operand::Label(key.to_owned())),
            Some(_) | None => Err(format!(
                "nothing known at `{other}{}`: use a text in quotes, name, resource.metadata.name, resource.kind, labels.k or labels[\"k\"]",
                cursor.rest()
            )),
        },
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
