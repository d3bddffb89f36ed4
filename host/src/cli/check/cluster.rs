//! What `tribunal check --connect` says of a cluster. It must never change anything there.

use serde_json::{Value as Json, json};
use tribunal_engine::PolicyInfo;
use tribunal_teleport::Client;

use super::Found;
use super::classes::{Class, Examined, examine};
use crate::assembly;
use crate::config::{Config, Source};

/// The policy that has classes.
const SEPARATION: &str = "separation";
/// How many roles are shown of a class where people read; programs get all.
const SHOWN_MAX: usize = 20;
/// What can be done about most surprises.
const REMEDY: &str = "patterns can be narrowed to whole names, such as \
                      `classes = { prod = { roles = [\"prod-*\"] }, … }`";

/// What a cluster means to a panel.
pub(super) struct Seen {
    cluster: String,
    /// How many roles it has, or why they cannot be seen.
    roles: Result<usize, String>,
    examined: Vec<Examined>,
    /// Beside those of [`Examined`].
    warnings: Vec<String>,
}

/// Connects, and looks at the roles.
///
/// # Errors
/// That there is no connection; says what to do.
pub(super) async fn look(config: &Config, panel: &[Found]) -> Result<Seen, Vec<String>> {
    let (client, cluster): (Client, _) =
        assembly::connect(config).await.map_err(|failure| vec![failure.to_string()])?;
    let mut seen = Seen { cluster: cluster.name, roles: Ok(0), examined: Vec::new(), warnings: Vec::new() };
    match client.roles().await {
        Ok(roles) => {
            seen.roles = Ok(roles.len());
            for Found { plugin, effects: _, info } in panel {
                if !has_classes(&plugin.source, info) {
                    continue;
                }
                match examine(plugin.name.as_str(), &plugin.settings, &config.protected_roles, &roles) {
                    Ok(examined) => seen.examined.push(examined),
                    Err(why) => seen.warnings.push(format!("{}: not examined: {why}", plugin.name)),
                }
            }
        }
        Err(failure) => {
            seen.warnings.push(format!("the roles of cluster `{}` cannot be seen: {failure}", seen.cluster));
            seen.roles = Err(failure.to_string());
        }
    }
    Ok(seen)
}

/// Whether a policy decides by the classes that are compiled into this program.
fn has_classes(source: &Source, info: &PolicyInfo) -> bool {
    let ours = info.description.version == env!("CARGO_PKG_VERSION");
    match source {
        Source::Builtin(builtin) => builtin.name == SEPARATION,
        Source::File(_) => info.description.name == SEPARATION && ours,
    }
}

// === impl Seen ===

impl Seen {
    /// All that is warned of.
    pub(super) fn warnings(&self) -> Vec<String> {
        let of_classes = |examined: &Examined| {
            let plugin = examined.plugin.clone();
            examined.warnings.iter().map(move |warning| format!("{plugin}: {}", warning.text)).collect::<Vec<_>>()
        };
        self.warnings.iter().cloned().chain(self.examined.iter().flat_map(of_classes)).collect()
    }

    pub(super) fn as_json(&self) -> Json {
        let (roles, unseen) = match &self.roles {
            Ok(count) => (Some(count), None),
            Err(why) => (None, Some(why)),
        };
        json!({
            "name": self.cluster,
            "roles": roles,
            "unseen": unseen,
            "separation": self.examined,
            "warnings": self.warnings(),
        })
    }

    pub(super) fn as_text(&self) -> String {
        let mut text = match &self.roles {
            Ok(count) => format!("\ncluster `{}`: {count} roles\n", self.cluster),
            Err(_) => format!("\ncluster `{}`\n", self.cluster),
        };
        for Examined { plugin, classes, unclassified, warnings: _ } in &self.examined {
            text.push_str(&format!("\n{plugin}: which roles are in which class\n"));
            let rest = Class { name: "(none)".to_owned(), roles: unclassified.clone() };
            let rows: Vec<&Class> = classes.iter().chain([&rest]).collect();
            let width = rows.iter().map(|class| class.name.chars().count()).max().unwrap_or_default();
            for Class { name, roles } in rows {
                text.push_str(format!("  {name:width$}  {}", listed(roles)).trim_end());
                text.push('\n');
            }
        }
        let warnings = self.warnings();
        if !warnings.is_empty() {
            text.push_str("\nwarnings\n");
            warnings.iter().for_each(|warning| text.push_str(&format!("  {warning}\n")));
        }
        if self.examined.iter().any(|examined| !examined.warnings.is_empty()) {
            text.push_str(&format!("  help: {REMEDY}\n"));
        }
        text
    }
}

fn listed(roles: &[String]) -> String {
    let more = roles.len().saturating_sub(SHOWN_MAX);
    let shown = roles.iter().take(SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
