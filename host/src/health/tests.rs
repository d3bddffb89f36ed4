//! What is shown of signs that are told by hand.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use tribunal_core::Status;
use tribunal_core::record::{Lifecycle, Record};
use tribunal_core::request::RequestState;

use super::*;
use crate::daemon::lease::Stand;
use crate::signs::tests::{NOW, Told, request, seeing};

fn seen(expires: u64) -> Seen {
    Seen { user: "bot-tribunal".to_owned(), expires: Timestamp::from_secs(expires), renewals: 3, ..Seen::default() }
}

/// An outlook with an identity for an hour.
pub(super) fn outlook(told: &Told) -> Outlook {
    Outlook::new(Arc::clone(&told.signs), || Outside { identity: Some(seen(NOW + 3_600)), ..Outside::default() })
}

fn blind(why: &str) -> Option<Status> {
    Some(Status { blind: Some(why.to_owned()), ..seeing(NOW) })
}

/// The one obstacle that there is.
fn obstacle(told: &Told) -> String {
    let why = outlook(told).obstacles();
    assert_eq!(why.len(), 1, "{why:?}");
    why.concat()
}

#[test]
fn a_daemon_that_sees_and_can_write_is_ready() {
    assert_eq!(outlook(&Told::seeing()).obstacles(), Vec::<String>::new());
}

#[test]
fn each_obstacle_makes_it_unready_and_is_named() {
    let told = Told::new();
    assert_eq!(obstacle(&told), "it is starting");
    told.status.send_replace(Some(seeing(NOW)));

    told.append(Err("disk full"));
    assert_eq!(obstacle(&told), "the ledger cannot be written since 2027-01-15T08:00:00Z: disk full");
    told.append(Ok(()));

    told.status.send_replace(blind("the full list failed: refused"));
    assert_eq!(obstacle(&told), "it does not see the cluster: the full list failed: refused");
    told.status.send_replace(Some(seeing(NOW)));

    told.status.send_replace(Some(Status { tripped: Some("9 locks".to_owned()), ..seeing(NOW) }));
    let tripped = "the breaker tripped, and nothing is enforced until an operator releases it: 9 locks";
    assert_eq!(obstacle(&told), tripped);

    told.stand.send_replace(Stand::Standby("`b` leads".to_owned()));
    told.status.send_replace(blind("standby: `b` leads"));
    assert_eq!(obstacle(&told), "it stands by: `b` leads");
    told.stand.send_replace(Stand::Leading);
    told.status.send_replace(Some(seeing(NOW)));

    told.at(NOW + 3_600);
    told.status.send_replace(Some(seeing(NOW + 3_600)));
    let expired = "the identity expired at 2027-01-15T09:00:00Z; check that tbot runs and renews it";
    assert_eq!(obstacle(&told), expired);
    told.at(NOW + 3_599);
    assert_eq!(outlook(&told).obstacles(), Vec::<String>::new());

    told.stop.cancel();
    assert_eq!(obstacle(&told), "it is stopping");
}

/// Watcher H36: whatever the stream says.
#[test]
fn a_list_older_than_two_intervals_makes_it_unready_by_time_alone() {
    let told = Told::seeing();
    told.at(NOW + 60);
    assert_eq!(outlook(&told).obstacles(), Vec::<String>::new());
    told.at(NOW + 61);
    assert_eq!(obstacle(&told), "the last full list is 61 s old, and one is made every 30 s");
    told.list_took(5);
    assert_eq!(
        outlook(&told).obstacles(),
        Vec::<String>::new(),
        "where lists take long, they are older when they come"
    );
    told.at(NOW + 66);
    assert_eq!(outlook(&told).obstacles().len(), 1);
    told.status.send_replace(Some(seeing(NOW + 66)));
    assert_eq!(outlook(&told).obstacles(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_hangs_is_an_obstacle() {
    let told = Told::seeing();
    let outlook = outlook(&told);
    assert_eq!(outlook.live(), Ok(()));
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert_eq!(outlook.live(), Err("the daemon's loop has not turned for 3600 s".to_owned()));
    assert_eq!(outlook.obstacles(), ["the daemon's loop has not turned for 3600 s"]);
}

#[tokio::test]
async fn since_when_it_is_blind_is_known() {
    let told = Told::seeing();
    let signs = Arc::clone(&told.signs);
    let mut changes = signs.subscribe();
    let follow = tokio::spawn(async move { signs.follow().await });
    for (at, why) in [(NOW + 1, "first"), (NOW + 2, "second")] {
        told.at(at);
        told.status.send_replace(blind(why));
        changes.changed().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(obstacle(&told), "it does not see the cluster since 2027-01-15T08:00:01Z: second");
    follow.abort();
}

#[test]
fn what_others_said_stays_on_one_line_and_has_an_end() {
    let told = Told::new();
    told.status.send_replace(blind(&format!("no\nREADY=1\r\n\u{1b}[2J{}", "x".repeat(10_000))));
    let why = obstacle(&told);
    assert!(!why.contains(char::is_control), "{why:?}");
    assert!(why.chars().count() <= 501, "{why}");
    assert_eq!(plain("short"), "short");
}

#[test]
fn a_report_says_everything_and_no_ones_words() {
    let told = Told::seeing();
    told.listed(vec![request("r1", "alice", RequestState::Approved, &["n1"])], Vec::new());
    let what = Lifecycle::Alarm;
    told.recorded(&Record::Lifecycle { at: Timestamp::from_secs(NOW), what, detail: "a right is missing".to_owned() });
    let outlook = Outlook::new(Arc::clone(&told.signs), || Outside {
        identity: Some(seen(NOW + 600)),
        skew: Skew { at_least_ms: Some(5_000), at_most_ms: None },
        facts: [Fact {
            name: "tickets".to_owned(),
            json: "[]".to_owned(),
            fetched: Timestamp::default(),
            fresh: false,
        }]
        .into(),
    });
    let report = outlook.report(&Whose::One(UserName::new("alice")));
    assert!(report.ready);
    assert_eq!((report.cluster.as_str(), report.in_flight, report.waiting, report.retrying), ("dev", 1, 2, 3));
    let identity = report.identity.as_ref().unwrap();
    assert_eq!((identity.remaining_secs, identity.renewals), (600, 3));
    assert_eq!(report.last_alarm.as_ref().unwrap().what, "a right is missing");
    let warning = report.clock_skew.warning.clone().unwrap();
    assert!(warning.starts_with("this machine's clock is at least 5 s behind the Auth server's"), "{warning}");
    let one = report.user.clone().unwrap();
    assert_eq!((one.user.counted.held, one.requests.len()), (1, 1));
    assert_eq!(one.requests.first().unwrap().resources, ["/dev/node/n1"]);
    let json = serde_json::to_string(&report).unwrap();
    assert!(!json.contains("secret words"), "{json}");
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    assert_eq!(serde_json::from_str::<Report>("{\"newer\": 1}").unwrap(), Report::default(), "of another version");
    assert_eq!(outlook.report(&Whose::Everybody).users.unwrap().len(), 1);
    assert_eq!(outlook.report(&Whose::Together).users, None);
    let metrics = outlook.metrics();
    assert!(metrics.contains("tribunal_clock_skew_seconds{bound=\"lower\"} 5"), "{metrics}");
    assert!(metrics.contains("tribunal_identity_renewals_total 3"), "{metrics}");
    assert!(metrics.contains("tribunal_identity_file_usable{} 1"), "{metrics}");
    assert!(metrics.contains("tribunal_fact_fresh{fact=\"tickets\"} 0"), "{metrics}");
    assert!(metrics.contains("tribunal_requests{state=\"held\"} 1"), "{metrics}");
    assert!(!metrics.contains("alice"), "{metrics}");
}
