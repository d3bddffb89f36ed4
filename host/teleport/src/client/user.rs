//! Reads what a user holds, from the best source that our role may see.
//!
//! Must never take "may not be seen" for "has none".

use tonic::{Code, Status};
use tribunal_core::failure::Failure;
use tribunal_core::request::{Subject, UserName};
use tribunal_proto::{proto, types, userloginstate_v1, users_v1};

use super::Client;
use crate::convert;
use crate::failure::{Method, explain};

const LOGIN_STATE: Method = Method { name: "GetUserLoginState", needs: "user_login_state: read" };
const GET_USER: Method = Method { name: "GetUser", needs: "user: read" };

impl Client {
    /// The state since the last login, else the stored user, else nothing known.
    pub(super) async fn read_subject(&self, user: UserName) -> Result<Subject, Failure> {
        let name = user.as_str().to_owned();
        let connection = self.connection();
        let mut login_states = connection.login_states();
        let state = userloginstate_v1::GetUserLoginStateRequest { name: name.clone() };
        match self.call(&connection, login_states.get_user_login_state(state)).await {
            Ok(state) => return Ok(convert::subject_of_login_state(user, state)),
            Err(status) if unseen(&status) => {}
            Err(status) => return Err(explain(LOGIN_STATE, &status)),
        }
        match self.read_user(name).await {
            Ok(Some(stored)) => Ok(convert::subject_of_user(user, stored)),
            Ok(None) => Ok(Subject { name: user, roles: None, traits: None }),
            Err(status) if unseen(&status) => Ok(Subject { name: user, roles: None, traits: None }),
            Err(status) => Err(explain(GET_USER, &status)),
        }
    }

    async fn read_user(&self, name: String) -> Result<Option<types::UserV2>, Status> {
        let connection = self.connection();
        let mut users = connection.users();
        let get = users_v1::GetUserRequest { name: name.clone(), current_user: false, with_secrets: false };
        let first = self.call(&connection, users.get_user(get));
        if let Some(answer) = connection.lacks.users.or_older(&connection.dials, first).await {
            return answer.map(|users_v1::GetUserResponse { user }| user);
        }
        let mut auth = connection.auth();
        let get = proto::GetUserRequest { name, with_secrets: false };
        self.call(&connection, auth.get_user(get)).await.map(Some)
    }
}

/// Whether this source has nothing for us: no right, no such entry, no such method.
fn unseen(status: &Status) -> bool {
    matches!(status.code(), Code::PermissionDenied | Code::NotFound | Code::Unimplemented)
}
