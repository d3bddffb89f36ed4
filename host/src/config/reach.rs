//! How the cluster may be reached: `route`, `proxy-ca-file` and `insecure` of `[teleport]`. It never asks the network.

use std::path::{Path, PathBuf};

use toml::de::DeValue;
use tribunal_teleport::{Choice, Environment, Reach as ReachOf};

use super::document::{Section, wrong_type};
use super::path;
use super::problem::Findings;

/// How the cluster may be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Which ways are taken.
    pub route: Choice,
    /// CAs that the proxy's web certificate is verified with, instead of the machine's.
    pub proxy_ca_file: Option<PathBuf>,
    /// The proxy's web certificate is not verified.
    pub insecure: bool,
}

// === impl Reach ===

impl Reach {
    /// For the client, with the environment of this process.
    #[must_use]
    pub fn for_client(&self) -> ReachOf {
        let Self { route, proxy_ca_file, insecure } = self;
        ReachOf {
            choice: *route,
            proxy_ca_file: proxy_ca_file.clone(),
            insecure: *insecure,
            environment: Environment::of_process(),
            ..ReachOf::default()
        }
    }
}

/// The words for a route, the default first.
const ROUTES: [(&str, Choice); 5] = [
    ("auto", Choice::Auto),
    ("auth", Choice::Auth),
    ("tls-routing", Choice::TlsRouting),
    ("upgrade", Choice::Upgrade),
    ("ssh", Choice::Ssh),
];

/// The keys of `[teleport]` that are about the way there.
pub(super) fn read(section: &mut Section<'_>, base: &Path, findings: &mut Findings<'_>) -> Reach {
    const INSECURE: &str = "insecure";
    const CA_FILE: &str = "proxy-ca-file";
    let route = section.word("route", &ROUTES, findings).unwrap_or_default();
    let proxy_ca_file = section.string(CA_FILE, "proxy-ca.pem", findings).and_then(|(text, span)| {
        let resolved = path::resolve(&text, base);
        if let Err((what, help)) = &resolved {
            findings.at(&span, format!("`{CA_FILE}`: {what}"), *help);
        }
        resolved.ok()
    });
    let insecure = section.take(INSECURE);
    let insecure_is_set = match insecure.as_ref().map(|value| value.get_ref()) {
        Some(DeValue::Boolean(set)) => *set,
        Some(_) => {
            if let Some(value) = &insecure {
                wrong_type(findings, INSECURE, value, "a boolean", "true");
            }
            false
        }
        None => false,
    };
    if let Some(value) = insecure.as_ref().filter(|_| insecure_is_set && proxy_ca_file.is_some()) {
        findings.at(
            &value.span(),
            format!("`{INSECURE}` and `{CA_FILE}` contradict each other: the CA would not be asked"),
            format!("remove `{INSECURE}`"),
        );
    }
    Reach { route, proxy_ca_file, insecure: insecure_is_set }
}
