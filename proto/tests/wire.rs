//! That names and numbers are Teleport's; bytes are written by hand here, so that the generator cannot agree with
//! itself.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use prost::Message;
use prost_types::Timestamp;
use tonic::server::NamedService;
use tribunal_proto::proto::auth_service_server::AuthServiceServer;
use tribunal_proto::userloginstate_v1::user_login_state_service_server::UserLoginStateServiceServer;
use tribunal_proto::users_v1::users_service_server::UsersServiceServer;
use tribunal_proto::{header_v1, proto, trait_v1, types, userloginstate_v1, wrappers};

#[track_caller]
fn check(message: &impl Message, bytes: &[u8]) {
    assert_eq!(message.encode_to_vec(), bytes);
}

#[test]
fn services_have_teleports_full_names() {
    assert_eq!(AuthServiceServer::<()>::NAME, "proto.AuthService");
    assert_eq!(UsersServiceServer::<()>::NAME, "teleport.users.v1.UsersService");
    assert_eq!(UserLoginStateServiceServer::<()>::NAME, "teleport.userloginstate.v1.UserLoginStateService");
}

#[test]
fn a_state_setter_is_encoded_by_teleports_numbers() {
    let setter = proto::RequestStateSetter {
        id: "a".into(),
        state: types::RequestState::Approved.into(),
        delegator: "b".into(),
        reason: "c".into(),
        annotations: Some(wrappers::LabelValues {
            values: BTreeMap::from([("k".into(), wrappers::StringValues { values: vec!["v".into()] })]),
        }),
        roles: vec!["d".into()],
        assume_start_time: Some(Timestamp { seconds: 1, nanos: 0 }),
    };
    #[rustfmt::skip]
    check(&setter, &[
        0x0a, 1, b'a',
        0x10, 2,
        0x1a, 1, b'b',
        0x22, 1, b'c',
        0x2a, 10, 0x0a, 8, 0x0a, 1, b'k', 0x12, 3, 0x0a, 1, b'v',
        0x32, 1, b'd',
        0x3a, 2, 0x08, 1,
    ]);
}

#[test]
fn a_lock_is_encoded_by_teleports_numbers() {
    let lock = types::LockV2 {
        kind: "k".into(),
        version: "v".into(),
        metadata: Some(types::Metadata {
            name: "n".into(),
            labels: BTreeMap::from([("a".into(), "b".into())]),
            expires: Some(Timestamp { seconds: 2, nanos: 0 }),
            revision: "r".into(),
            ..Default::default()
        }),
        spec: Some(types::LockSpecV2 {
            target: Some(types::LockTarget {
                access_request: "q".into(),
                join_token: "j".into(),
                ..Default::default()
            }),
            message: "m".into(),
            expires: Some(Timestamp { seconds: 3, nanos: 0 }),
            created_at: None,
            created_by: "c".into(),
        }),
        ..Default::default()
    };
    #[rustfmt::skip]
    check(&lock, &[
        0x0a, 1, b'k',
        0x1a, 1, b'v',
        0x22, 18, 0x0a, 1, b'n', 0x2a, 6, 0x0a, 1, b'a', 0x12, 1, b'b', 0x32, 2, 0x08, 2, 0x42, 1, b'r',
        0x2a, 18, 0x0a, 6, 0x3a, 1, b'q', 0x5a, 1, b'j', 0x12, 1, b'm', 0x1a, 2, 0x08, 3, 0x2a, 1, b'c',
    ]);
}

#[test]
fn a_request_is_decoded_by_teleports_numbers() {
    #[rustfmt::skip]
    let bytes = [
        0x0a, 1, b'k',
        0x22, 3, 0x0a, 1, b'i',
        0x2a, 56,
            0x0a, 1, b'u',
            0x18, 1,
            // Year 1: a negative varint of ten bytes.
            0x22, 11, 0x08, 0x80, 0x92, 0xb8, 0xc3, 0x98, 0xfe, 0xff, 0xff, 0xff, 0x01,
            0x62, 3, 0x0a, 1, b'w',
            0x72, 3, 0x22, 1, b's',
            0xb2, 0x01, 2, 0x08, 9,
            0xc0, 0x01, 2,
            0xd2, 0x01, 14,
                0x0a, 3, 0x1a, 1, b'n',
                0x12, 7, 0x5a, 5, 0x0a, 3, b'r', b'o', b'x',
            // A field that nobody knows yet.
            0xf8, 0x3f, 1,
    ];
    let request = types::AccessRequestV3::decode(bytes.as_slice()).unwrap();
    let spec = request.spec.unwrap();
    assert_eq!(request.metadata.unwrap().name, "i");
    assert_eq!(spec.user, "u");
    assert_eq!(spec.state(), types::RequestState::Pending);
    assert_eq!(spec.created.unwrap().seconds, -62_135_596_800);
    assert_eq!(spec.reviews.first().unwrap().author, "w");
    assert_eq!(spec.requested_resource_ids.first().unwrap().sub_resource_name, "s");
    assert_eq!(spec.resource_expiry.unwrap().seconds, 9);
    assert_eq!(spec.request_kind(), types::AccessRequestKind::LongTerm);
    let resource = spec.requested_resource_access_ids.first().unwrap();
    assert_eq!(resource.id.as_ref().unwrap().name, "n");
    let types::resource_constraints::Details::Ssh(ssh) =
        resource.constraints.as_ref().unwrap().details.as_ref().unwrap()
    else {
        unreachable!("field 11 is SSH");
    };
    assert_eq!(ssh.logins, ["rox"]);
}

#[test]
fn a_constraint_to_desktop_logins_is_encoded_by_teleports_numbers() {
    let desktop = types::WindowsDesktopResourceConstraints { logins: vec!["rox".into()] };
    let details = Some(types::resource_constraints::Details::WindowsDesktop(desktop));
    let constraints = types::ResourceConstraints { version: "v1".into(), details };
    check(&constraints, &[0x0a, 2, b'v', b'1', 0x6a, 5, 0x0a, 3, b'r', b'o', b'x']);
}

#[test]
fn a_constraint_of_an_unknown_kind_decodes_to_none() {
    let bytes = [0x0a, 2, b'v', b'2', 0x62, 0];
    let constraints = types::ResourceConstraints::decode(bytes.as_slice()).unwrap();
    assert_eq!(constraints, types::ResourceConstraints { version: "v2".into(), details: None });
}

#[test]
fn events_are_told_apart_by_teleports_numbers() {
    let decode = |bytes: &[u8]| proto::Event::decode(bytes).unwrap();
    // INIT is the zero value, and so not on the wire at all.
    let init = decode(&[0xda, 0x02, 4, 0x2a, 2, 0x0a, 0]);
    assert_eq!(init.r#type(), proto::Operation::Init);
    assert!(matches!(init.resource, Some(proto::event::Resource::WatchStatus(_))));
    let put = decode(&[0x08, 1, 0x72, 3, 0x0a, 1, b'k']);
    assert_eq!(put.r#type(), proto::Operation::Put);
    assert!(matches!(put.resource, Some(proto::event::Resource::AccessRequest(_))));
    let lock = decode(&[0x08, 1, 0xc2, 0x01, 3, 0x0a, 1, b'k']);
    assert!(matches!(lock.resource, Some(proto::event::Resource::Lock(_))));
    let delete = decode(&[0x08, 2, 0x12, 3, 0x0a, 1, b'k']);
    assert_eq!(delete.r#type(), proto::Operation::Delete);
    assert!(matches!(delete.resource, Some(proto::event::Resource::ResourceHeader(_))));
    // A kind that this API does not know (field 45: an access list).
    assert_eq!(decode(&[0x08, 1, 0xea, 0x02, 0]).resource, None);
}

#[test]
fn leases_skip_the_fourth_number() {
    let lease = types::SemaphoreLease {
        semaphore_kind: "k".into(),
        semaphore_name: "n".into(),
        lease_id: "l".into(),
        expires: Some(Timestamp { seconds: 4, nanos: 0 }),
    };
    check(&lease, &[0x0a, 1, b'k', 0x12, 1, b'n', 0x1a, 1, b'l', 0x2a, 2, 0x08, 4]);
}

#[test]
fn plugin_data_is_nested_maps() {
    let data = types::PluginDataV3 {
        spec: Some(types::PluginDataSpecV3 {
            entries: BTreeMap::from([(
                "p".into(),
                types::PluginDataEntry { data: BTreeMap::from([("k".into(), "v".into())]) },
            )]),
        }),
        ..Default::default()
    };
    check(&data, &[0x2a, 15, 0x0a, 13, 0x0a, 1, b'p', 0x12, 8, 0x0a, 6, 0x0a, 1, b'k', 0x12, 1, b'v']);
}

#[test]
fn roles_are_encoded_by_teleports_numbers() {
    let role = types::RoleV6 {
        spec: Some(types::RoleSpecV6 {
            options: Some(types::RoleOptions { max_session_ttl: 1, request_access: "o".into() }),
            allow: Some(types::RoleConditions {
                rules: vec![types::Rule { resources: vec!["r".into()], verbs: vec!["v".into()], ..Default::default() }],
                request: Some(types::AccessRequestConditions { max_duration: 7, ..Default::default() }),
                review_requests: Some(types::AccessReviewConditions {
                    preview_as_roles: vec!["p".into()],
                    ..Default::default()
                }),
            }),
            deny: None,
        }),
        ..Default::default()
    };
    #[rustfmt::skip]
    check(&role, &[
        0x2a, 26,
            0x0a, 5, 0x10, 1, 0x5a, 1, b'o',
            0x12, 17,
                0x22, 6, 0x0a, 1, b'r', 0x12, 1, b'v',
                0x32, 2, 0x38, 7,
                0x7a, 3, 0x22, 1, b'p',
    ]);
}

#[test]
fn a_users_traits_are_a_map_and_a_login_states_are_pairs() {
    let user = types::UserSpecV2 {
        roles: vec!["r".into()],
        traits: Some(wrappers::LabelValues {
            values: BTreeMap::from([("k".into(), wrappers::StringValues { values: vec!["v".into()] })]),
        }),
        ..Default::default()
    };
    check(&user, &[0x22, 1, b'r', 0x2a, 10, 0x0a, 8, 0x0a, 1, b'k', 0x12, 3, 0x0a, 1, b'v']);
    let state = userloginstate_v1::UserLoginState {
        header: Some(header_v1::ResourceHeader {
            metadata: Some(header_v1::Metadata { name: "u".into(), ..Default::default() }),
            ..Default::default()
        }),
        spec: Some(userloginstate_v1::Spec {
            roles: vec!["r".into()],
            traits: vec![trait_v1::Trait { key: "k".into(), values: vec!["v".into()] }],
            ..Default::default()
        }),
    };
    #[rustfmt::skip]
    check(&state, &[
        0x0a, 5, 0x22, 3, 0x0a, 1, b'u',
        0x12, 11, 0x0a, 1, b'r', 0x12, 6, 0x0a, 1, b'k', 0x12, 1, b'v',
    ]);
}

#[test]
fn a_listing_of_resources_is_asked_by_teleports_numbers() {
    let sort = || Some(types::SortBy { is_desc: true, field: "f".into() });
    let unified = proto::ListUnifiedResourcesRequest {
        kinds: vec!["k".into()],
        limit: 1,
        start_key: "s".into(),
        labels: BTreeMap::from([("a".into(), "b".into())]),
        predicate_expression: "p".into(),
        search_keywords: vec!["w".into()],
        sort_by: sort(),
        use_search_as_roles: true,
        use_preview_as_roles: true,
        pinned_only: true,
        include_logins: true,
        include_requestable: true,
    };
    #[rustfmt::skip]
    check(&unified, &[
        0x0a, 1, b'k',
        0x10, 1,
        0x1a, 1, b's',
        0x22, 6, 0x0a, 1, b'a', 0x12, 1, b'b',
        0x2a, 1, b'p',
        0x32, 1, b'w',
        0x3a, 5, 0x08, 1, 0x12, 1, b'f',
        0x48, 1, 0x50, 1, 0x58, 1, 0x60, 1, 0x70, 1,
    ]);
    let one_kind = proto::ListResourcesRequest {
        resource_type: "t".into(),
        namespace: "n".into(),
        limit: 1,
        start_key: "s".into(),
        labels: BTreeMap::from([("a".into(), "b".into())]),
        predicate_expression: "p".into(),
        search_keywords: vec!["w".into()],
        sort_by: sort(),
        need_total_count: true,
        use_search_as_roles: true,
        use_preview_as_roles: true,
        include_logins: true,
    };
    #[rustfmt::skip]
    check(&one_kind, &[
        0x0a, 1, b't',
        0x12, 1, b'n',
        0x18, 1,
        0x22, 1, b's',
        0x2a, 6, 0x0a, 1, b'a', 0x12, 1, b'b',
        0x32, 1, b'p',
        0x3a, 1, b'w',
        0x42, 5, 0x08, 1, 0x12, 1, b'f',
        0x48, 1, 0x58, 1, 0x60, 1, 0x68, 1,
    ]);
}

#[test]
fn resources_and_their_labels_are_decoded_by_teleports_numbers() {
    use proto::paginated_resource::Resource;

    let decode = |bytes: &[u8]| proto::PaginatedResource::decode(bytes).unwrap().resource;
    // The thing itself: metadata with a name and a label, and a label command's result at `number` of the spec.
    let inner = |number: u8| {
        #[rustfmt::skip]
        let thing = [
            0x22, 11, 0x0a, 1, b'n', 0x2a, 6, 0x0a, 1, b'a', 0x12, 1, b'b',
            0x2a, 10, number << 3 | 2, 8, 0x0a, 1, b'c', 0x12, 3, 0x1a, 1, b'd',
        ];
        thing
    };
    // An agent that serves it, at `number` of the agent's spec, at `variant` of the listing.
    let served = |variant: u8, number: u8, thing: &[u8]| {
        let thing_len = u8::try_from(thing.len()).unwrap();
        let spec_len = thing_len + 2;
        let mut bytes = vec![variant << 3 | 2, spec_len + 2, 0x2a, spec_len, number << 3 | 2, thing_len];
        bytes.extend_from_slice(thing);
        bytes
    };
    let metadata = Some(types::Metadata {
        name: "n".into(),
        labels: BTreeMap::from([("a".into(), "b".into())]),
        ..Default::default()
    });
    let commands = BTreeMap::from([("c".into(), types::CommandLabelV2 { result: "d".into() })]);

    let mut node = vec![0x1a, u8::try_from(inner(4).len()).unwrap()];
    node.extend_from_slice(&inner(4));
    let server = types::ServerV2 {
        metadata: metadata.clone(),
        spec: Some(types::ServerSpecV2 { cmd_labels: commands.clone(), ..Default::default() }),
        ..Default::default()
    };
    assert_eq!(decode(&node), Some(Resource::Node(server)));

    let app = types::AppV3 {
        metadata: metadata.clone(),
        spec: Some(types::AppSpecV3 { dynamic_labels: commands.clone() }),
        ..Default::default()
    };
    let server = types::AppServerV3 { spec: Some(types::AppServerSpecV3 { app: Some(app) }), ..Default::default() };
    assert_eq!(decode(&served(2, 5, &inner(3))), Some(Resource::AppServer(server)));

    let database = types::DatabaseV3 {
        metadata: metadata.clone(),
        spec: Some(types::DatabaseSpecV3 { dynamic_labels: commands.clone() }),
        ..Default::default()
    };
    let spec = types::DatabaseServerSpecV3 { database: Some(database) };
    let server = types::DatabaseServerV3 { spec: Some(spec), ..Default::default() };
    assert_eq!(decode(&served(1, 12, &inner(4))), Some(Resource::DatabaseServer(server)));

    let cluster = types::KubernetesClusterV3 {
        metadata: metadata.clone(),
        spec: Some(types::KubernetesClusterSpecV3 { dynamic_labels: commands }),
        ..Default::default()
    };
    let spec = types::KubernetesServerSpecV3 { cluster: Some(cluster.clone()) };
    let server = types::KubernetesServerV3 { spec: Some(spec), ..Default::default() };
    assert_eq!(decode(&served(7, 5, &inner(1))), Some(Resource::KubernetesServer(server)));
    let mut bare = vec![0x32, u8::try_from(inner(1).len()).unwrap()];
    bare.extend_from_slice(&inner(1));
    assert_eq!(decode(&bare), Some(Resource::KubeCluster(cluster)));

    #[rustfmt::skip]
    let desktop = decode(&[0x2a, 15, 0x0a, 13, 0x22, 11, 0x0a, 1, b'n', 0x2a, 6, 0x0a, 1, b'a', 0x12, 1, b'b']);
    let header = types::ResourceHeader { metadata, ..Default::default() };
    assert_eq!(desktop, Some(Resource::WindowsDesktop(types::WindowsDesktopV3 { header: Some(header) })));

    assert_eq!(decode(&[0x7a, 3, 0x0a, 1, b'k']).map(|it| matches!(it, Resource::GitServer(_))), Some(true));
    // A kind that this API does not know (field 10: a user group), beside a field of the listing itself.
    let unknown = proto::PaginatedResource::decode([0x52, 0, 0x70, 1].as_slice()).unwrap();
    assert_eq!(unknown, proto::PaginatedResource { resource: None, requires_request: true });
}
