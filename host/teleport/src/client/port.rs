//! The port's calls.
//!
//! Must never hold more than the way from a call of the port to those of the API.

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use tonic::Code;
use tracing::warn;
use tribunal_core::action::{Event, Fresh, Listing, Resolution, ResolveWith};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::request::{Background, RequestId, RequestedResource, UserName};
use tribunal_ports::{Kept, Lease, LeaseWish, Taken, Teleport};
use tribunal_proto::proto;

use super::Client;
use crate::convert;
use crate::failure::{Method, explain};
use crate::watch;

const UPSERT_LOCK: Method = Method { name: "UpsertLock", needs: "lock: create, update" };
const DELETE_LOCK: Method = Method { name: "DeleteLock", needs: "lock: delete" };
const SET_STATE: Method = Method { name: "SetAccessRequestState", needs: "access_request: list, read, update" };

impl Teleport for Client {
    async fn list(&self) -> Result<Listing, Failure> {
        self.list_all().await
    }

    async fn reread(&self, requests: Vec<RequestId>, locks: Vec<LockName>) -> Result<Fresh, Failure> {
        self.read_all(&requests, &locks).await
    }

    async fn background(&self, user: UserName, resources: Vec<RequestedResource>) -> Result<Background, Failure> {
        let (subject, labels) = tokio::join!(self.read_subject(user), self.labels(&resources));
        let labels = match labels {
            Ok(labels) => labels,
            Err(failure) if failure.class == FailureClass::Retry => return Err(failure),
            // A name that the server does not take must not keep everything else of this user from being judged.
            Err(failure) => {
                warn!(%failure, "Labels of requested resources cannot be read; policies see that they are unknown");
                BTreeMap::new()
            }
        };
        Ok(Background { subject: subject?, labels })
    }

    async fn write_lock(&self, lock: Lock) -> Result<(), Failure> {
        let sent = self.timing.now();
        let message = convert::lock_to_proto(lock.clone())
            .map_err(|error| Failure::new(FailureClass::Alarm, error.to_string()))?;
        let connection = self.connection();
        let mut auth = connection.auth();
        self.call(&connection, auth.upsert_lock(message)).await.map_err(|status| explain(UPSERT_LOCK, &status))?;
        self.timing.wrote(&lock, sent);
        Ok(())
    }

    async fn delete_lock(&self, name: LockName) -> Result<(), Failure> {
        let connection = self.connection();
        let mut auth = connection.auth();
        let name = proto::DeleteLockRequest { name: name.as_str().to_owned() };
        match self.call(&connection, auth.delete_lock(name)).await {
            Ok(()) => Ok(()),
            Err(status) if status.code() == Code::NotFound => Ok(()),
            Err(status) => Err(explain(DELETE_LOCK, &status)),
        }
    }

    async fn resolve(&self, resolution: Resolution) -> Result<(), Failure> {
        match resolution.with {
            ResolveWith::State => {}
            ResolveWith::Review => return self.submit_review(resolution).await,
        }
        let connection = self.connection();
        let mut auth = connection.auth();
        let setter = convert::resolution_to_proto(resolution);
        self.call(&connection, auth.set_access_request_state(setter))
            .await
            .map_err(|status| explain(SET_STATE, &status))
    }

    async fn take_lease(&self, wish: LeaseWish) -> Result<Taken, Failure> {
        self.take(wish).await
    }

    async fn keep_lease(&self, lease: Lease) -> Result<Kept, Failure> {
        self.keep(lease).await
    }

    async fn release_lease(&self, lease: Lease) -> Result<(), Failure> {
        self.give_back(lease).await
    }

    async fn watch(&self, events: mpsc::Sender<Event>) {
        watch::follow(self, events).await;
    }
}
