//! Go's way to write flags, for those of Teleport's sample watcher: `-poll-interval=30s` is `--poll-interval=30s`. It
//! touches no other command and no other flag.

use std::ffi::{OsStr, OsString};

/// A flag of the sample watcher.
struct Flag {
    /// Its name there.
    go: &'static str,
    /// Its long name here.
    ours: &'static str,
    /// Whether it takes a value; if not it may have one behind `=`.
    takes_value: bool,
}

const FLAGS: [Flag; 8] = [
    Flag { go: "p", ours: "--proxy", takes_value: true },
    Flag { go: "i", ours: "--identity", takes_value: true },
    Flag { go: "m", ours: "--max-resources", takes_value: true },
    Flag { go: "poll-interval", ours: "--poll-interval", takes_value: true },
    Flag { go: "conflict-patterns", ours: "--conflict-patterns", takes_value: true },
    Flag { go: "d", ours: "--debug", takes_value: false },
    Flag { go: "resource-limit", ours: "--resource-limit", takes_value: false },
    Flag { go: "role-conflicts", ours: "--role-conflicts", takes_value: false },
];

/// The arguments in the form that the parser knows.
pub(super) fn rewrite(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter();
    let mut rewritten: Vec<OsString> = arguments.by_ref().take(2).collect();
    if rewritten.get(1).map(OsString::as_os_str) != Some(OsStr::new("run")) {
        rewritten.extend(arguments);
        return rewritten;
    }
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            rewritten.push(argument);
            break;
        }
        rewritten.push(match argument.to_str().and_then(recognise) {
            None => argument,
            Some((flag, Some(value))) => joined(flag.ours, OsStr::new(value)),
            Some((flag, None)) if flag.takes_value => match arguments.next() {
                // Whatever it looks like, as in Go: `-m -1` gets the error that is about numbers.
                Some(value) => joined(flag.ours, &value),
                None => flag.ours.into(),
            },
            Some((flag, None)) => flag.ours.into(),
        });
    }
    rewritten.extend(arguments);
    rewritten
}

/// The flag that an argument is, and the value behind its `=`. Go makes no difference between one dash and two.
fn recognise(argument: &str) -> Option<(&'static Flag, Option<&str>)> {
    let word = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'))?;
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    FLAGS.iter().find(|flag| flag.go == name).map(|flag| (flag, value))
}

fn joined(flag: &str, value: &OsStr) -> OsString {
    let mut joined = OsString::from(flag);
    joined.push("=");
    joined.push(value);
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(arguments: &str) -> String {
        let arguments = arguments.split(' ').map(OsString::from);
        rewrite(arguments).join(OsStr::new(" ")).into_string().unwrap_or_default()
    }

    #[test]
    fn one_dash_and_two_are_the_same() {
        for (given, expected) in [
            ("tribunal run -p a:1 -i f -m 3", "tribunal run --proxy=a:1 --identity=f --max-resources=3"),
            ("tribunal run -p=a:1 --p a:1", "tribunal run --proxy=a:1 --proxy=a:1"),
            ("tribunal run -poll-interval=30s", "tribunal run --poll-interval=30s"),
            ("tribunal run -conflict-patterns a,b", "tribunal run --conflict-patterns=a,b"),
            ("tribunal run --conflict-patterns a,b", "tribunal run --conflict-patterns=a,b"),
            ("tribunal run -resource-limit=false -d", "tribunal run --resource-limit=false --debug"),
            ("tribunal run -d=false -role-conflicts", "tribunal run --debug=false --role-conflicts"),
            ("tribunal run -m -1 -d", "tribunal run --max-resources=-1 --debug"),
            ("tribunal run -m", "tribunal run --max-resources"),
        ] {
            assert_eq!(rewritten(given), expected, "{given}");
        }
    }

    #[test]
    fn nothing_else_is_touched() {
        for given in [
            "tribunal run --config tribunal.toml --dry-run --identity-file f",
            "tribunal run -x -poll -polling-interval=30s -m3 -pa:1",
            "tribunal run -- -p a:1",
            "tribunal dev -p a:1 -d",
            "tribunal",
        ] {
            assert_eq!(rewritten(given), given);
        }
    }
}
