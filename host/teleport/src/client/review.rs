//! Resolving by review: one call, and what each of its refusals means.
//!
//! Must never submit twice by itself: Teleport takes one review of each user, and counts it at once.

use tonic::{Code, Status};
use tribunal_core::action::Resolution;
use tribunal_core::failure::{Failure, FailureClass};

use super::Client;
use crate::convert;
use crate::failure::{Method, explain};

const SUBMIT_REVIEW: Method = Method {
    name: "SubmitAccessReview",
    needs: "`review_requests.roles` that match every requested role, and nothing that denies one of them",
};

impl Client {
    /// Submits our review. Where the request stands with it is for others to read.
    pub(super) async fn submit_review(&self, resolution: Resolution) -> Result<(), Failure> {
        let connection = self.connection();
        let mut auth = connection.auth();
        let review = convert::review_to_proto(resolution);
        match self.call(&connection, auth.submit_access_review(review)).await {
            Ok(_reviewed) => Ok(()),
            Err(status) => Err(refused(&status)),
        }
    }
}

/// What a refused review means. Teleport says most of it with the one code `PermissionDenied`, so that its words tell
/// what may mend itself from what needs a person (`lib/services/access_request.go`, `lib/auth/auth_with_roles.go`).
fn refused(status: &Status) -> Failure {
    let said = status.message().to_lowercase();
    let without_remedy = Method { needs: "", ..SUBMIT_REVIEW };
    let (class, what) = match status.code() {
        Code::PermissionDenied if said.contains("already reviewed") => {
            (FailureClass::Settle, "our one review is on the request already")
        }
        // In Go: "the access request has been already approved"; also denied, promoted.
        Code::PermissionDenied
            if said.contains("request has been already") || said.contains("request has already been") =>
        {
            (FailureClass::Settle, "it was resolved meanwhile")
        }
        Code::PermissionDenied if said.contains("enterprise") || said.contains("license") => {
            (FailureClass::Alarm, "set `resolve-with = \"state\"` in `[teleport]`, or use an edition with reviews")
        }
        // Teleport says it of people with the one code, and of bots with the other.
        Code::PermissionDenied | Code::InvalidArgument
            if said.contains("elevated") || said.contains("active request") =>
        {
            (FailureClass::Alarm, "have tbot write an identity that has assumed no access request")
        }
        Code::PermissionDenied if said.contains("on behalf of") => {
            (FailureClass::Alarm, "the server sees another user in us than our identity says; have tbot write it anew")
        }
        Code::InvalidArgument if said.contains("does not support reviews") => {
            (FailureClass::Alarm, "the request was made without thresholds; people have to decide it")
        }
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::InvalidArgument
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => return explain(SUBMIT_REVIEW, status),
    };
    let Failure { class: _, detail } = explain(without_remedy, status);
    Failure::new(class, format!("{detail}; {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_of_a_review_is_settled_retried_or_a_persons() {
        use FailureClass::{Alarm, Retry, Settle};
        let denied = Status::permission_denied;
        let cases = [
            (denied("user \"bot-tribunal\" has already reviewed this request"), Settle, "our one review"),
            (denied("the access request has been already approved"), Settle, "resolved meanwhile"),
            (denied("the access request has been already denied"), Settle, "resolved meanwhile"),
            (denied("the access request has been already promoted"), Settle, "resolved meanwhile"),
            (denied("user \"bot-tribunal\" cannot submit reviews"), Alarm, "role needs `review_requests.roles`"),
            (denied("user \"bot-tribunal\" cannot review request \"r\""), Alarm, "role needs `review_requests.roles`"),
            (denied("access denied"), Alarm, "role needs `review_requests.roles`"),
            (denied("admin-level API request requires MFA verification"), Alarm, "an identity that tbot writes"),
            (denied("lock targeting User:\"bot-tribunal\" is in force"), Alarm, "locked the daemon out"),
            (denied("this feature requires Teleport Enterprise"), Alarm, "resolve-with = \"state\""),
            (denied("reviews cannot be submitted with elevated access"), Alarm, "no access request"),
            (Status::invalid_argument("bot should not have active requests"), Alarm, "no access request"),
            (denied("user \"a\" cannot submit reviews on behalf of \"b\""), Alarm, "another user"),
            (Status::invalid_argument("request is uninitialized or does not support reviews"), Alarm, "people"),
            (Status::invalid_argument("invalid state proposal"), Settle, "invalid argument"),
            (Status::not_found("access request \"r\" not found"), Settle, "not found"),
            (Status::unimplemented("annotations are not yet supported in reviews"), Alarm, "not implemented"),
            (Status::failed_precondition("too many concurrent writes"), Retry, "failed precondition"),
            (Status::unavailable("going away"), Retry, "unavailable"),
            (Status::deadline_exceeded("no answer"), Retry, "too late"),
        ];
        for (status, class, words) in cases {
            let failure = refused(&status);
            assert_eq!(failure.class, class, "{failure}");
            assert!(failure.detail.contains(words), "{failure}");
            assert!(failure.detail.contains("SubmitAccessReview"), "{failure}");
            assert!(failure.detail.contains(status.message()), "{failure}");
        }
    }

    #[test]
    fn what_mends_itself_names_no_right_that_would_be_missing() {
        let failure = refused(&Status::permission_denied("the access request has been already approved"));
        assert!(!failure.detail.contains("role needs"), "{failure}");
    }
}
