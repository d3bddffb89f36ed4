//! Lists and words in reasons.
//! It must never let a list grow without end: a requester chooses how many roles there are.

/// At most this many names are listed in a reason.
pub const NAMES_COUNT_MAX: usize = 10;

/// Names for people: `` `a`, `b` and 3 more ``.
#[must_use]
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    let shown = quoted.get(..NAMES_COUNT_MAX).unwrap_or(&quoted).join(", ");
    match quoted.len().saturating_sub(NAMES_COUNT_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Alternatives for people: `` `a`, `b` or `c` ``.
#[must_use]
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().take(NAMES_COUNT_MAX).map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.join(""),
    }
}

/// A number with its noun: `1 word`, `3 words`.
#[must_use]
pub fn said(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_like_sentences_and_end() {
        assert_eq!(listed([]), "");
        assert_eq!(listed(["a", "b"]), "`a`, `b`");
        assert_eq!(listed(["x"; 12]), format!("{} and 2 more", ["`x`"; 10].join(", ")));
        assert_eq!([one_of([]), one_of(["a"]), one_of(["a", "b", "c"])], ["", "`a`", "`a`, `b` or `c`"]);
        assert_eq!([said(1, "word"), said(2, "word")], ["1 word", "2 words"]);
    }
}
