//! Teleport's gRPC API as far as tribunal speaks it: messages, clients and server traits, generated from our own
//! minimal `.proto` files in `teleport/`.
//!
//! Must never hold logic: what a message means is decided by those who send and receive it.
//!
//! The numbers and types of fields are Teleport's; fields that tribunal has no use for are left out. Decoding drops
//! them, so a message that was received must not be sent back, except where it is modelled whole (locks are).

mod generated {
    #![allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::large_futures,
        clippy::needless_pass_by_value,
        clippy::wildcard_enum_match_arm,
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "written by a generator, and which of them fire changes with its version"
    )]
    include!(concat!(env!("OUT_DIR"), "/teleport.rs"));
}

#[doc(inline)]
pub use generated::{proto, types, wrappers};

/// What every message can do, such as say how long it is.
pub use prost::Message;

/// Package `teleport.header.v1`: metadata of newer resources.
pub mod header_v1 {
    pub use crate::generated::teleport::header::v1::*;
}

/// Package `teleport.trait.v1`: traits as pairs.
pub mod trait_v1 {
    pub use crate::generated::teleport::r#trait::v1::*;
}

/// Package `teleport.userloginstate.v1`: what users hold since their last login.
pub mod userloginstate_v1 {
    pub use crate::generated::teleport::userloginstate::v1::*;
}

/// Package `teleport.users.v1`: users as stored.
pub mod users_v1 {
    pub use crate::generated::teleport::users::v1::*;
}
