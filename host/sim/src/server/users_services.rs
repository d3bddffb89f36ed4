//! The users service and the login-state service, thin over the cluster.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use tribunal_proto::userloginstate_v1::user_login_state_service_server::UserLoginStateService;
use tribunal_proto::userloginstate_v1::{
    GetUserLoginStateRequest, ListUserLoginStatesRequest, ListUserLoginStatesResponse, UserLoginState,
};
use tribunal_proto::users_v1::users_service_server::UsersService;
use tribunal_proto::users_v1::{GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse};

use super::shared::Shared;

/// `teleport.users.v1.UsersService`
#[derive(Debug)]
pub(super) struct Users {
    shared: Arc<Shared>,
}

/// `teleport.userloginstate.v1.UserLoginStateService`
#[derive(Debug)]
pub(super) struct LoginStates {
    shared: Arc<Shared>,
}

impl Users {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl LoginStates {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[tonic::async_trait]
impl UsersService for Users {
    async fn get_user(&self, request: Request<GetUserRequest>) -> Result<Response<GetUserResponse>, Status> {
        let act = |cluster: &mut crate::Cluster, caller: &crate::Caller, _, query: GetUserRequest| {
            let name = if query.current_user { caller.user.clone() } else { query.name };
            cluster.get_user(caller, &name).map(|user| GetUserResponse { user: Some(user) })
        };
        self.shared.call("GetUser", request, act).await
    }

    async fn list_users(&self, request: Request<ListUsersRequest>) -> Result<Response<ListUsersResponse>, Status> {
        let act = |cluster: &mut crate::Cluster, caller: &crate::Caller, _, query: ListUsersRequest| {
            let filter = query.filter.unwrap_or_default();
            let (users, next_page_token) = cluster.list_users(caller, &filter, query.page_size, &query.page_token)?;
            Ok(ListUsersResponse { users, next_page_token })
        };
        self.shared.call("ListUsers", request, act).await
    }
}

#[tonic::async_trait]
impl UserLoginStateService for LoginStates {
    async fn get_user_login_state(
        &self,
        request: Request<GetUserLoginStateRequest>,
    ) -> Result<Response<UserLoginState>, Status> {
        self.shared
            .call("GetUserLoginState", request, |cluster, caller, _, query| {
                cluster.get_login_state(caller, &query.name)
            })
            .await
    }

    async fn list_user_login_states(
        &self,
        request: Request<ListUserLoginStatesRequest>,
    ) -> Result<Response<ListUserLoginStatesResponse>, Status> {
        let act = |cluster: &mut crate::Cluster, caller: &crate::Caller, _, query: ListUserLoginStatesRequest| {
            let (user_login_states, next_page_token) =
                cluster.list_login_states(caller, query.page_size, &query.page_token)?;
            Ok(ListUserLoginStatesResponse { user_login_states, next_page_token })
        };
        self.shared.call("ListUserLoginStates", request, act).await
    }
}
