//! Asking for rights by asking for what they allow, against the simulated cluster: each verb makes its difference, and
//! nothing is left behind. And the server's clock, told by the same means.

use std::time::Duration;

use tribunal_core::Timestamp;
use tribunal_ports::{LeaseWish, Taken, Teleport as _};
use tribunal_teleport::Client;
use tribunal_teleport::client::{Answer, Ask};

use super::sim::dev;

/// All that any of them is about.
const RULES: [(&str, &[&str]); 6] = [
    ("access_request", &["list", "read", "update"]),
    ("lock", &["list", "read", "create", "update", "delete"]),
    ("semaphore", &["list", "read", "create", "update"]),
    ("user", &["read"]),
    ("user_login_state", &["read"]),
    ("role", &["list", "read"]),
];

/// The settings of a bot that may do all of it, but for one verb.
fn bot(without: Option<(&str, &str)>) -> String {
    let rule = |(kind, verbs): &(&str, &[&str])| {
        let verbs: Vec<_> = verbs.iter().filter(|verb| Some((*kind, **verb)) != without).collect();
        format!("{{ resources = [\"{kind}\"], verbs = {verbs:?} }}")
    };
    let rules: Vec<String> = RULES.iter().map(rule).collect();
    format!("review-requests = {{ roles = [\"*\"] }}\nrules = [{}]", rules.join(", "))
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
}

async fn is_granted(client: &Client, ask: Ask) -> bool {
    match client.ask(ask).await.unwrap() {
        Answer::Granted => true,
        Answer::Refused(_) => false,
        Answer::Untold(why) => panic!("{ask:?}: {why}"),
    }
}

#[tokio::test]
async fn whoever_may_is_told_so_and_nothing_is_left_behind() {
    let (running, _dir, client) = dev(&bot(None)).await;
    for ask in Ask::ALL {
        assert!(is_granted(&client, ask).await, "{ask:?}");
    }
    assert_eq!(running.handle().history().len(), 0);
    assert!(running.handle().with(|cluster, _| cluster.semaphores().is_empty()));
}

#[tokio::test]
async fn whoever_lacks_a_verb_is_refused_what_it_is_needed_for_and_nothing_else() {
    for (kind, verbs) in RULES {
        for verb in verbs {
            let (running, _dir, client) = dev(&bot(Some((kind, verb)))).await;
            for ask in Ask::ALL {
                let is_about = ask.about().iter().any(|(known, verbs)| *known == kind && verbs.contains(verb));
                assert_eq!(is_granted(&client, ask).await, !is_about, "{ask:?} without {kind}: {verb}");
            }
            assert_eq!(running.handle().history().len(), 0);
        }
    }
}

#[tokio::test]
async fn whoever_may_review_nothing_is_told_so() {
    let (_running, _dir, client) = dev("").await;
    assert!(!is_granted(&client, Ask::Review).await);
}

#[tokio::test]
async fn the_servers_clock_is_measured_without_a_trace() {
    let (running, _dir, client) = dev(&bot(None)).await;
    for skew_ms in [0, 3_000, -3_000, 600_000, -86_400_000] {
        running.handle().faults(|faults| faults.set_clock_skew_ms(skew_ms));
        let skew = client.measure_clock(now).await.unwrap().unwrap();
        let (least, most) = (skew.at_least_ms.unwrap(), skew.at_most_ms.unwrap());
        assert!(least <= skew_ms && skew_ms <= most, "{skew_ms}: {skew:?}");
        // Other tests run meanwhile.
        assert!(most - least < 60_000, "{skew_ms}: {skew:?}");
    }
    assert_eq!(running.handle().history().len(), 0);
    let (_running, _dir, client) = dev(&bot(Some(("semaphore", "update")))).await;
    assert_eq!(client.measure_clock(now).await.unwrap(), None);
}

#[tokio::test]
async fn who_holds_a_lease_is_seen_where_that_is_allowed() {
    let (_running, _dir, client) = dev(&bot(None)).await;
    assert_eq!(client.holders("dev", now()).await.unwrap(), Some(Vec::new()));
    let until = now().after(Duration::from_secs(60));
    let wish = LeaseWish { name: "dev".to_owned(), holder: "host/id".to_owned(), until };
    assert!(matches!(client.take_lease(wish).await.unwrap(), Taken::Ours { .. }));
    let holders = client.holders("dev", now()).await.unwrap().unwrap();
    assert_eq!(holders.len(), 1);
    assert_eq!((holders[0].name.as_str(), holders[0].until), ("host/id", Some(until)));
    assert_eq!(client.holders("another", now()).await.unwrap(), Some(Vec::new()));
    assert_eq!(client.holders("dev", until).await.unwrap(), Some(Vec::new()), "it is over by then");
    let (_running, _dir, client) = dev(&bot(Some(("semaphore", "list")))).await;
    assert_eq!(client.holders("dev", now()).await.unwrap(), None);
}
