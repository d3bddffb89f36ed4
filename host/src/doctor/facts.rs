//! The files of facts: whether they can be read, and are fresh. It must never change one.

use futures::FutureExt as _;
use tribunal_core::Timestamp;
use tribunal_core::case::Fact;
use tribunal_ports::Clock as _;

use super::checks::Looking;
use super::finding::Finding;
use super::here::gone;
use super::seen::Seen;
use crate::clock::SystemClock;
use crate::config;
use crate::facts::Facts;

pub(super) fn look(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(config) = &seen.config else { return gone() };
        if config.facts.is_empty() {
            return vec![Finding::skipped("no facts are configured")];
        }
        let configured = config.facts.clone();
        let looking = tokio::task::spawn_blocking(move || judge(&configured, SystemClock.now()));
        looking.await.unwrap_or_else(|bug| vec![Finding::failed(bug.to_string(), "please report this bug")])
    }
    .boxed()
}

fn judge(configured: &[config::Fact], now: Timestamp) -> Vec<Finding> {
    let mut facts = Facts::new(configured);
    let seen = facts.look(now);
    let one = |((config, seen), trouble): ((&config::Fact, &Fact), Option<&str>)| {
        let name = format!("facts.{}", config.name);
        finding(config, seen, trouble, now).named(name)
    };
    configured.iter().zip(seen.iter()).zip(facts.troubles()).map(one).collect()
}

fn finding(config: &config::Fact, seen: &Fact, trouble: Option<&str>, now: Timestamp) -> Finding {
    let file = config.file.display();
    if let Some(why) = trouble {
        let what = format!("`{file}` cannot be used: {why}");
        return Finding::warning(what, "mend what writes it; until then policies are told that it is not fresh");
    }
    let (age, most) = (now.since(seen.fetched).as_secs(), config.max_age.as_secs());
    if seen.fresh {
        return Finding::ok(format!("`{file}` was written {age} s ago; {most} s is the most"));
    }
    let what = format!("`{file}` is not fresh: it was written {age} s ago, and {most} s is the most");
    Finding::warning(
        what,
        "see to what writes it, or raise `max-age`; whatever writes it touches it also when nothing changes",
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use super::*;
    use crate::doctor::finding::Outcome;

    #[test]
    fn files_that_are_missing_broken_or_old_are_warned_of() {
        let dir = tempfile::tempdir().unwrap();
        let fact = |name: &str| {
            let file = dir.path().join(format!("{name}.json"));
            config::Fact { name: name.to_owned(), file, max_age: Duration::from_secs(60) }
        };
        let configured = ["broken", "fresh", "missing"].map(fact);
        std::fs::write(dir.path().join("broken.json"), "{").unwrap();
        std::fs::write(dir.path().join("fresh.json"), "{}").unwrap();
        let now = SystemClock.now();
        let outcomes = |now| -> Vec<_> {
            judge(&configured, now).into_iter().map(|finding| (finding.name, finding.outcome)).collect()
        };
        let like = |fresh| {
            [("broken", Outcome::Warning), ("fresh", fresh), ("missing", Outcome::Warning)]
                .map(|(name, outcome)| (format!("facts.{name}"), outcome))
        };
        assert_eq!(outcomes(now), like(Outcome::Ok));
        assert_eq!(outcomes(now.after(Duration::from_secs(61))), like(Outcome::Warning));
    }
}
