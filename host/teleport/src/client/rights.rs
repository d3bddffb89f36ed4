//! Reads what our own identity may do.
//!
//! Must never take "cannot tell" for "may do nothing", nor for "may do everything".

use tonic::{Code, Status};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_proto::types::RoleV6;

use super::{Client, Connection};
use crate::convert;
use crate::failure::{Method, explain};
use crate::rights::Rights;

/// The most roles that an identity may have.
const ROLES_MAX: usize = 1000;

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
