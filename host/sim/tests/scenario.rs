//! The scenario file: its documentation is true, and its errors name line and remedy.

#![expect(clippy::unwrap_used, reason = "tests")]

use tribunal_sim::{Cluster, Moment, Scenario};

#[test]
fn the_documented_example_is_valid_and_uses_every_key() {
    let document = include_str!("../SCENARIO.md");
    let example = document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let scenario = Scenario::parse(example).unwrap();
    assert_eq!(scenario.faults.error.len() + scenario.faults.lost_reply.len(), 2);
    let cluster = Cluster::new(&scenario, Moment::from_unix_ms(1_800_000_000_000));
    let request = cluster.requests().values().next().unwrap().spec.clone().unwrap();
    assert_eq!(request.roles, ["node-access"]);
    // Keys of all structures that can be written, so that a new one must be documented.
    for key in [
        "sweep",
        "interval",
        "pending-grace",
        "requests-max",
        "deny-rules",
        "previews-resources",
        "review-requests",
        "preview-as-roles",
        "max-session-ttl",
        "request-access",
        "request-prompt",
        "search-as-roles",
        "max-duration",
        "suggested-reviewers",
        "annotations",
        "reason",
        "thresholds",
        "filter",
        "node-labels",
        "traits",
        "login-roles",
        "logged-in",
        "active-requests",
        "bot",
        "labels",
        "kind",
        "resolve-reason",
        "age",
        "expires-in",
        "starts-in",
        "long-term",
        "seed",
        "latency",
        "latency-jitter",
        "clock-skew",
        "stale-list",
        "drop-watch-after",
        "cache-down",
        "message",
        "next",
        "probability",
        "admin-mfa",
        "enterprise",
        "release",
        "version",
        "lacks",
        "oldest-client",
    ] {
        assert!(
            example.contains(&format!("{key} = ")) || example.contains(&format!("[{key}]")),
            "{key} is not documented"
        );
    }
}

#[test]
fn every_mistake_is_reported_with_its_line_and_remedy() {
    let base = "cluster = \"c\"\n[[role]]\nname = \"r\"\n[[user]]\nname = \"u\"\nroles = [\"r\"]\n";
    for (addition, wanted) in [
        ("colour = 1", "line 7: unknown field `colour`"),
        (
            "[[user]]\nname = \"v\"\nroles = [\n  \"nope\",\n]",
            "line 10: user `v` has the role `nope`, which is not defined: add a [[role]] for it",
        ),
        ("[[user]]\nname = \"u\"", "line 8: user `u` is there twice (or is the bot): rename one"),
        ("[[user]]\nname = \"../x\"", "line 8: user `../x` cannot be a file name: use letters"),
        ("[[role]]\nname = \"r\"", "line 8: role `r` is there twice"),
        (
            "[[role]]\nname = \"s\"\n[role.allow.request]\nroles = [\"nope\"]",
            "line 10: `request.roles` names the role `nope`",
        ),
        (
            "[[role]]\nname = \"s\"\n[role.allow.request]\nsearch-as-roles = [\"nope\"]",
            "line 10: `search-as-roles` names the role `nope`",
        ),
        (
            "[[role]]\nname = \"s\"\n[role.allow]\nreview-requests = { preview-as-roles = [\"nope\"] }",
            "line 10: `preview-as-roles` names the role `nope`",
        ),
        (
            "[[role]]\nname = \"s\"\n[[role.allow.rules]]\nresources = [\"lock\"]\nverbs = [\"lst\"]",
            "line 11: `lst` is not a verb: use one of",
        ),
        (
            "[[request]]\nuser = \"w\"\nroles = [\"r\"]",
            "line 8: request of user `w`, who is not defined: add a [[user]] for them",
        ),
        (
            "[[request]]\nuser = \"u\"\nresources = [\"node-1\"]",
            "line 9: `node-1` is not a resource: write /cluster/kind/name, such as /c/node/node-1",
        ),
        ("[[request]]\nuser = \"u\"", "line 8: request asks for nothing: give it `roles` or `resources`"),
        ("[[request]]\nid = \"x\"\nuser = \"u\"\nroles = [\"r\"]", "line 8: `x` is not a UUID"),
        (
            "[[request]]\nuser = \"u\"\nroles = [\"r\"]\nage = \"long\"",
            "line 10: `long` is not a length of time: write a number and a unit",
        ),
        ("[[node]]\nname = \"n\"\n[[node]]\nname = \"n\"", "line 10: node `n` is there twice: rename one"),
        ("[[faults.error]]\nmethod = \"Ping\"\ncode = \"unavailable\"", "line 8: give either `next` or `probability`"),
        ("[[faults.lost-reply]]\nmethod = \"Ping\"\nprobability = 2.0", "line 8: `probability` is 2: use 0 to 1"),
        ("[[faults.error]]\nmethod = \"Ping\"\ncode = \"sick\"\nnext = 1", "line 9: unknown variant `sick`"),
        (
            "[[role]]\nname = \"s\"\n[role.allow.request]\nthresholds = [{ filter = \"moon\" }]",
            "line 10: predicate `moon`: no function at `moon`",
        ),
        ("[sweep]\ninterval = \"0s\"", "`interval` must be longer than nothing"),
    ] {
        let problems = Scenario::parse(&format!("{base}{addition}\n")).unwrap_err().problems;
        assert!(
            problems.iter().any(|problem| problem.contains(wanted)),
            "{addition}\n  gives {problems:?}\n  not {wanted}"
        );
    }
}

#[test]
fn a_release_or_version_or_method_that_is_none_is_reported_with_its_line() {
    for (addition, wanted) in [
        ("release = 15", "line 2: release 15 cannot be simulated: use 16, 17, 18 or 19"),
        ("version = \"18\"", "line 2: `18` is not a version: write three numbers, such as 18.2.0"),
        ("oldest-client = 'x'", "line 2: `x` is not a version: "),
        (
            "lacks = [\n  \"Ping\",\n  \"Pong\",\n]",
            "line 4: `Pong` is not a method that can be lacking: see SCENARIO.md",
        ),
    ] {
        let problems = Scenario::parse(&format!("cluster = \"c\"\n{addition}\n")).unwrap_err().problems;
        assert!(problems.iter().any(|problem| problem.contains(wanted)), "{addition}\n  gives {problems:?}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = "cluster = \"c\"\n[[user]]\nname = \"u\"\nroles = [\"x\"]\n[[request]]\nuser = \"w\"\n";
    assert_eq!(Scenario::parse(text).unwrap_err().problems.len(), 3);
}

#[test]
fn no_text_makes_the_parser_panic() {
    for text in [
        "",
        "=",
        "cluster",
        "[[role]]",
        "cluster = 1",
        "cluster = \"c\"\n[[user]]\nname = \"é\u{0}\"",
        "\u{feff}cluster = \"c\"",
        "[faults]\nlatency = \"9223372036854775807d\"",
    ] {
        let _ = Scenario::parse(text);
    }
}
