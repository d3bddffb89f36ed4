//! The daemon as `tribunal run` puts it together from a configuration file, up to its first decision. What a
//! configuration may say is tested with the configuration.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tribunal::assembly::{AssemblyError, assemble};
use tribunal::config::Config;
use tribunal::daemon::{self, Operator};

use crate::world::way::Way;
use crate::world::{Setup, World, within};

fn config(world: &World, address: &str) -> Config {
    config_with(world, address, "")
}

/// The same with more keys of `[teleport]`.
fn config_with(world: &World, address: &str, more: &str) -> Config {
    let text = format!(
        r#"
        [teleport]
        address = "{address}"
        identity-file = "{}"
        {more}

        [ledger]
        dir = "{}"

        [[plugin]]
        name = "separation"
        source = "builtin:separation"
        settings = {{ classes = ["prod", "research"] }}

        [[plugin]]
        name = "cap"
        source = "builtin:cap"
        "#,
        world.identity_file().display(),
        world.ledger_dir().display(),
    );
    Config::from_toml(&text, &world.ledger_dir().with_file_name("tribunal.toml")).unwrap()
}

#[tokio::test]
async fn c1_a_configuration_and_an_identity_file_make_a_daemon_that_decides() {
    let world = Setup::new().in_real_time().without_daemon().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    let assembled =
        assemble(&config(&world, &world.sim().addr().to_string())).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(assembled.cluster.name, "dev");
    assert_eq!(assembled.settings.own_user.as_str(), "bot-tribunal");
    let stop = CancellationToken::new();
    let (tell, _status) = watch::channel(None);
    let running =
        tokio::spawn(daemon::run(assembled.ports, assembled.settings, tell, Operator::default(), stop.clone()));
    world.until_approved(&request).await;
    stop.cancel();
    within("the daemon stops", running).await.unwrap().unwrap();
    assert!(!world.ledger().is_empty());
}

#[tokio::test]
async fn a_configuration_may_name_a_proxy_the_way_through_it_and_the_ca_of_a_lab() {
    let world = Setup::new().in_real_time().by(Way::Upgrade).without_daemon().await;
    let address = world.entrance().address().to_string();
    let more = format!("proxy-ca-file = \"{}\"\nroute = \"upgrade\"", world.entrance().ca_file().display());
    let assembled = within("it starts", assemble(&config_with(&world, &address, &more))).await;
    assert_eq!(assembled.unwrap_or_else(|error| panic!("{error:?}")).cluster.name, "dev");
    // Without the CA nobody vouches for the proxy.
    let started = within("the start fails", assemble(&config_with(&world, &address, "route = \"upgrade\""))).await;
    match started {
        Err(AssemblyError::Teleport(failure)) => assert!(failure.detail.contains("`proxy-ca-file`"), "{failure}"),
        Err(AssemblyError::Parts(_) | AssemblyError::Identity(_) | AssemblyError::Ledger(_)) | Ok(_) => {
            panic!("it did not fail for the proxy")
        }
    }
}

#[tokio::test]
async fn k2_a_server_that_cannot_be_reached_ends_the_start() {
    let world = Setup::new().without_daemon().await;
    // A port that was free a moment ago, with nobody behind it.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let started = within("the start fails", assemble(&config(&world, &free.to_string()))).await;
    match started {
        Err(AssemblyError::Teleport(failure)) => {
            assert!(failure.detail.contains(&free.to_string()), "{failure}");
            assert!(failure.detail.contains("check the address"), "{failure}");
        }
        Err(AssemblyError::Parts(_) | AssemblyError::Identity(_) | AssemblyError::Ledger(_)) | Ok(_) => {
            panic!("it did not fail for the server")
        }
    }
}

#[tokio::test]
async fn a_server_that_refuses_the_identity_ends_the_start() {
    let world = Setup::new().without_daemon().await;
    let over = tribunal_sim::IssueOptions { unknown_signer: true, ..tribunal_sim::IssueOptions::of(&world.bot()) };
    world.server().issue(&over).unwrap().write(&world.identity_file()).unwrap();
    let config = config(&world, &world.sim().addr().to_string());
    let started = within("the start fails", assemble(&config)).await;
    assert!(matches!(started, Err(AssemblyError::Teleport(_))));
}

/// What time mends is waited for; what a person has to mend ends the start, also where both are wrong.
#[tokio::test]
async fn an_identity_whose_time_is_over_is_told_from_one_that_is_wrong() {
    let world = Setup::new().without_daemon().await;
    let over = tribunal_sim::IssueOptions {
        life: tribunal_sim::Span::from_ms(-60_000),
        ..tribunal_sim::IssueOptions::of(&world.bot())
    };
    let over = world.server().issue(&over).unwrap().to_text();
    let config = config(&world, &world.sim().addr().to_string());
    let mut mistaken = config.clone();
    mistaken.plugins.clear();
    for (text, config, waits) in [
        (over.as_str(), &config, true),
        (over.as_str(), &mistaken, false),
        (over.get(..over.len() / 2).unwrap(), &config, false),
    ] {
        std::fs::write(world.identity_file(), text).unwrap();
        match within("the start ends", assemble(config)).await {
            Err(AssemblyError::Identity(error)) => {
                assert!(waits && error.to_string().contains("expired at"), "{error}")
            }
            Err(AssemblyError::Parts(wrong)) => assert!(!waits && !wrong.is_empty(), "{wrong:?}"),
            Err(AssemblyError::Ledger(why)) => panic!("{why}"),
            Err(AssemblyError::Teleport(failure)) => panic!("{failure}"),
            Ok(_) => panic!("it started"),
        }
    }
}
