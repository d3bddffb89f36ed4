//! Messages of the server, from any bytes that protobuf takes for one, to the core's types. The first byte says which.

use std::collections::BTreeMap;

use prost::Message;
use prost_types::Timestamp;
use tribunal_core::request::{RequestState, UserName};
use tribunal_proto::proto::event::Resource;
use tribunal_proto::proto::paginated_resource::Resource as Listed;
use tribunal_proto::types::{
    AccessRequestSpecV3, AccessRequestV3, AccessReview, LockSpecV2, LockTarget, LockV2, Metadata, ResourceId,
    RoleConditions, RoleSpecV6, RoleV6, Rule, ServerSpecV2, ServerV2, UserSpecV2, UserV2,
};
use tribunal_proto::wrappers::{LabelValues, StringValues};
use tribunal_proto::{proto, trait_v1, types, userloginstate_v1};
use tribunal_teleport::convert;

use super::{KIB, MIB, Target};
use crate::mutate::Form;

const WORDS: &[&[u8]] = &[
    b"access_request",
    b"lock",
    b"tribunal/decision",
    b"tribunal/rules",
    b"(tribunal decision ",
    b"bot-",
    b"v1",
    b"v3",
    b"\x0a\x00",
    b"\x12\x00",
    b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x80\x92\xb8\xc3\x98\xfe\xff\xff\xff\x01",
    b"\xff\xff\xff\xff\x07",
    b"\x80\x80\x80\x80\xf8\xff\xff\xff\xff\x01",
    b"\xff",
    b"\xed\xa0\x80",
    b"*",
];

pub(super) fn target() -> Target {
    Target {
        name: "convert",
        form: Form::Wire,
        words: WORDS,
        input_bytes_max: 64 * KIB,
        // An empty message of two bytes is a structure of hundreds once it is read.
        memory: (MIB, 4 * KIB),
        seeds,
        run: Box::new(run),
    }
}

fn run(case: &[u8]) -> Result<String, String> {
    let Some((first, bytes)) = case.split_first() else { return Ok(String::new()) };
    match first % 7 {
        0 => read(bytes, request),
        1 => read(bytes, lock),
        2 => read(bytes, |event: proto::Event| {
            Ok(super::answer(convert::event(event).map(|event| event.map(|_| "event"))))
        }),
        3 => read(bytes, |resource: proto::PaginatedResource| {
            Ok(format!("{:?}", convert::labelled(resource).map(|it| it.kind)))
        }),
        4 => read(bytes, rights),
        5 => read(bytes, |user: types::UserV2| {
            let subject = convert::subject_of_user(UserName::new("u"), user);
            Ok(format!("{} {}", subject.roles.is_some(), subject.traits.is_some()))
        }),
        _ => read(bytes, |state: userloginstate_v1::UserLoginState| {
            let subject = convert::subject_of_login_state(UserName::new("u"), state);
            Ok(format!("{} {}", subject.roles.is_some(), subject.traits.is_some()))
        }),
    }
}

fn read<M: Message + Default>(bytes: &[u8], with: impl FnOnce(M) -> Result<String, String>) -> Result<String, String> {
    match M::decode(bytes) {
        Ok(message) => with(message),
        Err(error) => Ok(error.to_string()),
    }
}

/// What is unknown stays unknown, and nothing is taken for an approval that is none.
fn request(message: AccessRequestV3) -> Result<String, String> {
    let state = message.spec.as_ref().map_or(0, |spec| spec.state);
    let resources = message
        .spec
        .as_ref()
        .map_or(0, |spec| spec.requested_resource_ids.len().saturating_add(spec.requested_resource_access_ids.len()));
    let request = match convert::access_request(message) {
        Ok(request) => request,
        Err(error) => return Ok(error.to_string()),
    };
    let is = match request.state {
        RequestState::Pending => 1,
        RequestState::Approved => 2,
        RequestState::Denied => 3,
        RequestState::Promoted => 4,
        RequestState::Unknown if (1..=4).contains(&state) => return Err(format!("state {state} is not known")),
        RequestState::Unknown => state,
    };
    if is != state {
        return Err(format!("state {state} became {:?}", request.state));
    }
    if request.resources.len() > resources {
        return Err(format!("{resources} resources became {}", request.resources.len()));
    }
    Ok(format!(
        "{:?} {:?} {:?} starts {} expires {}",
        request.state,
        request.kind,
        request.decided_by,
        request.access_starts.is_some(),
        request.access_expires.is_some()
    ))
}

/// Whatever lock is understood is written as it was read, or is refused.
fn lock(message: LockV2) -> Result<String, String> {
    let lock = match convert::lock(message) {
        Ok(lock) => lock,
        Err(error) => return Ok(error.to_string()),
    };
    let again = match convert::lock_to_proto(lock.clone()) {
        Ok(message) => convert::lock(message).map_err(|error| error.to_string())?,
        Err(error) if lock.target.other => return Ok(error.to_string()),
        Err(error) => return Err(error.to_string()),
    };
    // Nobody but the server says who made it, and the end of protobuf's time is that of ours.
    let (before, after) = (lock.expires, again.expires);
    if (&again.name, &again.target, &again.message) != (&lock.name, &lock.target, &lock.message) || after > before {
        return Err(format!("{lock:?} became {again:?}"));
    }
    Ok(format!("a lock, ends {}", before.is_some()))
}

/// A denial outweighs what is allowed.
fn rights(role: RoleV6) -> Result<String, String> {
    let deny = role.spec.as_ref().and_then(|spec| spec.deny.as_ref());
    let denied = deny.and_then(|deny| deny.rules.first()).cloned().unwrap_or_default();
    let rights = convert::rights([role]);
    for (kind, verb) in denied.resources.iter().flat_map(|kind| denied.verbs.iter().map(move |verb| (kind, verb))) {
        if rights.may(kind, verb) {
            return Err(format!("`{kind}: {verb}` is denied and allowed"));
        }
    }
    Ok(format!("may lock: {}", rights.may("lock", "create")))
}

fn seeds() -> Vec<Vec<u8>> {
    let event = |operation: proto::Operation, resource| {
        let event = proto::Event { r#type: operation.into(), resource: Some(resource) };
        seed(2, &event)
    };
    let header =
        types::ResourceHeader { kind: "access_request".to_owned(), metadata: metadata("a"), ..Default::default() };
    vec![
        seed(0, &a_request()),
        seed(1, &a_lock()),
        event(proto::Operation::Put, Resource::AccessRequest(a_request())),
        event(proto::Operation::Put, Resource::Lock(a_lock())),
        event(proto::Operation::Delete, Resource::ResourceHeader(header)),
        seed(3, &proto::PaginatedResource { resource: Some(Listed::Node(a_node())), requires_request: true }),
        seed(4, &a_role()),
        seed(
            5,
            &UserV2 {
                metadata: metadata("u"),
                spec: Some(UserSpecV2 {
                    roles: vec!["access".to_owned()],
                    traits: Some(labels("logins", "root")),
                    ..UserSpecV2::default()
                }),
                ..UserV2::default()
            },
        ),
        seed(
            6,
            &userloginstate_v1::UserLoginState {
                spec: Some(userloginstate_v1::Spec {
                    roles: vec!["access".to_owned()],
                    traits: vec![trait_v1::Trait { key: "team".to_owned(), values: vec!["blue".to_owned()] }],
                    ..userloginstate_v1::Spec::default()
                }),
                ..userloginstate_v1::UserLoginState::default()
            },
        ),
    ]
}

fn seed(first: u8, message: &impl Message) -> Vec<u8> {
    [vec![first], message.encode_to_vec()].concat()
}

fn metadata(name: &str) -> Option<Metadata> {
    Some(Metadata { name: name.to_owned(), expires: time(1_800_000_000), ..Metadata::default() })
}

fn time(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 5_000_000 })
}

fn labels(key: &str, value: &str) -> LabelValues {
    LabelValues { values: BTreeMap::from([(key.to_owned(), StringValues { values: vec![value.to_owned()] })]) }
}

fn a_request() -> AccessRequestV3 {
    let review = AccessReview {
        author: "bot-tribunal".to_owned(),
        proposed_state: 2,
        reason: "within the cap (tribunal decision 1-2)".to_owned(),
        created: time(1_790_000_100),
        threshold_indexes: Vec::new(),
        ..AccessReview::default()
    };
    let spec = AccessRequestSpecV3 {
        user: "alice".to_owned(),
        roles: vec!["node-access".to_owned()],
        state: 2,
        created: time(1_790_000_000),
        expires: time(1_790_030_000),
        request_reason: "work".to_owned(),
        resolve_reason: "within the cap (tribunal decision 1-2)".to_owned(),
        resolve_annotations: Some(labels("tribunal/decision", "1-2")),
        system_annotations: Some(labels("ticket", "T-1")),
        reviews: vec![review],
        suggested_reviewers: vec!["bob".to_owned()],
        requested_resource_ids: vec![ResourceId {
            cluster_name: "dev".to_owned(),
            kind: "node".to_owned(),
            name: "node-1".to_owned(),
            ..ResourceId::default()
        }],
        assume_start_time: time(1_790_000_200),
        resource_expiry: time(1_790_040_000),
        request_kind: 1,
        ..AccessRequestSpecV3::default()
    };
    AccessRequestV3 {
        kind: "access_request".to_owned(),
        version: "v3".to_owned(),
        metadata: metadata("0190a7c6-7c00-7000-8000-000000000001"),
        spec: Some(spec),
        ..AccessRequestV3::default()
    }
}

fn a_lock() -> LockV2 {
    let target =
        LockTarget { access_request: "0190a7c6-7c00-7000-8000-000000000001".to_owned(), ..LockTarget::default() };
    let spec = LockSpecV2 {
        target: Some(target),
        message: "over the cap (tribunal decision 1-2)".to_owned(),
        expires: time(1_790_030_000),
        created_by: "bot-tribunal".to_owned(),
        ..LockSpecV2::default()
    };
    LockV2 {
        kind: "lock".to_owned(),
        version: "v2".to_owned(),
        metadata: metadata("n"),
        spec: Some(spec),
        ..LockV2::default()
    }
}

fn a_node() -> ServerV2 {
    let metadata = Metadata {
        name: "node-1".to_owned(),
        labels: [("env".to_owned(), "prod".to_owned())].into(),
        ..Metadata::default()
    };
    let spec = ServerSpecV2 {
        hostname: "host".to_owned(),
        cmd_labels: [("arch".to_owned(), types::CommandLabelV2 { result: "arm".to_owned() })].into(),
    };
    ServerV2 { metadata: Some(metadata), spec: Some(spec), ..ServerV2::default() }
}

fn a_role() -> RoleV6 {
    let rule = |kind: &str, verbs: &[&str]| Rule {
        resources: vec![kind.to_owned()],
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..Rule::default()
    };
    let half = |rules| Some(RoleConditions { rules, ..RoleConditions::default() });
    let allow = half(vec![rule("lock", &["list", "read", "create"]), rule("access_request", &["*"])]);
    let deny = half(vec![rule("lock", &["delete"])]);
    RoleV6 {
        metadata: metadata("r"),
        spec: Some(RoleSpecV6 { allow, deny, ..RoleSpecV6::default() }),
        ..RoleV6::default()
    }
}
