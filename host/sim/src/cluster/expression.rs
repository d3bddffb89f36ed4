//! What all of Teleport's predicates share: conditions joined by `&&`, `||`, `!` and parentheses, over whatever a condition is. It knows
//! no condition itself.

/// Deepest nesting of parentheses and negations.
const DEPTH_MAX: usize = 32;

/// Conditions of the kind `A`, joined.
#[derive(Clone, Debug)]
pub(super) enum Expression<A> {
    Always,
    And(Vec<Expression<A>>),
    Or(Vec<Expression<A>>),
    Not(Box<Expression<A>>),
    One(A),
}

impl<A> Expression<A> {
    /// Reads a predicate; `condition` reads one condition of it. The empty text is always true.
    pub(super) fn parse(
        text: &str,
        condition: fn(&mut Cursor<'_>) -> Result<Expression<A>, String>,
    ) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::Always);
        }
        let mut cursor = Cursor { rest: text.trim_start(), depth: 0 };
        let expression = Self::any(&mut cursor, condition)?;
        if cursor.rest.is_empty() {
            Ok(expression)
        } else {
            Err(format!("cannot read `{}`: join conditions with && or ||", cursor.rest))
        }
    }

    /// Whether it holds, where `judge` says whether one condition does.
    pub(super) fn holds(&self, judge: &impl Fn(&A) -> bool) -> bool {
        match self {
            Self::Always => true,
            Self::And(all) => all.iter().all(|one| one.holds(judge)),
            Self::Or(any) => any.iter().any(|one| one.holds(judge)),
            Self::Not(one) => !one.holds(judge),
            Self::One(condition) => judge(condition),
        }
    }

    fn any(cursor: &mut Cursor<'_>, condition: fn(&mut Cursor<'_>) -> Result<Self, String>) -> Result<Self, String> {
        let mut any = vec![Self::all(cursor, condition)?];
        while cursor.take("||") {
            any.push(Self::all(cursor, condition)?);
        }
        Ok(Self::Or(any))
    }

    fn all(cursor: &mut Cursor<'_>, condition: fn(&mut Cursor<'_>) -> Result<Self, String>) -> Result<Self, String> {
        let mut all = vec![Self::unary(cursor, condition)?];
        while cursor.take("&&") {
            all.push(Self::unary(cursor, condition)?);
        }
        Ok(Self::And(all))
    }

    fn unary(cursor: &mut Cursor<'_>, condition: fn(&mut Cursor<'_>) -> Result<Self, String>) -> Result<Self, String> {
        cursor.depth += 1;
        if cursor.depth > DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX}: simplify it"));
        }
        let expression = if cursor.take("!") {
            Self::Not(Box::new(Self::unary(cursor, condition)?))
        } else if cursor.take("(") {
            let inner = Self::any(cursor, condition)?;
            cursor.expect(")")?;
            inner
        } else {
            condition(cursor)?
        };
        cursor.depth -= 1;
        Ok(expression)
    }
}

/// How far a predicate is read.
pub(super) struct Cursor<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Cursor<'a> {
    /// What is still to be read.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    /// Goes past this token and the blanks behind it, if it comes next.
    pub(super) fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.map_or(self.rest, str::trim_start);
        rest.is_some()
    }

    pub(super) fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("`{token}` expected before `{}`", self.rest)) }
    }

    /// A text in quotes, if one comes next. It is one of Go's: `\"` and `\\`, and no line breaks.
    pub(super) fn text(&mut self) -> Result<Option<String>, String> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut letters = quoted.chars();
        loop {
            match letters.next() {
                Some('"') => {
                    self.rest = letters.as_str().trim_start();
                    return Ok(Some(text));
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

    /// A key in quotes and brackets, if a bracket comes next.
    pub(super) fn key(&mut self) -> Result<Option<String>, String> {
        if !self.take("[") {
            return Ok(None);
        }
        let Some(key) = self.text()? else {
            return Err(format!("a key in quotes expected before `{}`", self.rest));
        };
        self.expect("]")?;
        Ok(Some(key))
    }
}
