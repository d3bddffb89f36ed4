//! Text as YAML, with comments, which libraries do not write. It must never let a text mean anything but itself, neither
//! to YAML 1.2 nor to Teleport's parser, which keeps habits of YAML 1.1.

/// How wide comments are.
const COLUMNS: usize = 100;
/// Plain words that are something else than a text to one parser or another, in lower case.
const NO_TEXTS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];

/// A file in the making.
#[derive(Debug, Default)]
pub(super) struct Page(String);

// === impl Page ===

impl Page {
    /// A line of YAML, indented.
    pub(super) fn line(&mut self, indent: usize, line: &str) {
        self.0.push_str(&" ".repeat(indent));
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// A comment, indented, in as many lines as it takes.
    pub(super) fn comment(&mut self, indent: usize, words: &str) {
        let mut line = String::from("#");
        for word in words.split_whitespace() {
            // Whatever could end a comment, or hide what follows from people.
            let word: String = word.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect();
            if line.chars().count() > 1 && indent + line.chars().count() + 1 + word.chars().count() > COLUMNS {
                self.line(indent, &std::mem::replace(&mut line, String::from("#")));
            }
            line.push(' ');
            line.push_str(&word);
        }
        self.line(indent, &line);
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A text as a scalar: plain where every parser takes it for this text, otherwise in double quotes.
pub(super) fn text(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(plain)
        && !NO_TEXTS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { quoted(text) }
}

/// Texts as a list on one line.
pub(super) fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|item| text(item.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_hidden(c) => quoted.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Control characters, line ends of YAML 1.1, marks of byte order and of direction.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        // No characters at all, which YAML does not take.
        || matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn parsed(yaml: &str) -> serde_json::Value {
        serde_saphyr::from_str(yaml).unwrap()
    }

    #[test]
    fn what_could_be_taken_for_something_else_is_quoted() {
        for plain in ["a", "prod-admin", "access_request", "/var/lib/x.y", "v7"] {
            assert_eq!(text(plain), plain);
        }
        let strange = [
            "", "*", "no", "Off", "NULL", "1e3", "0x1f", "~", "-", "- a", "a: b", "a #b", "&a", "!a", "%a", "\u{2028}",
            "1:30", ".inf", "\"", "\\",
        ];
        for strange in strange {
            assert!(text(strange).starts_with('"'), "{strange:?}");
            assert_eq!(parsed(&text(strange)), strange, "{strange:?}");
        }
        assert_eq!(list(&["*", "a", "on"]), r#"["*", a, "on"]"#);
    }

    #[test]
    fn a_comment_ends_with_its_line_and_keeps_to_its_width() {
        let mut page = Page::default();
        page.line(0, "a: 1");
        page.comment(4, &format!("one\nb: 2\u{2028}c: 3 {}", "word ".repeat(60)));
        let text = page.finish();
        assert_eq!(parsed(&text), serde_json::json!({ "a": 1 }));
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("    # ")), "{text}");
    }

    proptest! {
        #[test]
        fn whatever_a_text_is_it_is_read_back(one in any::<String>(), other in any::<String>()) {
            let yaml = format!("a: {}\nb: {}\n", text(&one), list(&[&one, &other]));
            prop_assert_eq!(parsed(&yaml), serde_json::json!({ "a": one, "b": [one, other] }));
        }
    }
}
