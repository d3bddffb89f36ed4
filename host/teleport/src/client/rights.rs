//! Reads what our own identity may do.
//!
//! Must never take "cannot tell" for "may do nothing", nor for "may do everything".

use std::time::Duration;

use tokio::time::Instant;
use tonic::{Code, Status};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_proto::types::RoleV6;

use super::{Client, Connection};
use crate::convert;
use crate::failure::{Method, explain};
use crate::rights::{Rights, TO_SEE};

/// The most roles that an identity may have.
const ROLES_MAX: usize = 1000;
/// How long it is taken for granted that our roles let us see everything.
pub const SIGHT_SECS_MAX: u64 = 3_600;
/// How long it is taken for granted that they do not.
pub const BLIND_SECS_MAX: u64 = 30;

const CURRENT_ROLES: Method = Method { name: "GetCurrentUserRoles", needs: "" };

impl Client {
    /// What our own identity may do, as its roles say now; none if the server cannot tell. What Teleport grants
    /// everybody without a role is not among it.
    ///
    /// # Errors
    /// If there is no connection or no answer.
    pub async fn rights(&self) -> Result<Option<Rights>, Failure> {
        let connection = self.connection();
        let after = self.limits().list;
        let roles = match tokio::time::timeout(after, self.read_roles(&connection)).await {
            Ok(roles) => roles,
            Err(_) => Err(connection.too_late(after)),
        };
        match roles {
            Ok(Some(roles)) => Ok(Some(convert::rights(roles))),
            Ok(None) => Err(Failure::new(
                FailureClass::Alarm,
                format!("`{}`: more than {ROLES_MAX} roles; give the daemon a role of its own", CURRENT_ROLES.name),
            )),
            Err(status) if matches!(status.code(), Code::Unimplemented | Code::PermissionDenied) => Ok(None),
            Err(status) => Err(explain(CURRENT_ROLES, &status)),
        }
    }

    /// Law 8: a server that we may not ask for everything gives us a part, and does not say so. Asks what our roles are
    /// at the first list of a connection and again from time to time.
    ///
    /// # Errors
    /// An alarm that names the verbs that are missing. Where the server cannot tell there is no failure.
    pub(super) async fn check_sight(&self, connection: &Connection) -> Result<(), Failure> {
        let mut sight = connection.sight.lock().await;
        let known = sight.as_ref().filter(|sight| sight.asked.elapsed() < sight.holds);
        let missing = match known {
            Some(sight) => sight.missing.clone(),
            None => {
                let Ok(rights) = self.rights().await else {
                    // Nobody could be asked just now; the list itself will tell.
                    return Ok(());
                };
                let missing = rights.map_or_else(Vec::new, |rights| rights.missing(TO_SEE));
                let holds = Duration::from_secs(if missing.is_empty() { SIGHT_SECS_MAX } else { BLIND_SECS_MAX });
                *sight = Some(Sight { asked: Instant::now(), holds, missing: missing.clone() });
                missing
            }
        };
        if missing.is_empty() {
            return Ok(());
        }
        let what = missing.join("; ");
        Err(Failure::new(
            FailureClass::Alarm,
            format!(
                "the role of `{}` does not let it see everything: it lacks {what}; add that",
                self.identity().user()
            ),
        ))
    }

    /// The roles of our certificate; none if they are more than [`ROLES_MAX`].
    async fn read_roles(&self, connection: &Connection) -> Result<Option<Vec<RoleV6>>, Status> {
        let mut auth = connection.auth();
        let mut stream = self.call(connection, auth.get_current_user_roles(())).await?;
        let after = self.limits().call;
        let mut roles = Vec::new();
        loop {
            let message =
                tokio::time::timeout(after, stream.message()).await.map_err(|_| connection.too_late(after))??;
            match message {
                Some(_) if roles.len() >= ROLES_MAX => return Ok(None),
                Some(role) => roles.push(role),
                None => return Ok(Some(roles)),
            }
        }
    }
}

/// What our roles let us see.
#[derive(Debug)]
pub(crate) struct Sight {
    asked: Instant,
    holds: Duration,
    /// What is missing of [`TO_SEE`].
    missing: Vec<String>,
}
