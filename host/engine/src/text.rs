//! What text of a policy may look like before it reaches people, logs and terminals; it never changes a meaning.

use std::borrow::Cow;

/// The longest name of a policy or rule, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 64;

/// Whether `text` is lower case words joined by `-`: words of `a-z` and `0-9`, the first of which begins with a letter,
/// at most [`NAME_BYTES_MAX`] bytes.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

/// Whether `text` is a semantic version: three numbers, then perhaps a pre-release and a build.
pub(crate) fn is_version(text: &str) -> bool {
    let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (numbers, pre) = rest.split_once('-').map_or((rest, None), |(numbers, pre)| (numbers, Some(pre)));
    let number = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'))
    };
    let label = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    text.len() <= NAME_BYTES_MAX
        && numbers.split('.').count() == 3
        && numbers.split('.').all(number)
        && [pre, build].into_iter().flatten().all(|labels| labels.split('.').all(label))
}

/// `text` with a space in place of each character that moves a cursor, breaks a line or reorders what is read.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(is_unfit) { Cow::Owned(text.replace(is_unfit, " ")) } else { Cow::Borrowed(text) }
}

/// `text` cleaned and cut to at most `bytes_max` bytes, for the operator alone: a requester is never shown half a
/// sentence.
pub(crate) fn clip(text: &str, bytes_max: usize) -> String {
    let end = text.floor_char_boundary(bytes_max);
    let kept = text.get(..end).unwrap_or_default();
    let mut clipped = clean(kept).into_owned();
    if end < text.len() {
        clipped.push('…');
    }
    clipped
}

/// Control characters, line and paragraph separators, and the marks that change the direction of writing.
fn is_unfit(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_words_joined_by_hyphens() {
        for good in ["cap", "over-cap", "a1-2b", &"a".repeat(NAME_BYTES_MAX)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-", "a-", "-a", "a--b", "A", "1a", "a_b", "a b", "ä", "a\n", &"a".repeat(NAME_BYTES_MAX + 1)]
        {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_version_is_semantic() {
        for good in ["0.1.0", "1.2.3-rc.1+linux", "10.0.0+1"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "1.2.3-", "1.2.3+", "1.2.3-a..b", "1.2.3 "] {
            assert!(!is_version(bad), "{bad:?}");
        }
    }

    #[test]
    fn text_cannot_move_a_terminal() {
        assert_eq!(clean("two\r\nlines\u{1b}[31m\u{202e}\u{85}"), "two  lines [31m  ");
        assert_eq!(clean("ordinary wörds"), "ordinary wörds");
        assert_eq!(clip("aä\n", 2), "a…");
        assert_eq!(clip("aä\n", 4), "aä ");
    }
}
