//! The server's authorities over time: which generation signs, which are trusted, and whom each issued certificate belongs to. A certificate
//! that it did not issue belongs to nobody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use ssh_key::public::KeyData;

use super::Stop;
use crate::clock::{Moment, machine_now};
use crate::cluster::Caller;
use crate::pki::authority::Authority;
use crate::pki::identity_file::Identity;
use crate::pki::rotation::{RotationPhase, Signer};
use crate::pki::ssh::SshHost;
use crate::pki::{IdentityKey, IdentityOrder, KeyForm, PkiError, tls};
use crate::scenario::{Scenario, Span};

/// Life of an identity when nothing else is asked for.
const IDENTITY_LIFE_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Certificates start a little early, for clients whose clock is behind.
const BACKDATED_MS: i64 = 60 * 1000;

/// What an identity shall be like.
#[derive(Clone, Debug)]
pub struct IssueOptions {
    /// Whose it is; roles and assumed requests are taken from the scenario.
    pub user: String,
    /// Other roles than the scenario's.
    pub roles: Option<Vec<String>>,
    /// Assumed requests.
    pub active_requests: Vec<String>,
    /// Life from now; negative makes one that is over.
    pub life: Span,
    /// When it begins to be valid, from now; a little ago when absent.
    pub starts_in: Option<Span>,
    /// Signed by an authority that the server does not know.
    pub unknown_signer: bool,
    /// The file carries an authority that did not sign the server's certificate.
    pub wrong_authority: bool,
    /// Life of the SSH certificate from now, if it is another than that of the rest.
    pub ssh_life: Option<Span>,
    /// The kind of key.
    pub key: IdentityKey,
    /// How it is written.
    pub form: KeyForm,
}

impl IssueOptions {
    /// The user's ordinary identity.
    #[must_use]
    pub fn of(user: &str) -> Self {
        Self {
            user: user.to_owned(),
            roles: None,
            active_requests: Vec::new(),
            life: Span::from_ms(IDENTITY_LIFE_MS),
            starts_in: None,
            unknown_signer: false,
            wrong_authority: false,
            ssh_life: None,
            key: IdentityKey::default(),
            form: KeyForm::default(),
        }
    }
}

/// Certificates and authorities.
pub(crate) struct Certificates {
    cluster: String,
    /// Whether certificates and the cluster live by the same clock.
    real_time: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    phase: RotationPhase,
    /// Trusted generations, the newest first; during a rotation there are two.
    generations: Vec<Authority>,
    server_config: Arc<ServerConfig>,
    /// By the certificate's bytes.
    holders: HashMap<Vec<u8>, (Arc<Caller>, Moment)>,
    users: HashMap<String, Caller>,
    connections: Stop,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl Certificates {
    pub(super) fn new(scenario: &Scenario, real_time: bool) -> Result<Self, PkiError> {
        let authority = Authority::new(&scenario.cluster)?;
        let server_config = tls::server_config(authority.server_certificate()?, &[authority.user_der()])?;
        let caller = |user: &str, roles: &[String], active: &[String], bot| Caller {
            user: user.to_owned(),
            roles: roles.to_vec(),
            active_requests: active.to_vec(),
            bot,
            expires: None,
        };
        let mut users: HashMap<String, Caller> = scenario
            .users
            .iter()
            .map(|user| {
                (user.name.clone(), caller(&user.name, user.effective_roles(), &user.active_requests, user.bot))
            })
            .collect();
        let bot = scenario.bot_user();
        users.insert(bot.clone(), caller(&bot, std::slice::from_ref(&scenario.bot.name), &[], true));
        Ok(Self {
            cluster: scenario.cluster.clone(),
            real_time,
            inner: Mutex::new(Inner {
                phase: RotationPhase::Standby,
                generations: vec![authority],
                server_config,
                holders: HashMap::new(),
                users,
                connections: Stop::new(),
            }),
        })
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.inner().server_config)
    }

    /// PEM of all trusted host authorities.
    pub(super) fn host_authorities_pem(&self) -> String {
        self.inner().generations.iter().map(Authority::host_pem).collect()
    }

    /// The holder of a certificate and the time that it has left.
    pub(super) fn holder(&self, certificate: &[u8]) -> Option<(Arc<Caller>, Duration)> {
        let inner = self.inner();
        let (caller, not_after) = inner.holders.get(certificate)?;
        let left_ms = u64::try_from(not_after.since_ms(machine_now())).unwrap_or(0);
        Some((Arc::clone(caller), Duration::from_millis(left_ms)))
    }

    /// Cancelled to cut a connection.
    pub(super) fn connection_token(&self) -> Stop {
        self.inner().connections.child_token()
    }

    pub(super) fn cut_connections(&self) {
        let mut inner = self.inner();
        inner.connections.cancel();
        inner.connections = Stop::new();
    }

    /// An identity for a user; one that the scenario does not know gets no roles unless the options name some.
    pub(super) fn issue(&self, options: &IssueOptions) -> Result<Identity, PkiError> {
        let foreign =
            if options.unknown_signer || options.wrong_authority { Some(Authority::new(&self.cluster)?) } else { None };
        let mut inner = self.inner();
        let now = machine_now();
        let not_after = now.plus_ms(options.life.ms());
        let mut holder = inner.users.get(&options.user).cloned().unwrap_or_else(|| Caller::person(&options.user, &[]));
        if let Some(roles) = &options.roles {
            holder.roles.clone_from(roles);
        }
        holder.active_requests.extend(options.active_requests.iter().cloned());
        holder.expires = self.real_time.then_some(not_after);
        let order = IdentityOrder {
            not_before: options
                .starts_in
                .map_or_else(|| now.min(not_after).plus_ms(-BACKDATED_MS), |starts_in| now.plus_ms(starts_in.ms())),
            not_after,
            ssh_not_after: options.ssh_life.map_or(not_after, |life| now.plus_ms(life.ms())),
            key: options.key,
            form: options.form,
            holder,
        };
        let ours = inner.active_first(inner.phase.clients());
        let trusted = match &foreign {
            Some(foreign) if options.wrong_authority => vec![foreign],
            Some(_) | None => ours,
        };
        let signer = match &foreign {
            Some(foreign) if options.unknown_signer => Some(foreign),
            Some(_) | None => inner.signer(inner.phase.clients()),
        };
        let Some(signer) = signer else { return Err(PkiError::Tls("the server has no authority".to_owned())) };
        let issued = signer.issue(&order, &trusted)?;
        inner.holders.insert(issued.certificate.to_vec(), (Arc::new(order.holder), not_after));
        Ok(issued.identity)
    }

    /// A key and a certificate for a proxy's SSH server, called by `names`, with this life from now; `foreign` makes one of another cluster.
    pub(crate) fn ssh_host(&self, names: &[String], life: Span, foreign: bool) -> Result<SshHost, PkiError> {
        let not_after = machine_now().plus_ms(life.ms());
        if foreign {
            return Authority::new(&self.cluster)?.ssh_host(names, not_after);
        }
        let inner = self.inner();
        let signer = inner.signer(inner.phase.hosts());
        signer.ok_or_else(|| PkiError::Tls("the server has no authority".to_owned()))?.ssh_host(names, not_after)
    }

    /// What an SSH server verifies users with.
    pub(crate) fn ssh_user_keys(&self) -> Vec<KeyData> {
        self.inner().generations.iter().map(Authority::ssh_user_key).collect()
    }

    /// The next phase of a rotation. Connections that there are stay.
    pub(super) fn rotate(&self, to: RotationPhase) -> Result<(), PkiError> {
        let from = self.inner().phase;
        if !from.may_be_followed_by(to) {
            return Err(PkiError::Order { from, to });
        }
        let fresh = if to == RotationPhase::Init { Some(Authority::new(&self.cluster)?) } else { None };
        let mut inner = self.inner();
        if let Some(fresh) = fresh {
            inner.generations.insert(0, fresh);
        }
        if to == RotationPhase::Standby {
            let ended = match from.clients() {
                Signer::Newest => inner.generations.len().saturating_sub(1),
                Signer::Oldest => 0,
            };
            inner.generations.remove(ended);
        }
        inner.phase = to;
        let Some(signer) = inner.signer(to.hosts()) else { return Ok(()) };
        inner.server_config = tls::server_config(signer.server_certificate()?, &user_authorities(&inner.generations))?;
        Ok(())
    }

    pub(super) fn phase(&self) -> RotationPhase {
        self.inner().phase
    }
}

impl Inner {
    fn signer(&self, signer: Signer) -> Option<&Authority> {
        match signer {
            Signer::Newest => self.generations.first(),
            Signer::Oldest => self.generations.last(),
        }
    }

    /// All that are trusted, in the order in which Teleport lists them: whoever signs, and then those that are trusted besides.
    fn active_first(&self, signer: Signer) -> Vec<&Authority> {
        match signer {
            Signer::Newest => self.generations.iter().collect(),
            Signer::Oldest => self.generations.iter().rev().collect(),
        }
    }
}

fn user_authorities(generations: &[Authority]) -> Vec<rustls_pki_types::CertificateDer<'static>> {
    generations.iter().map(Authority::user_der).collect()
}
