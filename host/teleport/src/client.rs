//! A Teleport cluster as the daemon knows it: the port's calls, each with a deadline, on a connection that renews
//! itself.
//!
//! Must never repeat a write by itself: whether to try again is for those who can look at the state first.

mod ask;
mod clock;
mod lacks;
mod lease;
mod list;
mod locks;
mod page;
mod port;
mod recall;
mod renew;
mod requests;
mod resources;
mod review;
mod rights;
mod roles;
mod timing;
mod user;
mod version;
mod whole;

pub use ask::{Answer, Ask, Holder};
pub use clock::{CLOCK_ASKS_MAX, CLOCK_MILLIS_WANTED};
pub use lease::SEMAPHORE_KIND;
pub use rights::{BLIND_SECS_MAX, SIGHT_SECS_MAX};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::{Mutex, OnceCell, watch};
use tonic::transport::Channel;
use tonic::{Response, Status};
use tribunal_core::Timestamp;
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_proto::proto::PingRequest;
use tribunal_proto::proto::auth_service_client::AuthServiceClient;
use tribunal_proto::userloginstate_v1::user_login_state_service_client::UserLoginStateServiceClient;
use tribunal_proto::users_v1::users_service_client::UsersServiceClient;

use crate::address::Address;
use crate::connect::{self, Dials, Target, Versioned};
use crate::failure::{Method, explain};
use crate::identity::{Identity, IdentityFile};
use crate::route::Route;
use crate::skew::Skew;
use lacks::Lacks;
use recall::Recall;
use rights::Sight;
use timing::Timing;
use version::Verdict;

/// How long a call may take, in seconds.
pub const CALL_SECS_MAX: u64 = 10;
/// How long a full list, with all its pages, may take, in seconds.
pub const LIST_SECS_MAX: u64 = 120;
/// The largest message that is taken, in bytes. A request may hold 300 resources and many reviews.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The first pause before a broken watch is tried again, in milliseconds.
pub const WATCH_PAUSE_MILLIS_MIN: u64 = 500;
/// The longest pause before a broken watch is tried again, in milliseconds.
pub const WATCH_PAUSE_MILLIS_MAX: u64 = 30_000;

const PING: Method = Method { name: "Ping", needs: "" };

/// How long things may take. The default is for production; tests shorten it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For a call; see [`CALL_SECS_MAX`].
    pub call: Duration,
    /// For a full list; see [`LIST_SECS_MAX`].
    pub list: Duration,
    /// See [`WATCH_PAUSE_MILLIS_MIN`].
    pub watch_pause_min: Duration,
    /// See [`WATCH_PAUSE_MILLIS_MAX`].
    pub watch_pause_max: Duration,
}

/// A Teleport cluster. It is the port's implementation; see [`tribunal_ports::Teleport`].
#[derive(Debug)]
pub struct Client {
    target: Target,
    file: Arc<IdentityFile>,
    limits: Limits,
    /// The present connection. [`Client::reload`] and [`Client::follow_identity`] swap it.
    connection: watch::Sender<Arc<Connection>>,
    timing: Timing,
    recall: Recall,
}

/// What a cluster says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// The version of its Auth server.
    pub version: String,
    /// Whether its licence covers reviews and resource requests.
    pub advanced_workflows: bool,
}

/// A channel, and what was learnt of the server at its other end.
#[derive(Debug)]
pub(crate) struct Connection {
    channel: Versioned,
    /// The same without our version, to find out what the server has against it.
    bare: Channel,
    address: Address,
    dials: Arc<Dials>,
    lacks: Lacks,
    /// The newest of `dials` over which something was answered.
    heard: AtomicU64,
    verdict: Mutex<Option<Verdict>>,
    /// The name of the cluster, once it was asked for.
    cluster: OnceCell<String>,
    /// What our roles let us see, once they were asked for.
    sight: Mutex<Option<Sight>>,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(CALL_SECS_MAX),
            list: Duration::from_secs(LIST_SECS_MAX),
            watch_pause_min: Duration::from_millis(WATCH_PAUSE_MILLIS_MIN),
            watch_pause_max: Duration::from_millis(WATCH_PAUSE_MILLIS_MAX),
        }
    }
}

// === impl Client ===

impl Client {
    /// A client for `target`. The identity file is read now; the connection comes about with the first call, so that
    /// a [`Client::ping`] tells whether it works.
    ///
    /// # Errors
    /// If the identity file cannot be used: an alarm.
    pub async fn new(target: Target, limits: Limits) -> Result<Self, Failure> {
        let file = Arc::new(target.identity_file().await?);
        let connection = watch::Sender::new(Arc::new(Connection::new(&target, &file)));
        Ok(Self { target, file, limits, connection, timing: Timing::default(), recall: Recall::default() })
    }

    /// The same client, which compares the server's clock with this one.
    #[must_use]
    pub fn with_clock(self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { timing: Timing::new(now), ..self }
    }

    /// How far the server's clock is from ours, as far as that is known now; nothing is without a clock of ours.
    #[must_use]
    pub fn skew(&self) -> Skew {
        self.timing.skew()
    }

    /// Who we are: the newest identity that could be used.
    #[must_use]
    pub fn identity(&self) -> Arc<Identity> {
        self.file.held().identity
    }

    /// The identity file, as far as this client has followed it.
    #[must_use]
    pub fn identity_file(&self) -> &IdentityFile {
        &self.file
    }

    /// The way that the last connection went; none before the first, and when none works any more.
    #[must_use]
    pub fn route(&self) -> Option<Route> {
        self.target.reach.last.get()
    }

    /// What the cluster says of itself; needs no rights but a valid identity.
    ///
    /// # Errors
    /// If there is no connection or no answer; the text says why and what to do.
    pub async fn ping(&self) -> Result<Cluster, Failure> {
        let connection = self.connection();
        let mut auth = connection.auth();
        let pong = self.call(&connection, auth.ping(PingRequest {})).await.map_err(|status| explain(PING, &status))?;
        let features = pong.server_features.unwrap_or_default();
        Ok(Cluster {
            name: pong.cluster_name,
            version: pong.server_version,
            // Servers are to stop telling it by itself; the licence's entitlement is there as well.
            advanced_workflows: features.advanced_access_workflows
                || features.entitlements.get("AccessRequests").is_some_and(|entitlement| entitlement.enabled),
        })
    }

    /// Starts over with the identity file as it is now: later calls, and the watch, go over a new connection; calls
    /// under way end on the old one.
    ///
    /// # Errors
    /// If the identity file cannot be used; then nothing changes.
    pub async fn reload(&self) -> Result<(), Failure> {
        let taken = self.file.take(SystemTime::now()).await;
        taken.map_err(|error| Failure::new(FailureClass::Alarm, error.to_string()))?;
        self.connection.send_replace(Arc::new(Connection::new(&self.target, &self.file)));
        Ok(())
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn timing(&self) -> &Timing {
        &self.timing
    }

    /// The present connection.
    pub(crate) fn connection(&self) -> Arc<Connection> {
        Arc::clone(&self.connection.borrow())
    }

    /// The present connection and its successors.
    pub(crate) fn connections(&self) -> watch::Receiver<Arc<Connection>> {
        self.connection.subscribe()
    }

    /// The answer to a call on `connection`, if it comes in time.
    async fn call<T>(
        &self,
        connection: &Connection,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Status> {
        let after = self.limits.call;
        match tokio::time::timeout(after, call).await {
            Ok(answer) => self.answered(connection, answer.map(Response::into_inner)).await,
            Err(_) => Err(connection.too_late(after)),
        }
    }
}

// === impl Connection ===

impl Connection {
    fn new(target: &Target, file: &Arc<IdentityFile>) -> Self {
        let dials = Arc::<Dials>::default();
        let bare = connect::channel(target, file, &dials);
        Self {
            channel: connect::versioned(bare.clone()),
            bare,
            address: target.address.clone(),
            dials,
            lacks: Lacks::default(),
            heard: AtomicU64::new(0),
            verdict: Mutex::new(None),
            cluster: OnceCell::new(),
            sight: Mutex::new(None),
        }
    }

    pub(crate) fn auth(&self) -> AuthServiceClient<Versioned> {
        AuthServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    fn users(&self) -> UsersServiceClient<Versioned> {
        UsersServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    fn login_states(&self) -> UserLoginStateServiceClient<Versioned> {
        UserLoginStateServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// What becomes of a call that was not answered in time.
    pub(crate) fn too_late(&self, after: Duration) -> Status {
        let mut said = format!("no answer within {} s", after.as_secs_f32());
        if self.dials.is_under_way() {
            let address = &self.address;
            said.push_str(&format!(
                ", still connecting to `{address}`; check the address, the port and the network between"
            ));
        }
        Status::deadline_exceeded(said)
    }

    /// The server answered over the present connection.
    fn hears(&self) {
        self.heard.store(self.dials.made(), Ordering::Relaxed);
    }

    /// Whether it ever did.
    fn heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed) == self.dials.made()
    }
}
