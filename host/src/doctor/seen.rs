//! What is examined, and what earlier checks found that later ones go on from. It looks at nothing itself.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tribunal_core::opinion::Member;
use tribunal_teleport::client::{Answer, Ask};
use tribunal_teleport::connect::DIAL_SECS_MAX;
use tribunal_teleport::route::probe::{Candidate, Told};
use tribunal_teleport::{Client, Cluster, Deadlines, Identity, Limits, Reach, Rights, Route, Target};

use crate::config::{Config, Overrides};
use crate::role::Needs;

/// What is examined, and with how much patience.
#[derive(Clone, Debug)]
pub struct Patient {
    /// The configuration file.
    pub config: PathBuf,
    /// What counts more than it.
    pub overrides: Overrides,
    /// How long each step on the way to Auth may take.
    pub deadlines: Deadlines,
    /// How long calls may take.
    pub limits: Limits,
}

/// What was found so far.
#[derive(Debug)]
pub struct Seen {
    pub(super) patient: Patient,
    pub(super) config: Option<Config>,
    pub(super) panel: Option<Vec<Member>>,
    pub(super) identity: Option<Identity>,
    pub(super) reach: Reach,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) through_http_proxy: bool,
    /// The ways that are not known to lead nowhere.
    pub(super) candidates: Vec<Candidate>,
    pub(super) told: Option<Told>,
    /// The application protocol that Auth agreed on, where it was asked directly.
    pub(super) protocol: Option<String>,
    pub(super) route: Option<Route>,
    pub(super) client: Option<Client>,
    pub(super) cluster: Option<Cluster>,
    pub(super) needs: Option<Needs>,
    pub(super) rights: Option<Rights>,
    pub(super) answers: Vec<(Ask, Answer)>,
}

// === impl Patient ===

impl Patient {
    /// A configuration file, examined with the daemon's own patience.
    #[must_use]
    pub fn new(config: PathBuf, overrides: Overrides) -> Self {
        Self { config, overrides, deadlines: Deadlines::default(), limits: Limits::default() }
    }
}

// === impl Seen ===

impl Seen {
    pub(super) fn new(patient: Patient) -> Self {
        Self {
            patient,
            config: None,
            panel: None,
            identity: None,
            reach: Reach::default(),
            addresses: Vec::new(),
            through_http_proxy: false,
            candidates: Vec::new(),
            told: None,
            protocol: None,
            route: None,
            client: None,
            cluster: None,
            needs: None,
            rights: None,
            answers: Vec::new(),
        }
    }

    /// For a client of the daemon's own kind.
    pub(super) fn target(&self, config: &Config) -> Target {
        Target {
            address: config.teleport.address.clone(),
            identity_file: config.teleport.identity_file.clone(),
            dial_timeout: Duration::from_secs(DIAL_SECS_MAX),
            reach: self.reach.clone(),
        }
    }
}
