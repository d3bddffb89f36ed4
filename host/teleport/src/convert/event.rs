//! Events of a watch.

use std::sync::Arc;

use tribunal_core::action::Event;
use tribunal_core::lock::LockName;
use tribunal_core::request::RequestId;
use tribunal_proto::proto::event::Resource;
use tribunal_proto::proto::{self, Operation};
use tribunal_proto::types;

use super::{InvalidLock, InvalidRequest, access_request, lock};

/// Why an event cannot be understood. Passing it over would leave a gap in what is known of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvent {
    /// It does what nobody knows.
    #[error("an event with the unknown operation {0}; update tribunal")]
    UnknownOperation(i32),
    /// The watch began anew in its middle.
    #[error("a second INIT in one watch")]
    SecondInit,
    /// Its request cannot be understood.
    #[error("an event with {0}")]
    Request(#[from] InvalidRequest),
    /// Its lock cannot be understood.
    #[error("an event with {0}")]
    Lock(#[from] InvalidLock),
    /// It deletes what it does not name.
    #[error("a DELETE of kind `{0}` that names nothing")]
    NamesNothing(String),
}

/// What an event after INIT tells; none if it is about something that is not followed.
///
/// # Errors
/// If it is about something that is followed, and cannot be understood.
pub fn event(event: proto::Event) -> Result<Option<Event>, InvalidEvent> {
    let proto::Event { r#type, resource } = event;
    match Operation::try_from(r#type) {
        Err(_) => Err(InvalidEvent::UnknownOperation(r#type)),
        Ok(Operation::Init) => Err(InvalidEvent::SecondInit),
        Ok(Operation::Put) => put(resource),
        Ok(Operation::Delete) => delete(resource),
    }
}

fn put(resource: Option<Resource>) -> Result<Option<Event>, InvalidEvent> {
    match resource {
        Some(Resource::AccessRequest(request)) => Ok(Some(Event::RequestPut(Arc::new(access_request(request)?)))),
        Some(Resource::Lock(message)) => Ok(Some(Event::LockPut(Box::new(lock(message)?)))),
        Some(
            Resource::ResourceHeader(_)
            | Resource::User(_)
            | Resource::Role(_)
            | Resource::WatchStatus(_)
            | Resource::UserLoginState(_),
        )
        | None => Ok(None),
    }
}

fn delete(resource: Option<Resource>) -> Result<Option<Event>, InvalidEvent> {
    let (kind, metadata) = match resource {
        Some(Resource::ResourceHeader(header)) => (header.kind, header.metadata),
        // Teleport sends headers only; a full object names itself just as well.
        Some(Resource::AccessRequest(request)) => (request.kind, request.metadata),
        Some(Resource::Lock(lock)) => (lock.kind, lock.metadata),
        Some(Resource::User(_) | Resource::Role(_) | Resource::WatchStatus(_) | Resource::UserLoginState(_)) | None => {
            return Ok(None);
        }
    };
    let types::Metadata { name, .. } = metadata.unwrap_or_default();
    match kind.as_str() {
        "access_request" | "lock" if name.is_empty() => Err(InvalidEvent::NamesNothing(kind)),
        "access_request" => Ok(Some(Event::RequestGone(RequestId::new(name)))),
        "lock" => Ok(Some(Event::LockGone(LockName::new(name)))),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: &str, name: &str) -> Option<Resource> {
        Some(Resource::ResourceHeader(types::ResourceHeader {
            kind: kind.into(),
            metadata: Some(types::Metadata { name: name.into(), ..Default::default() }),
            ..Default::default()
        }))
    }

    fn told(operation: i32, resource: Option<Resource>) -> Result<Option<Event>, InvalidEvent> {
        event(proto::Event { r#type: operation, resource })
    }

    #[test]
    fn what_is_deleted_is_gone() {
        assert_eq!(told(2, header("access_request", "a")), Ok(Some(Event::RequestGone(RequestId::new("a")))));
        assert_eq!(told(2, header("lock", "b")), Ok(Some(Event::LockGone(LockName::new("b")))));
        assert_eq!(told(2, header("user", "c")), Ok(None));
        assert_eq!(told(2, None), Ok(None));
        assert_eq!(told(2, header("lock", "")), Err(InvalidEvent::NamesNothing("lock".into())));
    }

    #[test]
    fn what_is_put_is_there() {
        let lock = types::LockV2 {
            metadata: Some(types::Metadata { name: "n".into(), ..Default::default() }),
            ..Default::default()
        };
        assert!(
            matches!(told(1, Some(Resource::Lock(lock))), Ok(Some(Event::LockPut(lock))) if lock.name == LockName::new("n"))
        );
        assert_eq!(told(1, None), Ok(None));
    }

    #[test]
    fn what_cannot_be_understood_is_not_passed_over() {
        assert_eq!(told(1, Some(Resource::Lock(types::LockV2::default()))), Err(InvalidLock::NoName.into()));
        assert_eq!(
            told(1, Some(Resource::AccessRequest(types::AccessRequestV3::default()))),
            Err(InvalidRequest::NoId.into())
        );
        assert_eq!(told(3, None), Err(InvalidEvent::UnknownOperation(3)));
        assert_eq!(told(0, None), Err(InvalidEvent::SecondInit));
    }
}
