//! The port's calls: what goes over the wire for each, and what each answer becomes.

use prost::Message;
use tonic::Status;
use tribunal_core::Timestamp;
use tribunal_core::action::{Resolution, ResolveWith};
use tribunal_core::failure::FailureClass;
use tribunal_core::lock::{Lock, LockName, LockTarget};
use tribunal_core::record::DecisionId;
use tribunal_core::request::{RequestId, Subject, UserName};
use tribunal_ports::Teleport as _;
use tribunal_proto::{proto, trait_v1, types, userloginstate_v1, users_v1, wrappers};
use tribunal_teleport::{Client, Limits};

use super::pki::{self, Ca, File};
use super::server::{Call, Reply, Server};

/// A server that answers by `script`, and a client of it.
pub(crate) async fn cluster(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> (Server, Client) {
    let ca = Ca::new("root");
    let server = Server::new(&ca, script).await;
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let client = Client::new(file.target(&server.address), Limits::default()).await.unwrap();
    // The identity is read again when the connection is made, and the file goes with this function.
    client.ping().await.unwrap();
    (server, client)
}

/// Answers a ping, and everything else by `script`, to which the method's name is given.
fn by(
    script: impl Fn(&str, &[u8]) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Call) -> Reply + Send + Sync + 'static {
    move |call| match call.path.rsplit('/').next().unwrap() {
        "Ping" => one(&proto::PingResponse::default()),
        method => script(method, &call.message),
    }
}

pub(crate) fn one(message: &impl Message) -> Reply {
    Reply::Messages(vec![message.encode_to_vec()])
}

pub(crate) fn unimplemented() -> Reply {
    Reply::Fail(Status::unimplemented("unknown method"))
}

fn request(id: &str) -> types::AccessRequestV3 {
    types::AccessRequestV3 {
        metadata: Some(types::Metadata { name: id.into(), ..Default::default() }),
        spec: Some(types::AccessRequestSpecV3 { user: "u".into(), state: 1, ..Default::default() }),
        ..Default::default()
    }
}

fn lock(name: &str) -> types::LockV2 {
    types::LockV2 { metadata: Some(types::Metadata { name: name.into(), ..Default::default() }), ..Default::default() }
}

fn locks(names: &[&str], next: &str) -> Reply {
    one(&proto::ListLocksResponse {
        locks: names.iter().map(|name| lock(name)).collect(),
        next_page_token: next.into(),
    })
}

fn requests(ids: &[&str], next: &str) -> Reply {
    one(&proto::ListAccessRequestsResponse {
        access_requests: ids.iter().map(|id| request(id)).collect(),
        next_key: next.into(),
    })
}

pub(crate) fn decode<M: Message + Default>(message: &[u8]) -> M {
    M::decode(message).unwrap()
}

#[tokio::test]
async fn a_list_has_all_pages_of_requests_and_locks() {
    let (server, client) = cluster(by(|method, message| match method {
        "ListAccessRequests" => match decode::<proto::ListAccessRequestsRequest>(message).start_key.as_str() {
            "" => requests(&["a", "b"], "k1"),
            "k1" => requests(&["c"], "k2"),
            "k2" => requests(&[], ""),
            key => panic!("{key}"),
        },
        "ListLocks" => match decode::<proto::ListLocksRequest>(message).page_token.as_str() {
            "" => locks(&["l"], "t1"),
            "t1" => locks(&["m"], ""),
            token => panic!("{token}"),
        },
        _ => unimplemented(),
    }))
    .await;
    let listing = client.list().await.unwrap();
    let ids: Vec<&str> = listing.requests.iter().map(|request| request.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let names: Vec<&str> = listing.locks.iter().map(|lock| lock.name.as_str()).collect();
    assert_eq!(names, ["l", "m"]);
    for call in server.calls("ListAccessRequests") {
        let page: proto::ListAccessRequestsRequest = decode(&call.message);
        assert_eq!(page.limit, 200);
        assert_eq!(page.filter, Some(types::AccessRequestFilter::default()));
    }
    for call in server.calls("ListLocks") {
        let page: proto::ListLocksRequest = decode(&call.message);
        assert_eq!((page.page_size, page.filter), (200, None));
    }
}

#[tokio::test]
async fn an_old_server_is_listed_the_old_way_and_asked_the_new_way_once() {
    let (server, client) = cluster(by(|method, _| match method {
        "GetAccessRequestsV2" => Reply::Messages(vec![request("a").encode_to_vec(), request("b").encode_to_vec()]),
        "GetLocks" => one(&proto::GetLocksResponse { locks: vec![lock("l")] }),
        _ => unimplemented(),
    }))
    .await;
    for _ in 0..2 {
        let listing = client.list().await.unwrap();
        assert_eq!((listing.requests.len(), listing.locks.len()), (2, 1));
    }
    let count = |method| server.calls(method).len();
    assert_eq!((count("ListAccessRequests"), count("GetAccessRequestsV2")), (1, 2));
    assert_eq!((count("ListLocks"), count("GetLocks")), (1, 2));
    assert!(!decode::<proto::GetLocksRequest>(&server.calls("GetLocks")[0].message).in_force_only);
}

#[tokio::test]
async fn a_lock_is_found_in_the_list_where_the_server_cannot_get_one() {
    let (_server, client) = cluster(by(|method, _| match method {
        "ListLocks" => locks(&["l", "m"], ""),
        _ => unimplemented(),
    }))
    .await;
    let names = ["m", "gone"].map(LockName::new).to_vec();
    let fresh = client.reread(Vec::new(), names).await.unwrap();
    let found: Vec<_> = fresh.locks.iter().map(|lock| lock.as_ref().map(|lock| lock.name.as_str())).collect();
    assert_eq!(found, [Some("m"), None]);
}

#[tokio::test]
async fn a_part_of_a_list_is_never_taken_for_the_whole() {
    type Case = (fn() -> Reply, FailureClass, &'static str);
    let cases: [Case; 4] = [
        (|| Reply::Fail(Status::unavailable("gone")), FailureClass::Retry, "`ListAccessRequests`: unavailable: gone"),
        (
            || Reply::Fail(Status::permission_denied("access denied")),
            FailureClass::Alarm,
            "`ListAccessRequests`: permission denied: access denied; the daemon's role needs access_request: list, read",
        ),
        (
            || requests(&["c"], "k1"),
            FailureClass::Alarm,
            "`ListAccessRequests`: a page that is followed by itself; check the server",
        ),
        (
            || one(&proto::ListAccessRequestsResponse { access_requests: vec![request("")], ..Default::default() }),
            FailureClass::Alarm,
            "`ListAccessRequests`: an access request without `metadata.name`; the server does not speak the API that this client knows",
        ),
    ];
    for (second, class, detail) in cases {
        let (_server, client) = cluster(by(move |method, message| match method {
            "ListAccessRequests" => {
                let page: proto::ListAccessRequestsRequest = decode(message);
                if page.start_key.is_empty() { requests(&["a"], "k1") } else { second() }
            }
            "ListLocks" => locks(&[], ""),
            _ => unimplemented(),
        }))
        .await;
        let failure = client.list().await.unwrap_err();
        assert_eq!((failure.class, failure.detail.as_str()), (class, detail));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_no_list() {
    let (_server, client) = cluster(by(|method, _| match method {
        "GetAccessRequestsV2" => {
            let (sender, receiver) = tokio::sync::mpsc::channel(2);
            sender.try_send(Ok(request("a").encode_to_vec())).unwrap();
            sender.try_send(Err(Status::internal("cache reset"))).unwrap();
            Reply::Stream(receiver)
        }
        "ListLocks" => locks(&[], ""),
        _ => unimplemented(),
    }))
    .await;
    let failure = client.list().await.unwrap_err();
    assert_eq!(failure.detail, "`GetAccessRequestsV2`: internal error: cache reset");
}

#[tokio::test]
async fn a_reread_keeps_the_order_and_tells_what_is_gone() {
    let (server, client) = cluster(by(|method, message| match method {
        "ListAccessRequests" => {
            let filter = decode::<proto::ListAccessRequestsRequest>(message).filter.unwrap();
            if filter.id == "gone" { requests(&[], "") } else { requests(&[&filter.id], "") }
        }
        "GetLock" => {
            let proto::GetLockRequest { name } = decode(message);
            if name == "gone" { Reply::Fail(Status::not_found("no lock")) } else { one(&lock(&name)) }
        }
        _ => unimplemented(),
    }))
    .await;
    let ids = ["9", "gone", "1", "2", "3", "4", "5", "6", "7", "8"];
    let names = ["z", "gone", "a"];
    let fresh = client
        .reread(
            ids.iter().map(|id| RequestId::new(*id)).collect(),
            names.iter().map(|name| LockName::new(*name)).collect(),
        )
        .await
        .unwrap();
    let read: Vec<_> =
        fresh.requests.iter().map(|request| request.as_ref().map(|request| request.id.as_str())).collect();
    let expected: Vec<_> = ids.iter().map(|id| (*id != "gone").then_some(*id)).collect();
    assert_eq!(read, expected);
    let read: Vec<_> = fresh.locks.iter().map(|lock| lock.as_ref().map(|lock| lock.name.as_str())).collect();
    assert_eq!(read, [Some("z"), None, Some("a")]);
    assert_eq!(server.calls("ListAccessRequests").len(), ids.len());
}

#[tokio::test]
async fn a_server_that_answers_with_another_request_has_not_answered() {
    let (_server, client) = cluster(by(|_, _| requests(&["other"], ""))).await;
    let fresh = client.reread(vec![RequestId::new("a")], Vec::new()).await.unwrap();
    assert_eq!(fresh.requests, [None]);
}

#[tokio::test]
async fn a_subject_comes_from_the_best_source_that_may_be_seen() {
    fn login_state() -> Reply {
        let traits = vec![trait_v1::Trait { key: "team".into(), values: vec!["red".into()] }];
        let spec = userloginstate_v1::Spec { roles: vec!["from-login".into()], traits, ..Default::default() };
        one(&userloginstate_v1::UserLoginState { header: None, spec: Some(spec) })
    }
    fn stored(role: &str) -> types::UserV2 {
        let traits = [("team".to_owned(), wrappers::StringValues { values: vec!["blue".into()] })];
        let traits = Some(wrappers::LabelValues { values: traits.into() });
        let spec = types::UserSpecV2 { roles: vec![role.into()], traits, ..Default::default() };
        types::UserV2 { spec: Some(spec), ..Default::default() }
    }
    fn users_service() -> Reply {
        one(&users_v1::GetUserResponse { user: Some(stored("from-users")) })
    }
    fn auth_service() -> Reply {
        one(&stored("from-auth"))
    }
    fn denied() -> Reply {
        Reply::Fail(Status::permission_denied("access denied"))
    }
    fn missing() -> Reply {
        Reply::Fail(Status::not_found("no such user"))
    }
    type Source = fn() -> Reply;
    let known = |role: &str, team: &str| Subject {
        name: UserName::new("u"),
        roles: Some(vec![role.to_owned()]),
        traits: Some([("team".to_owned(), vec![team.to_owned()])].into()),
    };
    let unseen = Subject { name: UserName::new("u"), roles: None, traits: None };
    let cases: [(Source, Source, Source, Subject); 7] = [
        (login_state, users_service, auth_service, known("from-login", "red")),
        (missing, users_service, auth_service, known("from-users", "blue")),
        (denied, users_service, auth_service, known("from-users", "blue")),
        (unimplemented, unimplemented, auth_service, known("from-auth", "blue")),
        (missing, denied, auth_service, unseen.clone()),
        (missing, missing, auth_service, unseen.clone()),
        (unimplemented, unimplemented, denied, unseen),
    ];
    for (login, users, auth, expected) in cases {
        let (_server, client) = cluster(move |call: &Call| match call.path.as_str() {
            "/proto.AuthService/Ping" => one(&proto::PingResponse::default()),
            "/teleport.userloginstate.v1.UserLoginStateService/GetUserLoginState" => login(),
            "/teleport.users.v1.UsersService/GetUser" => users(),
            "/proto.AuthService/GetUser" => auth(),
            path => panic!("{path}"),
        })
        .await;
        assert_eq!(client.background(UserName::new("u"), Vec::new()).await.unwrap().subject, expected);
    }
}

#[tokio::test]
async fn a_subject_that_cannot_be_read_just_now_is_a_failure_and_not_unseen() {
    for methods in [&["GetUserLoginState"][..], &["GetUser"][..]] {
        let (_server, client) = cluster(by(move |method, _| {
            let fails = methods.contains(&method);
            if fails { Reply::Fail(Status::unavailable("x")) } else { Reply::Fail(Status::not_found("x")) }
        }))
        .await;
        assert_eq!(client.background(UserName::new("u"), Vec::new()).await.unwrap_err().class, FailureClass::Retry);
    }
}

#[tokio::test]
async fn a_lock_is_written_with_both_expiries() {
    let (server, client) = cluster(by(|_, _| one(&()))).await;
    let lock = Lock {
        name: LockName::new("tribunal-r"),
        target: LockTarget::access_request(RequestId::new("r")),
        message: "over the cap".into(),
        expires: Some(Timestamp::from_secs(5)),
        created_by: String::new(),
    };
    client.write_lock(lock.clone()).await.unwrap();
    let calls = server.calls("UpsertLock");
    let written: types::LockV2 = decode(&calls[0].message);
    let end = Some(prost_types::Timestamp { seconds: 5, nanos: 0 });
    let metadata = written.metadata.unwrap();
    let spec = written.spec.unwrap();
    assert_eq!((written.kind.as_str(), written.version.as_str()), ("lock", "v2"));
    assert_eq!((metadata.name.as_str(), metadata.expires), ("tribunal-r", end));
    assert_eq!((spec.message.as_str(), spec.expires, spec.created_at), ("over the cap", end, None));
    assert_eq!(spec.target.unwrap(), types::LockTarget { access_request: "r".into(), ..Default::default() });
    let other = LockTarget { other: true, ..LockTarget::default() };
    let failure = client.write_lock(Lock { target: other, ..lock }).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Alarm);
    assert_eq!(server.calls("UpsertLock").len(), 1);
}

#[tokio::test]
async fn a_lock_that_is_gone_already_is_deleted() {
    let (_server, client) = cluster(by(|_, message| match decode::<proto::DeleteLockRequest>(message).name.as_str() {
        "there" => one(&()),
        "gone" => Reply::Fail(Status::not_found("no lock")),
        _ => Reply::Fail(Status::permission_denied("access denied")),
    }))
    .await;
    client.delete_lock(LockName::new("there")).await.unwrap();
    client.delete_lock(LockName::new("gone")).await.unwrap();
    let failure = client.delete_lock(LockName::new("mine")).await.unwrap_err();
    assert_eq!(failure.detail, "`DeleteLock`: permission denied: access denied; the daemon's role needs lock: delete");
}

#[tokio::test]
async fn a_request_is_resolved_once_whatever_the_answer() {
    for (answer, expected) in [
        (None, Ok(())),
        (Some(Status::invalid_argument("already denied")), Err(FailureClass::Settle)),
        (Some(Status::not_found("no request")), Err(FailureClass::Settle)),
        (Some(Status::failed_precondition("too many writers")), Err(FailureClass::Retry)),
        (Some(Status::unavailable("going away")), Err(FailureClass::Retry)),
        (Some(Status::permission_denied("access denied")), Err(FailureClass::Alarm)),
    ] {
        let (server, client) = cluster(by(move |_, _| match &answer {
            None => one(&()),
            Some(status) => Reply::Fail(status.clone()),
        }))
        .await;
        let resolution = Resolution {
            request: RequestId::new("r"),
            with: ResolveWith::State,
            approve: true,
            reason: "within the cap".into(),
            decision: DecisionId::new("d"),
            rules: vec!["cap/within".into()],
        };
        assert_eq!(client.resolve(resolution).await.map_err(|failure| failure.class), expected);
        let calls = server.calls("SetAccessRequestState");
        assert_eq!(calls.len(), 1);
        let setter: proto::RequestStateSetter = decode(&calls[0].message);
        assert_eq!(
            (setter.id.as_str(), setter.state(), setter.reason.as_str()),
            ("r", types::RequestState::Approved, "within the cap")
        );
    }
}

#[tokio::test]
async fn a_review_is_submitted_once_and_its_refusals_are_told_apart() {
    let twice = "user \"bot-tribunal\" has already reviewed this request";
    for (answer, expected) in [
        (None, Ok(())),
        (Some(Status::permission_denied(twice)), Err(FailureClass::Settle)),
        (Some(Status::permission_denied("access denied")), Err(FailureClass::Alarm)),
        (Some(Status::unavailable("going away")), Err(FailureClass::Retry)),
    ] {
        let (server, client) = cluster(by(move |_, _| match &answer {
            None => one(&request("r")),
            Some(status) => Reply::Fail(status.clone()),
        }))
        .await;
        let resolution = Resolution {
            request: RequestId::new("r"),
            with: ResolveWith::Review,
            approve: false,
            reason: "too much (tribunal decision d)".into(),
            decision: DecisionId::new("d"),
            rules: vec!["cap/over".into()],
        };
        assert_eq!(client.resolve(resolution).await.map_err(|failure| failure.class), expected);
        assert_eq!(server.calls("SetAccessRequestState").len(), 0);
        let calls = server.calls("SubmitAccessReview");
        assert_eq!(calls.len(), 1);
        let submission: types::AccessReviewSubmission = decode(&calls[0].message);
        let review = submission.review.unwrap();
        assert_eq!((submission.request_id.as_str(), review.proposed_state()), ("r", types::RequestState::Denied));
        assert_eq!((review.author.as_str(), review.reason.as_str()), ("", "too much (tribunal decision d)"));
    }
}
