//! Why SSH to a proxy did not lead to Auth, in words that say what to do.
//!
//! Must never hide which step failed.

use std::time::{Duration, SystemTime};

use super::certificate::{Certificate, Distrust};
use crate::address::Address;
use crate::connect::ConnectError;
use crate::identity::utc;

/// The most of what a server says that is repeated to people, in characters.
const SAID_CHARACTERS_MAX: usize = 300;

/// A step on the way to the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Banner,
    Keys,
    Authentication,
    Channel,
    Dial,
    Open,
}

/// Why there is no channel, or no more.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error(
        "the identity file has no SSH certificate; have tbot's `identity` service, or `tctl auth sign --format=file`, write it anew"
    )]
    NoCertificate,
    #[error(
        "the identity file has no `@cert-authority` line to verify the proxy with; have tbot's `identity` service, or `tctl auth sign --format=file`, write it anew"
    )]
    NoAuthority,
    #[error("the {0} of the identity file cannot be used: it must be {1}; have tbot write the file anew")]
    BadIdentity(&'static str, &'static str),
    #[error(
        "the SSH certificate of `{user}` in the identity file is valid from {} until {}, which is not now; check that tbot runs and renews it, and this machine's clock",
        utc(*valid_after), forever(*valid_before)
    )]
    WrongTime { user: String, valid_after: SystemTime, valid_before: Option<SystemTime> },
    #[error(
        "it does not speak SSH, but begins with `{0}`; check that this is the proxy's reverse tunnel port (3024, if not set otherwise)"
    )]
    NotSsh(String),
    #[error("{}", late(*.0, *.1))]
    Late(Step, Duration),
    #[error("it hung up during {}; see the proxy's log", phase(*.0))]
    HungUp(Step),
    #[error("it ended the connection during {}: `{said}`; see the proxy's log", phase(*.step))]
    Disconnected { step: Step, said: String },
    #[error(
        "it has no {what} in common with tribunal: it offers {theirs}, tribunal {ours}; check `ssh` settings of the proxy's configuration"
    )]
    NothingInCommon { what: &'static str, theirs: String, ours: String },
    #[error(
        "the proxy is not trusted: {0}; check that address and identity are of the same cluster, and have tbot write the identity anew if the cluster's host CA was rotated"
    )]
    Untrusted(String),
    #[error(
        "the proxy's certificate is for {names}, and not for `{host}`; use one of these names as the proxy's address, or set its `tunnel_public_addr`"
    )]
    WrongName { host: String, names: String },
    #[error(
        "the proxy's certificate is valid from {from} until {until}, which is not now; check the clocks of both machines"
    )]
    HostTime { from: String, until: String },
    #[error(
        "it refuses the SSH certificate of `{user}`; check that address and identity are of the same cluster, that the user is not locked, and see the proxy's log"
    )]
    Refused { user: String },
    #[error(
        "it refuses a channel to Auth: `{said}`; check that this is the proxy's reverse tunnel port (3024, if not set otherwise)"
    )]
    NoChannel { said: String },
    #[error("it cannot connect to Auth: `{said}`; see the proxy's log, and check that its Auth server runs")]
    NotDialed { said: String },
    #[error("it was silent for {} s; check the network between", .0.as_secs())]
    Silent(Duration),
    #[error("SSH failed: {0}")]
    Protocol(String),
    #[error("the connection broke: {0}; check the network between")]
    Broken(String),
}

fn phase(step: Step) -> &'static str {
    match step {
        Step::Banner => "the exchange of SSH banners",
        Step::Keys => "SSH key exchange",
        Step::Authentication => "SSH authentication",
        Step::Channel => "the opening of a channel",
        Step::Dial => "its connecting to Auth",
        Step::Open => "an open channel",
    }
}

fn late(at: Step, after: Duration) -> String {
    let seconds = after.as_secs_f32();
    match at {
        Step::Banner => format!(
            "no SSH banner within {seconds} s; check that this is the proxy's reverse tunnel port (3024, if not set otherwise) and that no firewall is between"
        ),
        Step::Keys | Step::Authentication | Step::Channel | Step::Dial | Step::Open => {
            format!("{} was not done after {seconds} s; see the proxy's log and its load", phase(at))
        }
    }
}

fn forever(end: Option<SystemTime>) -> String {
    end.map_or_else(|| "the end of time".to_owned(), utc)
}

/// What a server says, as far as it is fit for a message.
pub(super) fn said(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.chars().take(SAID_CHARACTERS_MAX).collect()
}

// === impl Problem ===

impl Problem {
    pub(super) fn protocol(what: &str) -> Self {
        Self::Protocol(what.to_owned())
    }

    pub(super) fn broken(error: &std::io::Error) -> Self {
        Self::Broken(error.to_string())
    }

    /// Why the certificate of `host` is not believed.
    pub(super) fn distrust(distrust: Distrust, host: &str, certificate: &Certificate) -> Self {
        let id = said(certificate.key_id.as_bytes());
        match distrust {
            Distrust::NotOfAHost => {
                Self::Untrusted(format!("it shows the certificate of `{id}`, which is not a host's"))
            }
            Distrust::Authority => Self::Untrusted(format!(
                "its certificate, of `{id}`, is signed by none of the identity file's `@cert-authority` lines"
            )),
            Distrust::Signature => Self::Untrusted(format!("the signature of its certificate, of `{id}`, is wrong")),
            Distrust::Critical(option) => Self::Untrusted(format!(
                "its certificate, of `{id}`, has the critical option `{}`, which tribunal does not know",
                said(option.as_bytes())
            )),
            Distrust::Time => {
                Self::HostTime { from: utc(certificate.valid_after), until: forever(certificate.valid_before) }
            }
            Distrust::Name => {
                let names: Vec<String> =
                    certificate.principals.iter().map(|name| format!("`{}`", said(name.as_bytes()))).collect();
                let names = if names.is_empty() { "no host at all".to_owned() } else { names.join(", ") };
                Self::WrongName { host: host.to_owned(), names: names.chars().take(SAID_CHARACTERS_MAX).collect() }
            }
        }
    }

    /// The same for whoever wanted a connection by way of `tunnel`.
    pub(super) fn at(self, tunnel: &Address) -> ConnectError {
        ConnectError::Obstructed {
            detail: format!("no way to Auth by SSH through `{tunnel}`: {self}"),
            alarm: self.needs_a_person(),
        }
    }

    /// Whether time does not heal it.
    fn needs_a_person(&self) -> bool {
        match self {
            Self::NoCertificate
            | Self::NoAuthority
            | Self::BadIdentity(..)
            | Self::WrongTime { .. }
            | Self::NotSsh(_)
            | Self::NothingInCommon { .. }
            | Self::Untrusted(_)
            | Self::WrongName { .. }
            | Self::HostTime { .. }
            | Self::Refused { .. }
            | Self::NoChannel { .. } => true,
            Self::Late(..)
            | Self::HungUp(_)
            | Self::Disconnected { .. }
            | Self::NotDialed { .. }
            | Self::Silent(_)
            | Self::Protocol(_)
            | Self::Broken(_) => false,
        }
    }
}
