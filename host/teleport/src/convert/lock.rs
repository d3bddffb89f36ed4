//! Locks, both ways.

use tribunal_core::lock::{Lock, LockName, LockTarget};
use tribunal_core::request::{RequestId, UserName};
use tribunal_proto::types;

use super::{timestamp, timestamp_to_proto};

/// Why a message is no lock, or a lock cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLock {
    /// It has no name.
    #[error("a lock without `metadata.name`; the server does not speak the API that this client knows")]
    NoName,
    /// It is on things that the core does not model, which writing would lose.
    #[error("lock `{0}` is on more than user, role and request, which cannot be written; write it with `tctl`")]
    OtherTarget(LockName),
}

/// A lock as the server tells it.
///
/// # Errors
/// If it has no name.
pub fn lock(lock: types::LockV2) -> Result<Lock, InvalidLock> {
    let types::LockV2 { kind: _, sub_kind: _, version: _, metadata, spec } = lock;
    let metadata = metadata.unwrap_or_default();
    if metadata.name.is_empty() {
        return Err(InvalidLock::NoName);
    }
    let types::LockSpecV2 { target, message, expires, created_at: _, created_by } = spec.unwrap_or_default();
    // It stops biting at the first of the two: one ends its force, the other its existence.
    let ends = [timestamp(expires.as_ref()), timestamp(metadata.expires.as_ref())];
    Ok(Lock {
        name: LockName::new(metadata.name),
        target: lock_target(target.unwrap_or_default()),
        message,
        expires: ends.into_iter().flatten().min(),
        created_by,
    })
}

/// A lock as it is written. `metadata.expires` is set beside `spec.expires`, so that the backend cleans it up.
///
/// # Errors
/// If it is on more than the core models.
pub fn lock_to_proto(lock: Lock) -> Result<types::LockV2, InvalidLock> {
    let Lock { name, target, message, expires, created_by: _ } = lock;
    let LockTarget { user, role, access_request, other } = target;
    if other {
        return Err(InvalidLock::OtherTarget(name));
    }
    let expires = expires.map(timestamp_to_proto);
    Ok(types::LockV2 {
        kind: "lock".to_owned(),
        sub_kind: String::new(),
        version: "v2".to_owned(),
        metadata: Some(types::Metadata { name: name.as_str().to_owned(), expires, ..types::Metadata::default() }),
        spec: Some(types::LockSpecV2 {
            target: Some(types::LockTarget {
                user: user.map(|user| user.as_str().to_owned()).unwrap_or_default(),
                role: role.unwrap_or_default(),
                access_request: access_request.map(|id| id.as_str().to_owned()).unwrap_or_default(),
                ..types::LockTarget::default()
            }),
            message,
            expires,
            created_at: None,
            created_by: String::new(),
        }),
    })
}

fn lock_target(target: types::LockTarget) -> LockTarget {
    let types::LockTarget {
        user,
        role,
        login,
        mfa_device,
        windows_desktop,
        access_request,
        device,
        server_id,
        bot_instance_id,
        join_token,
    } = target;
    let others = [login, mfa_device, windows_desktop, device, server_id, bot_instance_id, join_token];
    let some = |text: String| (!text.is_empty()).then_some(text);
    LockTarget {
        user: some(user).map(UserName::new),
        role: some(role),
        access_request: some(access_request).map(RequestId::new),
        other: others.iter().any(|text| !text.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    use prost_types::Timestamp as Proto;
    use tribunal_core::Timestamp;

    use super::*;

    fn message(target: types::LockTarget) -> types::LockV2 {
        types::LockV2 {
            metadata: Some(types::Metadata { name: "n".into(), ..Default::default() }),
            spec: Some(types::LockSpecV2 { target: Some(target), ..Default::default() }),
            ..Default::default()
        }
    }

    #[test]
    fn a_lock_on_something_else_as_well_is_known_as_such() {
        let others: [fn(&mut types::LockTarget) -> &mut String; 7] = [
            |target| &mut target.login,
            |target| &mut target.mfa_device,
            |target| &mut target.windows_desktop,
            |target| &mut target.device,
            |target| &mut target.server_id,
            |target| &mut target.bot_instance_id,
            |target| &mut target.join_token,
        ];
        for field in others {
            let mut target = types::LockTarget { user: "u".into(), ..Default::default() };
            *field(&mut target) = "x".into();
            let lock = lock(message(target)).unwrap();
            assert!(lock.target.other);
            assert_eq!(lock_to_proto(lock), Err(InvalidLock::OtherTarget(LockName::new("n"))));
        }
    }

    #[test]
    fn a_lock_ends_when_the_first_of_its_times_is_over() {
        let time = |seconds| Some(Proto { seconds, nanos: 0 });
        for (spec, metadata, end) in [
            (None, None, None),
            (time(5), None, Some(5)),
            (None, time(6), Some(6)),
            (time(5), time(6), Some(5)),
            (time(7), time(6), Some(6)),
            (time(-62_135_596_800), None, None),
        ] {
            let mut message = message(types::LockTarget::default());
            message.spec.as_mut().unwrap().expires = spec;
            message.metadata.as_mut().unwrap().expires = metadata;
            assert_eq!(lock(message).unwrap().expires, end.map(Timestamp::from_secs));
        }
    }

    #[test]
    fn a_lock_without_a_name_is_an_error() {
        assert_eq!(lock(types::LockV2::default()), Err(InvalidLock::NoName));
    }

    proptest! {
        #[test]
        fn a_lock_survives_the_way_there_and_back(
            name in ".{1,8}",
            user in proptest::option::of(".{1,8}"),
            role in proptest::option::of(".{1,8}"),
            request in proptest::option::of(".{1,8}"),
            text in ".{0,8}",
            expires in proptest::option::of(0..253_402_300_799_999_u64),
        ) {
            let before = Lock {
                name: LockName::new(name),
                target: LockTarget {
                    user: user.map(UserName::new),
                    role,
                    access_request: request.map(RequestId::new),
                    other: false,
                },
                message: text,
                expires: expires.map(Timestamp::from_millis),
                created_by: String::new(),
            };
            prop_assert_eq!(lock(lock_to_proto(before.clone()).unwrap()).unwrap(), before);
        }
    }
}
