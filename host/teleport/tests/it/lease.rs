//! Leases against the simulated cluster's semaphores: who has one, what a refusal means, and what is never taken for what
//! it is not.

use std::time::Duration;

use tempfile::TempDir;
use tonic::Code;
use tribunal_core::Timestamp;
use tribunal_core::failure::FailureClass;
use tribunal_ports::{Before, Kept, Lease, LeaseWish, Taken, Teleport};
use tribunal_sim::{Often, Running};
use tribunal_teleport::Client;

use crate::sim::dev;

/// A client that may do all with semaphores, and nothing else.
const ALL: &str = r#"rules = [{ resources = ["semaphore"], verbs = ["list", "read", "create", "update"] }]"#;

fn wish(running: &Running, holder: &str, secs: u64) -> LeaseWish {
    let now = u64::try_from(running.handle().now().unix_ms()).unwrap();
    let until = Timestamp::from_millis(now).after(Duration::from_secs(secs));
    LeaseWish { name: "dev".into(), holder: holder.into(), until }
}

async fn ours(client: &Client, wish: LeaseWish) -> (Lease, Before) {
    match client.take_lease(wish).await.unwrap() {
        Taken::Ours { lease, before } => (lease, before),
        other @ (Taken::Theirs { .. } | Taken::Unable(_)) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_has_the_lease_and_the_other_is_told_who_and_until_when() {
    let (running, _dir, client) = dev(ALL).await;
    let (lease, before) = ours(&client, wish(&running, "a", 60)).await;
    assert_eq!(before, Before::Nothing);
    let theirs = Taken::Theirs { holder: Some("a".into()), until: Some(lease.until) };
    assert_eq!(client.take_lease(wish(&running, "b", 60)).await.unwrap(), theirs);
    let longer = Lease { until: lease.until.after(Duration::from_secs(5)), ..lease };
    assert_eq!(client.keep_lease(longer.clone()).await.unwrap(), Kept::Held);
    client.release_lease(longer.clone()).await.unwrap();
    client.release_lease(longer.clone()).await.expect("what is gone is given back");
    assert_eq!(ours(&client, wish(&running, "b", 60)).await.1, Before::Over);
    assert!(matches!(client.keep_lease(longer).await.unwrap(), Kept::Gone(why) if why.contains("not found")));
}

#[tokio::test]
async fn a_lease_whose_reply_was_lost_is_found_again() {
    let (running, _dir, client) = dev(ALL).await;
    running.handle().faults(|faults| faults.lose_reply("AcquireSemaphore", Often::Next(1)));
    let lost = client.take_lease(wish(&running, "a", 60)).await.unwrap_err();
    assert_eq!(lost.class, FailureClass::Retry);
    let (lease, before) = ours(&client, wish(&running, "a", 60)).await;
    assert_eq!((client.keep_lease(lease).await.unwrap(), before), (Kept::Held, Before::Unseen));
}

#[tokio::test]
async fn without_list_and_read_a_lease_works_and_nobody_is_seen() {
    let verbs = |verbs: &str| format!("rules = [{{ resources = [\"semaphore\"], verbs = [{verbs}] }}]");
    let (running, _dir, client) = dev(&verbs(r#""create", "update""#)).await;
    assert_eq!(ours(&client, wish(&running, "a", 60)).await.1, Before::Unseen);
    let theirs = Taken::Theirs { holder: None, until: None };
    assert_eq!(client.take_lease(wish(&running, "b", 60)).await.unwrap(), theirs);
}

#[tokio::test]
async fn a_missing_right_is_named_with_the_verbs_and_a_refusal_of_us_is_none() {
    let unable = |why: &str| Taken::Unable(why.to_owned());
    let (running, _dir, client) = dev(r#"rules = [{ resources = ["semaphore"], verbs = ["create", "list"] }]"#).await;
    let said = "its role lacks semaphore: update: give it `semaphore: list, read, create, update`";
    assert_eq!(client.take_lease(wish(&running, "a", 60)).await.unwrap(), unable(said));

    let (running, _dir, client) = dev("rules = []").await;
    let fails = |method: &'static str, often, code| {
        running.handle().faults(move |faults| faults.fail(method, often, code, "no"));
    };
    // A server that cannot tell what our roles are still says that we are refused for this call only.
    fails("GetCurrentUserRoles", Often::Next(1), Code::Unimplemented);
    let said = "its role lacks semaphore: create, update: give it `semaphore: list, read, create, update`";
    assert_eq!(client.take_lease(wish(&running, "a", 60)).await.unwrap(), unable(said));
    // As a locked user is refused everywhere: nobody may conclude from that that nobody leads.
    fails("*", Often::Probability(1.0), Code::PermissionDenied);
    client.take_lease(wish(&running, "a", 60)).await.unwrap_err();
}

#[tokio::test]
async fn a_right_that_is_there_and_refused_all_the_same_is_no_leave_to_act_alone() {
    let (running, _dir, client) = dev(ALL).await;
    running.handle().faults(|faults| faults.fail("AcquireSemaphore", Often::Next(1), Code::PermissionDenied, "locked"));
    let failure = client.take_lease(wish(&running, "a", 60)).await.unwrap_err();
    assert!(failure.detail.contains("locked"), "{failure}");
}

#[tokio::test]
async fn a_server_without_semaphores_is_told_from_one_that_errs() {
    let (running, _dir, client) = dev(ALL).await;
    let fails = |method: &'static str, code| {
        running.handle().faults(move |faults| faults.fail(method, Often::Next(1), code, "x"));
    };
    fails("ListSemaphores", Code::Unimplemented);
    let (lease, before) = ours(&client, wish(&running, "a", 60)).await;
    assert_eq!(before, Before::Nothing, "seen the old way");
    fails("AcquireSemaphore", Code::Unimplemented);
    let unable = Taken::Unable("the server has no semaphores".into());
    assert_eq!(client.take_lease(wish(&running, "b", 60)).await.unwrap(), unable);
    for method in ["GetSemaphores", "AcquireSemaphore"] {
        fails(method, Code::Unavailable);
        assert_eq!(client.take_lease(wish(&running, "b", 60)).await.unwrap_err().class, FailureClass::Retry);
    }
    // A lost race of writers.
    fails("KeepAliveSemaphoreLease", Code::FailedPrecondition);
    assert_eq!(client.keep_lease(lease).await.unwrap_err().class, FailureClass::Retry);
}

#[tokio::test]
async fn a_clock_that_is_far_behind_has_no_lease_and_says_why() {
    let (running, _dir, client) = dev(ALL).await;
    let (lease, _) = ours(&client, wish(&running, "a", 60)).await;
    running.handle().faults(|faults| faults.set_clock_skew_ms(50_000));
    let behind = Lease { until: lease.until.before(Duration::from_secs(30)), ..lease };
    assert!(matches!(client.keep_lease(behind).await.unwrap(), Kept::Gone(why) if why.contains("check the clock")));
    running.handle().faults(|faults| faults.set_clock_skew_ms(500_000));
    let late = LeaseWish { until: lease_end(&running).before(Duration::from_secs(600)), ..wish(&running, "b", 0) };
    let failure = client.take_lease(late).await.unwrap_err();
    assert!(failure.detail.contains("check the clock of this machine"), "{failure}");
}

fn lease_end(running: &Running) -> Timestamp {
    wish(running, "x", 60).until
}

#[tokio::test]
async fn all_roles_are_listed_in_pages_or_why_not_is_said() {
    let roles: String = (0..450).map(|number| format!("[[role]]\nname = \"r{number:03}\"\n")).collect();
    let (running, _dir, client): (Running, TempDir, Client) =
        dev(&format!("rules = [{{ resources = [\"role\"], verbs = [\"list\", \"read\"] }}]\n{roles}")).await;
    let listed = client.roles().await.unwrap();
    assert!(listed.len() >= 450 && listed.is_sorted(), "{}", listed.len());
    assert!(listed.contains(&"r000".to_owned()) && listed.contains(&"r449".to_owned()));
    running.handle().faults(|faults| faults.fail("ListRoles", Often::Next(1), Code::Unimplemented, "x"));
    assert!(client.roles().await.unwrap_err().detail.contains("too old"));
    let (_running, _dir, client) = dev("rules = []").await;
    let failure = client.roles().await.unwrap_err();
    assert!(failure.detail.contains("the daemon's role needs role: list, read"), "{failure}");
}
