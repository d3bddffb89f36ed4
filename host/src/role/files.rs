//! The files that give the daemon what it needs: resources for `tctl create`, and a `tbot.yaml`. It must never put more
//! into a role than [`Needs`] says.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use tribunal_teleport::address::{AUTH_PORT, PROXY_PORTS};
use tribunal_teleport::{Address, Choice};

use super::yaml::{Page, list, text};
use super::{Need, Needs, Review};
use crate::config::{Config, Teleport};

/// The longest name of a role and a bot, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// The file that an identity output of tbot writes.
const IDENTITY_FILE: &str = "identity";
/// Labels of resources, by kind, that a role can open so that they are listed: all kinds whose labels the client reads,
/// but for git servers, which older clusters' roles do not know.
const LABELS: [&str; 5] = ["node_labels", "app_labels", "db_labels", "kubernetes_labels", "windows_desktop_labels"];

/// What the role is called, and the bot that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleName(String);

/// Why a text is no name for a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name: use up to {NAME_BYTES_MAX} of `a` to `z`, `0` to `9` and `-`, a letter first")]
pub struct InvalidRoleName(String);

/// Texts of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// Roles and bot, one YAML document each, for `tctl create`.
    pub cluster: String,
    /// For `tbot start -c`.
    pub tbot: String,
}

// === impl RoleName ===

impl Default for RoleName {
    fn default() -> Self {
        Self("tribunal".to_owned())
    }
}

impl FromStr for RoleName {
    type Err = InvalidRoleName;

    fn from_str(name: &str) -> Result<Self, InvalidRoleName> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = name.len() <= NAME_BYTES_MAX
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(is_plain);
        if is_name { Ok(Self(name.to_owned())) } else { Err(InvalidRoleName(name.to_owned())) }
    }
}

impl RoleName {
    /// The role as which labels are looked at; the bot does not have it.
    #[must_use]
    pub fn preview(&self) -> String {
        format!("{}-preview", self.0)
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The files for a daemon that needs this. `origin` names the configuration, for people.
#[must_use]
pub fn files(needs: &Needs, config: &Config, name: &RoleName, origin: &Path) -> Files {
    Files { cluster: cluster(needs, name, origin), tbot: tbot(&config.teleport, name) }
}

fn cluster(needs: &Needs, name: &RoleName, origin: &Path) -> String {
    let mut page = Page::default();
    page.comment(
        0,
        &format!(
            "What `{}` and its panel need, and nothing more. Create it with `tctl create -f`; make it anew when the \
             configuration changes.",
            origin.display()
        ),
    );
    role(&mut page, needs, name);
    if needs.labels.is_some() {
        page.line(0, "---");
        preview_role(&mut page, name);
    }
    page.line(0, "---");
    bot(&mut page, name);
    page.finish()
}

fn head(page: &mut Page, kind: &str, version: &str, name: &str, description: &str) {
    page.line(0, &format!("kind: {kind}"));
    page.line(0, &format!("version: {version}"));
    page.line(0, "metadata:");
    page.line(2, &format!("name: {}", text(name)));
    if !description.is_empty() {
        page.line(2, &format!("description: {}", text(description)));
    }
}

fn role(page: &mut Page, needs: &Needs, name: &RoleName) {
    head(page, "role", "v7", &name.to_string(), "the daemon tribunal");
    page.line(0, "spec:");
    page.line(2, "allow:");
    page.line(4, "rules:");
    for Need { resource, verbs, why, without } in &needs.rules {
        match without {
            None => page.comment(6, &sentence(why)),
            Some(without) => page.comment(6, &format!("{} Without it: {without}.", sentence(why))),
        }
        page.line(6, &format!("- resources: [{resource}]"));
        page.line(8, &format!("verbs: {}", list(verbs)));
    }
    let Needs { rules: _, review, labels } = needs;
    if review.is_some() || labels.is_some() {
        page.line(4, "review_requests:");
    }
    if let Some(Review { roles, not_roles: _, why }) = review {
        page.comment(6, &sentence(why));
        page.line(6, &format!("roles: {}", list(roles)));
    }
    if let Some(why) = labels {
        let without = "policies see only labels of what this role opens";
        page.comment(6, &format!("{} The daemon cannot use them. Without it: {without}.", sentence(why)));
        page.line(6, &format!("preview_as_roles: {}", list(&[name.preview()])));
    }
    if let Some(Review { roles: _, not_roles, why: _ }) = review
        && !not_roles.is_empty()
    {
        page.line(2, "deny:");
        page.line(4, "review_requests:");
        page.comment(6, "Left to others, as `not-roles` in `[scope]` says.");
        page.line(6, &format!("roles: {}", list(not_roles)));
    }
}

/// A phrase as a sentence.
fn sentence(phrase: &str) -> String {
    let mut letters = phrase.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn preview_role(page: &mut Page, name: &RoleName) {
    page.comment(
        0,
        "The daemon lists resources as this role, to see their labels; it does not have it, and can use none of them. Give \
         it to nobody: labels alone open applications. Narrow them to what people may request.",
    );
    head(page, "role", "v7", &name.preview(), "what the daemon tribunal may list, and not use");
    page.line(0, "spec:");
    page.line(2, "allow:");
    for labels in LABELS {
        page.line(4, &format!("{labels}: {{ \"*\": \"*\" }}"));
    }
}

fn bot(page: &mut Page, name: &RoleName) {
    page.comment(0, &format!("Machine ID's user for it, which Teleport calls `bot-{name}`."));
    head(page, "bot", "v1", &name.to_string(), "");
    page.line(0, "spec:");
    page.comment(2, "This role and no other: what else it may do, a stolen identity may do.");
    page.line(2, &format!("roles: {}", list(&[name.to_string()])));
}

fn tbot(teleport: &Teleport, name: &RoleName) -> String {
    let Teleport { address, identity_file, reach, resolve_with: _ } = teleport;
    let mut page = Page::default();
    page.comment(0, "For `tbot start -c tbot.yaml`, on the machine of the daemon.");
    page.line(0, "version: v2");
    server(&mut page, address, reach.route);
    page.line(0, "onboarding:");
    page.comment(
        2,
        "How this machine proves what it is. `token` is a secret for one join of one machine: better where there is one, a \
         method of the platform, such as `kubernetes`, `iam`, `gcp`, `azure` or `tpm`.",
    );
    page.line(2, "join_method: token");
    page.comment(2, &format!("`tctl bots instances add {name}` prints it; a path of a file that has it will do."));
    page.line(2, "token: \"REPLACE-ME\"");
    page.comment(0, "How long a certificate lives, and how often it is renewed: Teleport's defaults. The daemon reads each new one.");
    page.line(0, "credential_ttl: 1h");
    page.line(0, "renewal_interval: 20m");
    page.comment(0, "tbot's own state, for nobody else.");
    page.line(0, "storage:");
    page.line(2, "type: directory");
    page.line(2, "path: /var/lib/teleport/bot");
    page.line(0, "services:");
    page.line(2, "- type: identity");
    page.comment(4, "The daemon needs the file `identity` only.");
    page.line(4, "ssh_config: \"off\"");
    page.line(4, "destination:");
    page.line(6, "type: directory");
    destination(&mut page, identity_file);
    page.finish()
}

/// `tbot` is told whether an Auth server or a proxy answers there, where the daemon finds it out.
fn server(page: &mut Page, address: &Address, route: Choice) {
    let is_auth = match route {
        Choice::Auth => true,
        Choice::Auto => address.port_given() == Some(AUTH_PORT),
        Choice::TlsRouting | Choice::Upgrade | Choice::Ssh => false,
    };
    let (key, default) = if is_auth { ("auth_server", AUTH_PORT) } else { ("proxy_server", web_port()) };
    let address = address.port_given().map_or_else(|| address.at(default), |_| address.clone());
    page.comment(0, "As `address` in `[teleport]`.");
    page.line(0, &format!("{key}: {}", text(&address.to_string())));
}

fn web_port() -> u16 {
    let [web, _older] = PROXY_PORTS;
    web
}

fn destination(page: &mut Page, identity_file: &Path) {
    let directory = identity_file.parent().filter(|directory| !directory.as_os_str().is_empty());
    let directory = directory.unwrap_or_else(|| Path::new("."));
    let is_usual = identity_file.file_name().is_some_and(|name| name == IDENTITY_FILE);
    if is_usual {
        page.comment(
            6,
            "The directory of `identity-file` in `[teleport]`. The daemon's user has to be able to read it.",
        );
    } else {
        page.comment(
            6,
            "The directory of `identity-file` in `[teleport]`, which has another name: tbot calls the file `identity`, so \
             change `identity-file` to it.",
        );
    }
    page.line(6, &format!("path: {}", text(&directory.display().to_string())));
}
