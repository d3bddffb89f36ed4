//! Labels of requested resources, read from the cluster: one role may open both environments, and only the labels tell.

use tribunal_core::decision::Verdict;
use tribunal_proto::types::RequestState;

use crate::world::Setup;

const BY_LABEL: &str = r#"{
    "classes": { "prod": { "labels": ["env=prod"] }, "research": { "labels": ["env=research"] } },
    "when-compliant": "approve"
}"#;

#[tokio::test]
async fn h24_resources_of_two_environments_are_told_apart_by_their_labels_on_the_cluster() {
    let world = Setup::new().separation(Some(BY_LABEL)).start().await;
    let both = world.asks_for_nodes("straddler", &["node-1", "node-5"]);
    let denied = world.until_denied(&both).await;
    assert!(denied.reason.contains("Request contains conflicting environments"), "{}", denied.reason);

    let prod = world.asks_for_nodes("switcher", &["node-1"]);
    world.until_usable(&prod).await;
    let research = world.asks_for_nodes("switcher", &["node-5"]);
    world.until_usable(&research).await;
    world.until_locked(&prod).await;
}

#[tokio::test]
async fn a_resource_of_which_the_labels_may_not_be_seen_is_left_to_people() {
    let mut world = Setup::new()
        .separation(Some(BY_LABEL))
        .scenario(|scenario| scenario.bot.previews_resources = false)
        .start()
        .await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    let decided = world.until_decided(1).await;
    let decision = decided[0].decision.as_ref().unwrap();
    assert_eq!(
        (decision.verdict, decision.because.rules()),
        (Verdict::Leave, vec!["separation/labels-unknown".to_owned()])
    );
    world.settle().await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
}
