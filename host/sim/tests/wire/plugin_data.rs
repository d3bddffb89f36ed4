//! Plugin data: compare-and-set on a request.

#![expect(clippy::unwrap_used, reason = "tests")]

use tonic::Code::{FailedPrecondition, InvalidArgument, NotFound};
use tribunal_proto::types::{PluginDataFilter, PluginDataUpdateParams};

use crate::world::{World, id, refused};

fn update(request: &str, set: &[(&str, &str)], expect: &[(&str, &str)]) -> PluginDataUpdateParams {
    let map =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    PluginDataUpdateParams {
        kind: "access_request".into(),
        resource: request.into(),
        plugin: "tribunal".into(),
        set: map(set),
        expect: map(expect),
    }
}

#[tokio::test]
async fn of_two_who_claim_the_same_request_one_wins() {
    let world = World::start().await;
    let request = id(&world.request().await);
    let mut bot = world.bot().await;
    bot.update_plugin_data(update(&request, &[("owner", "one")], &[("owner", "")])).await.unwrap();
    refused(
        bot.update_plugin_data(update(&request, &[("owner", "two")], &[("owner", "")])).await,
        FailedPrecondition,
        "expectations not met",
    );
    bot.update_plugin_data(update(&request, &[("note", "x")], &[])).await.unwrap();
    let filter = |plugin: &str| PluginDataFilter {
        kind: "access_request".into(),
        resource: request.clone(),
        plugin: plugin.into(),
    };
    let found = bot.get_plugin_data(filter("tribunal")).await.unwrap().into_inner().plugin_data;
    let data = &found.first().unwrap().spec.as_ref().unwrap().entries.get("tribunal").unwrap().data;
    assert_eq!(
        data.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>(),
        [("note", "x"), ("owner", "one")]
    );
    assert!(bot.get_plugin_data(filter("another")).await.unwrap().into_inner().plugin_data.is_empty());
    bot.update_plugin_data(update(&request, &[("note", ""), ("owner", "")], &[("owner", "one")])).await.unwrap();
    assert!(bot.get_plugin_data(filter("tribunal")).await.unwrap().into_inner().plugin_data.is_empty());
    let huge = update(&request, &[("k", &"x".repeat(1_000_001))], &[]);
    refused(bot.update_plugin_data(huge).await, InvalidArgument, "too large");
}

#[tokio::test]
async fn plugin_data_belong_to_an_existing_access_request() {
    let world = World::start().await;
    let request = id(&world.request().await);
    let mut bot = world.bot().await;
    refused(bot.update_plugin_data(update("none", &[("a", "b")], &[])).await, NotFound, "not found");
    refused(
        bot.update_plugin_data(PluginDataUpdateParams { kind: "lock".into(), ..update(&request, &[("a", "b")], &[]) })
            .await,
        InvalidArgument,
        "`lock`",
    );
    refused(
        bot.get_plugin_data(PluginDataFilter { kind: "lock".into(), ..Default::default() }).await,
        InvalidArgument,
        "`lock`",
    );
    refused(
        bot.update_plugin_data(PluginDataUpdateParams {
            plugin: String::new(),
            ..update(&request, &[("a", "b")], &[])
        })
        .await,
        InvalidArgument,
        "plugin name",
    );
}

#[tokio::test]
async fn plugin_data_outlive_their_request_by_an_hour_after_its_access() {
    let world = World::start().await;
    let request = id(&world.request().await);
    let mut bot = world.bot().await;
    bot.update_plugin_data(update(&request, &[("a", "b")], &[])).await.unwrap();
    let handle = world.running.handle();
    let admin = tribunal_sim::Caller::person("admin", &["root"]);
    handle.with(|cluster, now| cluster.delete_request(&admin, now, &request)).unwrap();
    let filter = || PluginDataFilter { kind: "access_request".into(), ..Default::default() };
    assert_eq!(bot.get_plugin_data(filter()).await.unwrap().into_inner().plugin_data.len(), 1);
    bot.update_plugin_data(update(&request, &[("a", "c")], &[("a", "b")])).await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(73 * 3600));
    handle.sweep();
    assert!(bot.get_plugin_data(filter()).await.unwrap().into_inner().plugin_data.is_empty());
}
