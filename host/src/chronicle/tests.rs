//! What is told of each look, and what is not told twice. Nothing here waits.

use std::time::Duration;

use tribunal_core::Timestamp;
use tribunal_core::opinion::PolicyName;
use tribunal_core::record::Lifecycle;
use tribunal_engine::{Health, PolicyHealth};

use super::known::{Known, Who};
use crate::signs::PanelSeen;

fn who(serial: &str) -> Who {
    Who { serial: serial.to_owned(), told: format!("certificate {serial}") }
}

fn panel(health: Health, stale: Option<&str>) -> PanelSeen {
    let policies = vec![PolicyHealth { name: PolicyName::new("cap"), digest: None, health }];
    PanelSeen { policies, stale: stale.map(|why| (Timestamp::default(), why.to_owned())) }
}

fn asked() -> Health {
    Health::Asked { strikes: 0 }
}

fn quarantined() -> Health {
    Health::Quarantined { strikes: 5, again_in: Duration::from_secs(5) }
}

fn told(changes: Vec<(Lifecycle, String)>) -> Vec<(&'static str, String)> {
    changes.into_iter().map(|(what, detail)| (what.as_str(), detail)).collect()
}

#[test]
fn the_first_look_tells_who_and_what_and_the_next_only_what_is_different() {
    let mut known = Known::default();
    let first = told(known.changes(Some("aa"), &who("1"), &panel(asked(), None)));
    assert_eq!(
        first,
        [("configuration-read", "sha256:aa".to_owned()), ("identity-changed", "certificate 1".to_owned())]
    );
    assert_eq!(told(known.changes(Some("aa"), &who("1"), &panel(asked(), None))), []);
    // A file that is gone for a moment is no other one.
    assert_eq!(told(known.changes(None, &who("1"), &panel(asked(), None))), []);
    assert_eq!(told(known.changes(Some("aa"), &who("1"), &panel(asked(), None))), []);
    let later = told(known.changes(Some("bb"), &who("2"), &panel(asked(), None)));
    let [(_, configuration), (what, identity)] = later.as_slice() else { unreachable!("{later:?}") };
    assert!(configuration.starts_with("sha256:bb; of it the plugins"), "{configuration}");
    assert_eq!((*what, identity.as_str()), ("identity-changed", "certificate 2"));
}

#[test]
fn a_quarantine_is_told_when_it_begins_and_when_it_ends() {
    let mut known = Known::default();
    known.changes(None, &who("1"), &panel(asked(), None));
    let began = told(known.changes(None, &who("1"), &panel(quarantined(), None)));
    assert_eq!(began, [("quarantined", "policy `cap`: 5 faults in a row".to_owned())]);
    assert_eq!(told(known.changes(None, &who("1"), &panel(quarantined(), None))), []);
    let ended = told(known.changes(None, &who("1"), &panel(asked(), None)));
    assert_eq!(ended, [("quarantine-ended", "policy `cap`".to_owned())]);
}

#[test]
fn a_panel_that_is_refused_is_told_once_for_each_reason() {
    let mut known = Known::default();
    known.changes(None, &who("1"), &panel(asked(), None));
    for why in ["a", "b"] {
        let refused = told(known.changes(None, &who("1"), &panel(asked(), Some(why))));
        assert_eq!(refused, [("panel-refused", why.to_owned())]);
        assert_eq!(told(known.changes(None, &who("1"), &panel(asked(), Some(why)))), []);
    }
}
