//! Figures as people see them. They must never be judged by their looks, only by what they say and what they cannot do.

use tribunal_core::Timestamp;
use tribunal_ledger::schema::Time;
use tribunal_ledger::{Counts, Figures, Held, Hours, Period};

use super::*;

const HOSTILE: &str = "<script>alert('x')</script>\"&\u{202e}\n";

fn figures() -> Figures {
    let time = |millis| Time::from(Timestamp::from_millis(millis));
    let counts = Counts { approved: 3, denied: 2, locked: 1, ..Counts::default() };
    let held = Held {
        user: HOSTILE.to_owned(),
        request: "r-1".to_owned(),
        roles: vec![HOSTILE.to_owned()],
        resources: vec![HOSTILE.to_owned()],
        since: time(0),
        until: None,
        locked: true,
    };
    Figures {
        decisions: counts,
        rules: [(HOSTILE.to_owned(), counts), ("cap/within-cap".to_owned(), counts)].into(),
        faults: [(HOSTILE.to_owned(), 4)].into(),
        days: (0..200).map(|day| (time(day * 86_400_000), counts)).collect(),
        hours: Hours { asked_ms: 36_000_000, given_ms: 18_000_000, held_ms: 9_000_000 },
        held: vec![held],
        ..Figures::default()
    }
}

#[test]
fn a_page_asks_nobody_for_anything_and_runs_nothing_whatever_users_are_called() {
    let page = page::page(&figures(), &Period::default(), Time::from(Timestamp::default()));
    let lower = page.to_lowercase();
    for word in ["<script", "http://", "https://", "src=", "href=", "@import", "url(", "javascript:", "onload"] {
        assert!(!lower.contains(word), "{word}");
    }
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp; "), "it is shown as text");
    assert!(!page.contains('\u{202e}'));
    let (opened, closed) = (page.matches("<table").count(), page.matches("</table>").count());
    assert_eq!(opened, closed);
}

#[test]
fn each_plot_has_a_title_a_description_and_its_numbers_in_a_table() {
    let page = page::page(&figures(), &Period::default(), Time::from(Timestamp::default()));
    assert_eq!(page.matches("<svg").count(), 3);
    assert_eq!(page.matches("role=\"img\" aria-labelledby=").count(), 3);
    for id in ["days-t", "days-d", "rules-t", "rules-d", "hours-t", "hours-d"] {
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    assert!(page.contains("<html lang=\"en\">") && page.contains("<h1>") && page.contains("<main>"));
    assert!(page.contains("cap/within-cap</th><td class=\"n\">3</td><td class=\"n\">2</td>"));
    assert!(page.contains("10.0 hours asked for, 5.0 given, 2.5 held"));
}

#[test]
fn an_empty_ledger_has_a_report_too() {
    let empty = Figures::default();
    assert!(text::as_text(&empty).contains("records      none"));
    let page = page::page(&empty, &Period::default(), Time::from(Timestamp::default()));
    assert!(page.contains("not known: no request was decided"));
}

#[test]
fn spans_are_said_in_the_unit_that_fits() {
    let said: Vec<String> = [0, 999, 1_500, 61_000, 3_660_000, 200_000_000].map(span).into();
    assert_eq!(said, ["0 ms", "999 ms", "1.5 s", "1 min 1 s", "1 h 1 min", "2 days"]);
    assert_eq!(hours(5_400_000), "1.5");
}

#[test]
fn what_happened_to_the_daemon_is_told_in_its_order() {
    let time = |millis| Time::from(Timestamp::from_millis(millis));
    let itself = tribunal_ledger::Itself {
        runs: vec![tribunal_ledger::Run { started: time(1), stopped: Some(time(9)), detail: "version 1".to_owned() }],
        happenings: vec![tribunal_ledger::Happening {
            at: time(5),
            what: tribunal_core::record::Lifecycle::Overridden.into(),
            detail: HOSTILE.to_owned(),
        }],
        ..tribunal_ledger::Itself::default()
    };
    let text = itself::as_text(&itself);
    let at = |word: &str| text.find(word).unwrap_or(usize::MAX);
    assert!(at("started") < at("overridden") && at("overridden") < at("stopped"), "{text}");
}
