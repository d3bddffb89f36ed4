//! A peer that falls silent at any one method: every call ends by its deadline, and says which version we speak. The tests'
//! time is the runtime's, which passes when there is nothing else to do.

use std::collections::BTreeSet;
use std::time::Duration;

use prost::Message as _;
use tokio::sync::mpsc;
use tonic::Status;
use tribunal_core::Timestamp;
use tribunal_core::action::{Event, Resolution, ResolveWith};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::lock::{Lock, LockName, LockTarget};
use tribunal_core::record::DecisionId;
use tribunal_core::request::{RequestId, RequestedResource, UserName};
use tribunal_ports::{Lease, LeaseWish, Teleport as _};
use tribunal_proto::{proto, types};
use tribunal_teleport::connect::TELEPORT_VERSION;
use tribunal_teleport::{Client, Limits};

use super::client::{one, unimplemented};
use super::pki::{self, Ca, File};
use super::server::{Call, Reply, Server};

/// What nothing may take: a list may take two minutes, and what goes on after it ten seconds more.
const PATIENCE: Duration = Duration::from_secs(150);

/// What a client does, each for itself.
const DEEDS: [&str; 17] = [
    "ping",
    "list",
    "reread",
    "background",
    "user",
    "labels",
    "rights",
    "roles",
    "write_lock",
    "delete_lock",
    "resolve",
    "review",
    "take_lease",
    "keep_lease",
    "release_lease",
    "reread_lock",
    "watch",
];

fn metadata(name: &str) -> Option<types::Metadata> {
    Some(types::Metadata { name: name.into(), ..Default::default() })
}

fn request() -> types::AccessRequestV3 {
    let spec = Some(types::AccessRequestSpecV3 { user: "u".into(), state: 1, ..Default::default() });
    types::AccessRequestV3 { metadata: metadata("r"), spec, ..Default::default() }
}

/// A stream that goes silent after these messages.
fn then_silence(messages: Vec<Vec<u8>>) -> Reply {
    let (sender, receiver) = mpsc::channel(messages.len().max(1));
    for message in messages {
        sender.try_send(Ok(message)).unwrap();
    }
    // It is never closed.
    std::mem::forget(sender);
    Reply::Stream(receiver)
}

/// A server with all methods, or with the older ones only.
fn answer(call: &Call, old: bool) -> Reply {
    match call.path.rsplit('/').next().unwrap() {
        "Ping" => one(&proto::PingResponse { cluster_name: "root".into(), ..Default::default() }),
        "ListAccessRequests" | "ListLocks" | "ListSemaphores" | "ListUnifiedResources" | "GetLock" if old => {
            unimplemented()
        }
        "GetUser" if old && call.path.contains("users.v1") => unimplemented(),
        "GetUserLoginState" => Reply::Fail(Status::not_found("never logged in")),
        "GetAccessRequestsV2" => Reply::Messages(vec![request().encode_to_vec()]),
        "GetCurrentUserRoles" => {
            let rule = types::Rule { resources: vec!["*".into()], verbs: vec!["*".into()], ..Default::default() };
            let allow = Some(types::RoleConditions { rules: vec![rule], ..Default::default() });
            let spec = Some(types::RoleSpecV6 { allow, ..Default::default() });
            let role = types::RoleV6 { metadata: metadata("all"), spec, ..Default::default() };
            Reply::Messages(vec![role.encode_to_vec()])
        }
        "WatchEvents" => {
            let init = proto::Event { r#type: proto::Operation::Init.into(), resource: None };
            then_silence(vec![init.encode_to_vec()])
        }
        "GetLock" => one(&types::LockV2 { metadata: metadata("l"), ..Default::default() }),
        // An answer with nothing in it is one of all others.
        _ => one(&()),
    }
}

async fn deed(name: &str, client: &Client) -> Result<(), Failure> {
    let until = Timestamp::from_secs(9_000_000_000);
    let lease = || Lease { name: "dev".into(), id: "1".into(), until };
    let resource = || RequestedResource {
        cluster: "root".into(),
        kind: "node".into(),
        name: "n".into(),
        sub_resource: String::new(),
        labels: None,
        constraints: None,
    };
    let resolution = |with| Resolution {
        request: RequestId::new("r"),
        with,
        approve: true,
        reason: "x".into(),
        decision: DecisionId::new("d"),
        rules: Vec::new(),
    };
    let lock = || Lock {
        name: LockName::new("l"),
        target: LockTarget::access_request(RequestId::new("r")),
        message: String::new(),
        expires: None,
        created_by: String::new(),
    };
    match name {
        "ping" => client.ping().await.map(drop),
        "list" => client.list().await.map(drop),
        "reread" => client.reread(vec![RequestId::new("r")], Vec::new()).await.map(drop),
        "reread_lock" => client.reread(Vec::new(), vec![LockName::new("l")]).await.map(drop),
        "background" => client.background(UserName::new("u"), vec![resource()]).await.map(drop),
        "user" => client.background(UserName::new("u"), Vec::new()).await.map(drop),
        "labels" => client.labels(&[resource()]).await.map(drop),
        "rights" => client.rights().await.map(drop),
        "roles" => client.roles().await.map(drop),
        "write_lock" => client.write_lock(lock()).await,
        "delete_lock" => client.delete_lock(LockName::new("l")).await,
        "resolve" => client.resolve(resolution(ResolveWith::State)).await,
        "review" => client.resolve(resolution(ResolveWith::Review)).await,
        "take_lease" => client.take_lease(LeaseWish { name: "dev".into(), holder: "us".into(), until }).await.map(drop),
        "keep_lease" => client.keep_lease(lease()).await.map(drop),
        "release_lease" => client.release_lease(lease()).await,
        "watch" => {
            let (sender, mut events) = mpsc::channel(1);
            tokio::select! {
                () = client.watch(sender) => panic!("a watch that ends by itself"),
                event = events.recv() => {
                    let event = event.unwrap();
                    if let Event::WatchDown(why) = event {
                        return Err(Failure::new(FailureClass::Retry, why));
                    }
                    assert_eq!(event, Event::WatchUp);
                    Ok(())
                }
            }
        }
        other => panic!("{other}"),
    }
}

/// A client of a server that is silent where `is_silent` says so, and what each deed comes to.
async fn outcomes(
    old: bool,
    is_silent: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
) -> (Vec<(&'static str, Result<(), Failure>)>, Vec<Call>) {
    let ca = Ca::new("root");
    let server = Server::new(&ca, move |call| is_silent(call).unwrap_or_else(|| answer(call, old))).await;
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let client = Client::new(file.target(&server.address), Limits::default()).await.unwrap();
    let deeds = DEEDS.map(|name| {
        let client = &client;
        Box::pin(async move {
            let outcome = tokio::time::timeout(PATIENCE, Box::pin(deed(name, client))).await;
            (name, outcome.unwrap_or_else(|_| panic!("`{name}` has no deadline")))
        })
    });
    let outcomes = futures::future::join_all(deeds).await;
    (outcomes, server.calls_ending(""))
}

fn paths(calls: &[Call]) -> BTreeSet<String> {
    calls.iter().map(|call| call.path.clone()).collect()
}

/// The methods that the client's own text calls, as paths end.
fn methods_called() -> BTreeSet<String> {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rooms = std::fs::read_dir(source.join("client")).unwrap().map(|entry| entry.unwrap().path());
    let mut methods = BTreeSet::new();
    for file in rooms.chain([source.join("client.rs"), source.join("watch.rs")]) {
        let text = std::fs::read_to_string(file).unwrap();
        for stub in ["auth.", "auth().", "users.", "login_states."] {
            for call in text.split(stub).skip(1) {
                let name: String =
                    call.chars().take_while(|letter| letter.is_ascii_lowercase() || "_23".contains(*letter)).collect();
                if call.chars().nth(name.len()) == Some('(') && !["clone", "or_older"].contains(&name.as_str()) {
                    methods.insert(name);
                }
            }
        }
    }
    methods
}

/// `list_locks` for `/proto.AuthService/ListLocks`.
fn snake(path: &str) -> String {
    let mut name = String::new();
    for letter in path.rsplit('/').next().unwrap().chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[tokio::test(start_paused = true)]
async fn every_call_ends_by_its_deadline_whichever_method_is_silent() {
    let mut seen = BTreeSet::new();
    for old in [false, true] {
        let (well, calls) = outcomes(old, |_| None).await;
        for (name, outcome) in well {
            assert_eq!(outcome, Ok(()), "{name}, old: {old}");
        }
        for path in paths(&calls) {
            let silent = path.clone();
            let (with_silence, _) = outcomes(old, move |call| (call.path == silent).then_some(Reply::Silence)).await;
            let late: Vec<_> = with_silence.iter().filter(|(_, outcome)| outcome.is_err()).collect();
            // What our roles are is asked on the way to other things, which then do without.
            assert!(!late.is_empty(), "{path} was not waited for by anything");
            for (name, outcome) in late {
                let failure = outcome.as_ref().unwrap_err();
                assert!(failure.detail.contains("no answer within "), "{path}: {name}: {failure}");
                assert_eq!(failure.class, FailureClass::Retry, "{path}: {name}: {failure}");
            }
            seen.insert(snake(&path));
        }
    }
    assert_eq!(seen, methods_called(), "each method that the client calls is among the deeds above");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_falls_silent_in_its_middle_is_given_up() {
    for method in ["GetAccessRequestsV2", "GetCurrentUserRoles"] {
        let (with_silence, _) = outcomes(true, move |call| {
            let message = if method == "GetCurrentUserRoles" {
                types::RoleV6::default().encode_to_vec()
            } else {
                request().encode_to_vec()
            };
            call.path.ends_with(method).then(|| then_silence(vec![message]))
        })
        .await;
        let late: Vec<_> = with_silence.iter().filter(|(_, outcome)| outcome.is_err()).map(|(name, _)| *name).collect();
        let expected = if method == "GetCurrentUserRoles" { &["rights"][..] } else { &["list", "reread"][..] };
        assert_eq!(late, expected, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_says_which_version_we_speak_and_who_we_are() {
    for old in [false, true] {
        let (_, calls) = outcomes(old, |_| None).await;
        assert!(paths(&calls).len() > 15);
        for call in calls {
            assert_eq!(call.headers["version"], TELEPORT_VERSION, "{}", call.path);
            let agent = call.headers["user-agent"].to_str().unwrap();
            assert!(agent.starts_with("tribunal/"), "{agent}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_never_done_ends_by_its_own_deadline() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let (endless, _) = outcomes(false, move |call| {
        let page = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
        let later = |page: Vec<u8>| {
            Some(Reply::When(Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                page
            })))
        };
        match call.path.rsplit('/').next().unwrap() {
            "ListAccessRequests" => {
                later(proto::ListAccessRequestsResponse { next_key: page, ..Default::default() }.encode_to_vec())
            }
            "ListLocks" => {
                later(proto::ListLocksResponse { next_page_token: page, ..Default::default() }.encode_to_vec())
            }
            "ListRoles" => later(proto::ListRolesResponse { next_key: page, ..Default::default() }.encode_to_vec()),
            "ListSemaphores" => {
                later(proto::ListSemaphoresResponse { next_page_token: page, ..Default::default() }.encode_to_vec())
            }
            "ListUnifiedResources" => {
                later(proto::ListUnifiedResourcesResponse { next_key: page, ..Default::default() }.encode_to_vec())
            }
            _ => None,
        }
    })
    .await;
    let late: Vec<_> = endless.iter().filter(|(_, outcome)| outcome.is_err()).map(|(name, _)| *name).collect();
    assert_eq!(late, ["list", "reread", "background", "labels", "roles", "take_lease"]);
}
