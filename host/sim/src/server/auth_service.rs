//! `proto.AuthService`, thin over the cluster: each method names its rule and converts nothing else.

use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, stream};
use tonic::{Request, Response, Status};
use tribunal_proto::proto::auth_service_server::AuthService;
use tribunal_proto::{proto, types};

use super::call::owned;
use super::certificates::Certificates;
use super::connection::Peer;
use super::shared::Shared;
use super::watchers::WatchStream;

/// The service.
#[derive(Debug)]
pub(super) struct Auth {
    shared: Arc<Shared>,
    certificates: Arc<Certificates>,
}

impl Auth {
    pub(super) const fn new(shared: Arc<Shared>, certificates: Arc<Certificates>) -> Self {
        Self { shared, certificates }
    }
}

#[tonic::async_trait]
impl AuthService for Auth {
    type GetAccessRequestsV2Stream = Pin<Box<dyn Stream<Item = Result<types::AccessRequestV3, Status>> + Send>>;
    type GetCurrentUserRolesStream = Pin<Box<dyn Stream<Item = Result<types::RoleV6, Status>> + Send>>;
    type WatchEventsStream = WatchStream;

    async fn ping(&self, request: Request<proto::PingRequest>) -> Result<Response<proto::PingResponse>, Status> {
        let address = request.extensions().get::<Peer>().map(|peer| peer.address.to_string()).unwrap_or_default();
        let act = |cluster: &mut crate::Cluster, _: &crate::Caller, _, _| {
            let settings = cluster.settings();
            Ok(proto::PingResponse {
                cluster_name: settings.cluster.clone(),
                server_version: settings.version.clone(),
                server_features: Some(features(settings)),
                remote_addr: address,
                ..proto::PingResponse::default()
            })
        };
        self.shared.call("Ping", request, act).await
    }

    async fn get_cluster_ca_cert(
        &self,
        request: Request<()>,
    ) -> Result<Response<proto::GetClusterCaCertResponse>, Status> {
        let tls_ca = self.certificates.host_authorities_pem().into_bytes();
        self.shared
            .call("GetClusterCACert", request, |_, _, _, ()| Ok(proto::GetClusterCaCertResponse { tls_ca }))
            .await
    }

    async fn list_access_requests(
        &self,
        request: Request<proto::ListAccessRequestsRequest>,
    ) -> Result<Response<proto::ListAccessRequestsResponse>, Status> {
        let page = self
            .shared
            .call("ListAccessRequests", request, |cluster, caller, now, query| {
                if let Some(id) = query.filter.as_ref().map(|filter| &filter.id).filter(|id| !id.is_empty()) {
                    // For observers that must know what a writer had seen.
                    tracing::trace!(%id, sequence = cluster.history().last_sequence(), "Request read by its id");
                }
                cluster.list_requests(caller, now, &query)
            })
            .await?;
        // Copied outside of the cluster's lock: pages can be large.
        Ok(page.map(|page| proto::ListAccessRequestsResponse {
            access_requests: owned(page.requests),
            next_key: page.next_key,
        }))
    }

    async fn get_access_requests_v2(
        &self,
        request: Request<types::AccessRequestFilter>,
    ) -> Result<Response<Self::GetAccessRequestsV2Stream>, Status> {
        let all = self
            .shared
            .call("GetAccessRequestsV2", request, |cluster, caller, now, filter| {
                cluster.all_requests(caller, now, &filter)
            })
            .await?;
        Ok(all.map(|all| -> Self::GetAccessRequestsV2Stream {
            Box::pin(stream::iter(all.into_iter().map(|request| Ok(Arc::unwrap_or_clone(request)))))
        }))
    }

    async fn watch_events(&self, request: Request<proto::Watch>) -> Result<Response<Self::WatchEventsStream>, Status> {
        let peer = self.shared.enter("WatchEvents", &request).await?;
        let drop_after = self.shared.with_faults(|faults| faults.drop_watch_after());
        let watch = request.into_inner();
        let stream = self.shared.with_watchers(|cluster, watchers, now| {
            cluster.admit(&peer.caller, now)?;
            let plan = cluster.plan_watch(&peer.caller, &watch)?;
            Ok::<_, crate::Refusal>(watchers.open(plan, Arc::clone(&peer.caller), drop_after))
        })?;
        Ok(Response::new(stream))
    }

    async fn get_domain_name(&self, request: Request<()>) -> Result<Response<proto::GetDomainNameResponse>, Status> {
        self.shared
            .call("GetDomainName", request, |cluster, _, _, ()| {
                Ok(proto::GetDomainNameResponse { domain_name: cluster.settings().cluster.clone() })
            })
            .await
    }

    async fn create_access_request_v2(
        &self,
        request: Request<types::AccessRequestV3>,
    ) -> Result<Response<types::AccessRequestV3>, Status> {
        self.shared
            .call("CreateAccessRequestV2", request, |cluster, caller, now, request| {
                cluster.create_request(caller, now, request)
            })
            .await
    }

    async fn delete_access_request(&self, request: Request<proto::RequestId>) -> Result<Response<()>, Status> {
        self.shared
            .call("DeleteAccessRequest", request, |cluster, caller, now, query| {
                cluster.delete_request(caller, now, &query.id)
            })
            .await
    }

    async fn set_access_request_state(
        &self,
        request: Request<proto::RequestStateSetter>,
    ) -> Result<Response<()>, Status> {
        self.shared
            .call("SetAccessRequestState", request, |cluster, caller, now, update| {
                cluster.set_request_state(caller, now, update)
            })
            .await
    }

    async fn submit_access_review(
        &self,
        request: Request<types::AccessReviewSubmission>,
    ) -> Result<Response<types::AccessRequestV3>, Status> {
        self.shared
            .call("SubmitAccessReview", request, |cluster, caller, now, review| {
                cluster.submit_review(caller, now, review)
            })
            .await
    }

    async fn get_access_capabilities(
        &self,
        request: Request<types::AccessCapabilitiesRequest>,
    ) -> Result<Response<types::AccessCapabilities>, Status> {
        self.shared
            .call("GetAccessCapabilities", request, |cluster, caller, _, query| {
                cluster.access_capabilities(caller, &query)
            })
            .await
    }

    async fn get_plugin_data(
        &self,
        request: Request<types::PluginDataFilter>,
    ) -> Result<Response<proto::PluginDataSeq>, Status> {
        self.shared
            .call("GetPluginData", request, |cluster, caller, _, filter| {
                cluster.get_plugin_data(caller, &filter).map(|plugin_data| proto::PluginDataSeq { plugin_data })
            })
            .await
    }

    async fn update_plugin_data(
        &self,
        request: Request<types::PluginDataUpdateParams>,
    ) -> Result<Response<()>, Status> {
        self.shared
            .call("UpdatePluginData", request, |cluster, caller, now, update| {
                cluster.update_plugin_data(caller, now, update)
            })
            .await
    }

    async fn get_lock(&self, request: Request<proto::GetLockRequest>) -> Result<Response<types::LockV2>, Status> {
        self.shared
            .call("GetLock", request, |cluster, caller, _, query| {
                cluster.get_lock(caller, &query.name).map(Arc::unwrap_or_clone)
            })
            .await
    }

    async fn get_locks(
        &self,
        request: Request<proto::GetLocksRequest>,
    ) -> Result<Response<proto::GetLocksResponse>, Status> {
        self.shared
            .call("GetLocks", request, |cluster, caller, now, query| {
                let filter = types::LockFilter { targets: query.targets, in_force_only: query.in_force_only };
                cluster.get_locks(caller, now, &filter).map(|locks| proto::GetLocksResponse { locks: owned(locks) })
            })
            .await
    }

    async fn list_locks(
        &self,
        request: Request<proto::ListLocksRequest>,
    ) -> Result<Response<proto::ListLocksResponse>, Status> {
        self.shared
            .call("ListLocks", request, |cluster, caller, now, query| {
                let filter = query.filter.unwrap_or_default();
                let (locks, next_page_token) =
                    cluster.list_locks(caller, now, &filter, query.page_size, &query.page_token)?;
                Ok(proto::ListLocksResponse { locks: owned(locks), next_page_token })
            })
            .await
    }

    async fn upsert_lock(&self, request: Request<types::LockV2>) -> Result<Response<()>, Status> {
        self.shared
            .call("UpsertLock", request, |cluster, caller, now, lock| cluster.upsert_lock(caller, now, lock))
            .await
    }

    async fn delete_lock(&self, request: Request<proto::DeleteLockRequest>) -> Result<Response<()>, Status> {
        self.shared
            .call("DeleteLock", request, |cluster, caller, now, query| cluster.delete_lock(caller, now, &query.name))
            .await
    }

    async fn acquire_semaphore(
        &self,
        request: Request<types::AcquireSemaphoreRequest>,
    ) -> Result<Response<types::SemaphoreLease>, Status> {
        self.shared
            .call("AcquireSemaphore", request, |cluster, caller, now, query| {
                cluster.acquire_semaphore(caller, now, query)
            })
            .await
    }

    async fn keep_alive_semaphore_lease(
        &self,
        request: Request<types::SemaphoreLease>,
    ) -> Result<Response<()>, Status> {
        self.shared
            .call("KeepAliveSemaphoreLease", request, |cluster, caller, now, lease| {
                cluster.keep_alive_semaphore(caller, now, &lease)
            })
            .await
    }

    async fn cancel_semaphore_lease(&self, request: Request<types::SemaphoreLease>) -> Result<Response<()>, Status> {
        self.shared
            .call("CancelSemaphoreLease", request, |cluster, caller, now, lease| {
                cluster.cancel_semaphore(caller, now, &lease)
            })
            .await
    }

    async fn get_semaphores(
        &self,
        request: Request<types::SemaphoreFilter>,
    ) -> Result<Response<proto::Semaphores>, Status> {
        self.shared
            .call("GetSemaphores", request, |cluster, caller, _, filter| {
                cluster.get_semaphores(caller, &filter).map(|semaphores| proto::Semaphores { semaphores })
            })
            .await
    }

    async fn list_semaphores(
        &self,
        request: Request<proto::ListSemaphoresRequest>,
    ) -> Result<Response<proto::ListSemaphoresResponse>, Status> {
        self.shared
            .call("ListSemaphores", request, |cluster, caller, _, query| {
                let filter = query.filter.unwrap_or_default();
                let (semaphores, next_page_token) =
                    cluster.list_semaphores(caller, &filter, query.page_size, &query.page_token)?;
                Ok(proto::ListSemaphoresResponse { semaphores, next_page_token })
            })
            .await
    }

    async fn delete_semaphore(&self, request: Request<types::SemaphoreFilter>) -> Result<Response<()>, Status> {
        self.shared
            .call("DeleteSemaphore", request, |cluster, caller, now, filter| {
                cluster.delete_semaphore(caller, now, &filter)
            })
            .await
    }

    async fn get_role(&self, request: Request<proto::GetRoleRequest>) -> Result<Response<types::RoleV6>, Status> {
        self.shared.call("GetRole", request, |cluster, caller, _, query| cluster.get_role(caller, &query.name)).await
    }

    async fn list_roles(
        &self,
        request: Request<proto::ListRolesRequest>,
    ) -> Result<Response<proto::ListRolesResponse>, Status> {
        self.shared
            .call("ListRoles", request, |cluster, caller, _, query| {
                let filter = query.filter.unwrap_or_default();
                let (roles, next_key) = cluster.list_roles(caller, &filter, query.limit, &query.start_key)?;
                Ok(proto::ListRolesResponse { roles, next_key })
            })
            .await
    }

    async fn get_user(&self, request: Request<proto::GetUserRequest>) -> Result<Response<types::UserV2>, Status> {
        self.shared.call("GetUser", request, |cluster, caller, _, query| cluster.get_user(caller, &query.name)).await
    }

    async fn get_current_user_roles(
        &self,
        request: Request<()>,
    ) -> Result<Response<Self::GetCurrentUserRolesStream>, Status> {
        let roles = self
            .shared
            .call("GetCurrentUserRoles", request, |cluster, caller, _, ()| cluster.current_roles(caller))
            .await?;
        Ok(roles.map(|roles| -> Self::GetCurrentUserRolesStream { Box::pin(stream::iter(roles.into_iter().map(Ok))) }))
    }

    async fn list_unified_resources(
        &self,
        request: Request<proto::ListUnifiedResourcesRequest>,
    ) -> Result<Response<proto::ListUnifiedResourcesResponse>, Status> {
        self.shared
            .call("ListUnifiedResources", request, |cluster, caller, _, query| {
                cluster.list_unified_resources(caller, &query)
            })
            .await
    }

    async fn list_resources(
        &self,
        request: Request<proto::ListResourcesRequest>,
    ) -> Result<Response<proto::ListResourcesResponse>, Status> {
        self.shared
            .call("ListResources", request, |cluster, caller, _, query| cluster.list_resources(caller, &query))
            .await
    }
}

fn features(settings: &crate::cluster::Settings) -> proto::Features {
    let enterprise = settings.enterprise;
    let entitlement = |enabled| proto::EntitlementInfo { enabled, limit: 0 };
    let names = ["AccessRequests", "AccessLists", "AccessMonitoring", "Identity"];
    let told = names.into_iter().filter(|_| settings.entitlements);
    proto::Features {
        advanced_access_workflows: enterprise,
        cloud: false,
        access_requests: Some(proto::AccessRequestsFeature { monthly_request_limit: 0 }),
        identity_governance: enterprise,
        entitlements: told.map(|name| (name.to_owned(), entitlement(enterprise))).collect(),
    }
}
