//! Between Teleport's messages and the core's types, both ways. Nothing else in the program sees both.
//!
//! Must never turn what it does not know into something harmless: it stays unknown, or is an error.

mod event;
mod lock;
mod request;
mod resource;
mod rights;
mod subject;
mod time;

pub use self::event::{InvalidEvent, event};
pub use self::lock::{InvalidLock, lock, lock_to_proto};
pub use self::request::{
    DELEGATOR, InvalidRequest, RULES_ANNOTATION, access_request, resolution_to_proto, review_to_proto,
};
pub use self::resource::{Labelled, labelled};
pub use self::rights::rights;
pub use self::subject::{subject_of_login_state, subject_of_user};
pub use self::time::{timestamp, timestamp_not_before, timestamp_to_proto};

use tribunal_core::request::Attributes;
use tribunal_proto::wrappers::LabelValues;

/// Values by name. Go leaves the message out, or sends it empty, for none.
fn attributes(values: Option<LabelValues>) -> Attributes {
    values.unwrap_or_default().values.into_iter().map(|(key, values)| (key, values.values)).collect()
}
