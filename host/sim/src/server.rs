//! The running server: listener, TLS, gRPC services and the sweep around one cluster, and the handle to it. Rules live in the cluster, never here.

mod auth_service;
mod call;
mod certificates;
mod connection;
mod gate;
mod handle;
mod shared;
mod users_services;
mod watchers;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tribunal_proto::proto::auth_service_server::AuthServiceServer;
use tribunal_proto::userloginstate_v1::user_login_state_service_server::UserLoginStateServiceServer;
use tribunal_proto::users_v1::users_service_server::UsersServiceServer;

pub use certificates::IssueOptions;
pub use handle::{Handle, RequestSpec, Snapshot};

use crate::clock::SimClock;
use crate::pki::PkiError;
use crate::pki::identity_file::Identity;
use crate::scenario::Scenario;
use auth_service::Auth;
pub(crate) use certificates::Certificates;
use gate::Gates;
use shared::Shared;
use users_services::{LoginStates, Users};

/// Largest message that is accepted, as by default in Go.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a shutdown waits for connections that were told to end.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(2);

/// Why the server did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {source}: choose another address or stop what uses it")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// An identity file cannot be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Certificates.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// Starts simulated servers.
#[derive(Debug)]
pub struct SimServer;

impl SimServer {
    /// Starts a server for this scenario on `listen` (port 0 for any). Into `dir`, if given, go the identity files: `identity` for the bot,
    /// `admin.identity` for the user `admin`, and `USER.identity` for every user of the scenario.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn start(
        scenario: Scenario,
        listen: SocketAddr,
        dir: Option<PathBuf>,
        clock: SimClock,
    ) -> Result<Running, StartError> {
        let listen_error = |source| StartError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(listen_error)?;
        let addr = listener.local_addr().map_err(listen_error)?;
        let certificates = Arc::new(Certificates::new(&scenario, clock.subscribe().is_none())?);
        let shared = Arc::new(Shared::new(&scenario, clock));
        let mut running = Running {
            addr,
            dir,
            scenario,
            handle: Handle::new(Arc::clone(&shared), Arc::clone(&certificates)),
            serving: None,
        };
        running.write_identities()?;
        let stop = shared.stop.clone();
        let connections = connection::accept(listener, Arc::clone(&certificates), stop.clone());
        let server = Server::builder()
            .layer(Gates { shared: Arc::clone(&shared) })
            .http2_keepalive_interval(Some(Duration::from_secs(60)))
            .http2_keepalive_timeout(Some(Duration::from_secs(180)))
            .add_service(
                AuthServiceServer::new(Auth::new(Arc::clone(&shared), Arc::clone(&certificates)))
                    .max_decoding_message_size(MESSAGE_BYTES_MAX),
            )
            .add_service(UsersServiceServer::new(Users::new(Arc::clone(&shared))))
            .add_service(UserLoginStateServiceServer::new(LoginStates::new(Arc::clone(&shared))));
        let serving = tokio::spawn(async move {
            if let Err(error) = server.serve_with_incoming_shutdown(connections, stop.cancelled_owned()).await {
                tracing::error!(%error, "Simulated server ended");
            }
        });
        tokio::spawn(sweep(Arc::clone(&shared)));
        tracing::info!(%addr, cluster = %running.scenario.cluster, "Simulated server listens");
        running.serving = Some(serving);
        Ok(running)
    }
}

/// Sweeps in the scenario's interval, or whenever a manual clock is moved, until the server stops.
async fn sweep(shared: Arc<Shared>) {
    let mut moved = shared.clock.subscribe();
    let interval = shared.with(|cluster, _| cluster.settings().sweep.interval.to_duration());
    loop {
        let next = async {
            match &mut moved {
                Some(moved) => moved.changed().await.is_ok(),
                None => {
                    tokio::time::sleep(interval).await;
                    true
                }
            }
        };
        tokio::select! {
            () = shared.stop.cancelled() => return,
            alive = next => if !alive { return },
        }
        shared.with(|cluster, now| cluster.sweep(now));
    }
}

/// A server that runs until it is shut down or dropped.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    dir: Option<PathBuf>,
    scenario: Scenario,
    handle: Handle,
    serving: Option<JoinHandle<()>>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The scenario it was started with.
    #[must_use]
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// For acting and observing without a client; clones are cheap and outlive the server.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The identity file of a user (the bot's user name gives the watcher's), when the server was given a directory and knows the user.
    #[must_use]
    pub fn identity_path(&self, user: &str) -> Option<PathBuf> {
        let dir = self.dir.as_deref()?;
        if user == self.scenario.bot_user() {
            return Some(dir.join("identity"));
        }
        self.scenario.users.iter().any(|known| known.name == user).then(|| dir.join(format!("{user}.identity")))
    }

    /// A new identity; see [`IssueOptions`] for expired, foreign and elevated ones.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn issue(&self, options: &IssueOptions) -> Result<Identity, PkiError> {
        self.handle.issue(options)
    }

    /// Writes all identity files anew, as `tbot` does when it renews.
    ///
    /// # Errors
    /// When a certificate cannot be made or a file not be written.
    pub fn write_identities(&self) -> Result<(), StartError> {
        let Some(dir) = self.dir.as_deref() else { return Ok(()) };
        std::fs::create_dir_all(dir).map_err(|source| StartError::Write { path: dir.to_owned(), source })?;
        self.write_identity(&self.scenario.bot_user(), &dir.join("identity"))?;
        for user in &self.scenario.users {
            self.write_identity(&user.name, &dir.join(format!("{}.identity", user.name)))?;
        }
        Ok(())
    }

    fn write_identity(&self, user: &str, path: &Path) -> Result<(), StartError> {
        let identity = self.issue(&IssueOptions::of(user))?;
        identity.write(path).map_err(|source| StartError::Write { path: path.to_owned(), source })
    }

    /// Ends all streams and connections and waits until the port is free.
    pub async fn shutdown(mut self) {
        self.handle.stop();
        if let Some(serving) = self.serving.take() {
            let abort = serving.abort_handle();
            if tokio::time::timeout(SHUTDOWN_WAIT, serving).await.is_err() {
                abort.abort();
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop();
    }
}

/// Cancelled when the server stops.
type Stop = CancellationToken;
