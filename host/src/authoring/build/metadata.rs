//! What a plugin's bytes say about it to registries and to people: name, version, licence, source, revision. It never says
//! what is secret, such as the password in a remote's address.

use std::fs;

use serde_json::Value;
use wasm_encoder::{ComponentSection as _, CustomSection};
use wasm_metadata::{AddMetadata, AddMetadataField};

use super::shell::{Call, Shell};
use crate::authoring::Language;

/// What says the licence of a source without a manifest.
const SPDX: &str = "SPDX-License-Identifier:";

/// What is called so stands in a section of WebAssembly's own.
const NAME: &str = "name";

/// All that is known, key and value, in a fixed order.
pub(super) type Metadata = Vec<(&'static str, String)>;

/// What the policy says of itself, its manifest of the licence, and git of where it comes from.
pub(super) fn of_project(
    language: Language,
    shell: &mut Shell<'_>,
    name: &str,
    version: &str,
    summary: &str,
) -> Metadata {
    let mut git = |arguments: &[&str]| {
        let call = Call::new("git", "git", "").arguments(arguments).set("GIT_OPTIONAL_LOCKS", "0");
        // Without git, or outside of a repository, nothing is known.
        shell.run(&call).ok().map(|said| said.trim().to_owned()).filter(|said| !said.is_empty())
    };
    // A project that git ignores, or does not know yet, comes from nowhere.
    let is_known = git(&["ls-files", "--", language.source()]).is_some();
    let mut git = |arguments: &[&str]| if is_known { git(arguments) } else { None };
    let source = git(&["config", "--get", "remote.origin.url"]).and_then(|url| without_secrets(&url));
    let changed = git(&["status", "--porcelain", "--", "."]).is_some();
    let revision = git(&["rev-parse", "HEAD"]).map(|revision| if changed { revision + "-changed" } else { revision });
    let known = [
        (NAME, Some(name.to_owned())),
        ("version", Some(version.to_owned())),
        ("description", Some(summary.to_owned())),
        ("licenses", licence(language, shell)),
        ("source", source),
        ("revision", revision),
    ];
    known.into_iter().filter_map(|(key, value)| Some((key, value.filter(|value| !value.is_empty())?))).collect()
}

/// The component with this metadata: its name and makers in WebAssembly's own sections, the rest in one of plain text each, as
/// registries read them.
pub(super) fn add(component: &[u8], metadata: &Metadata, language: Language) -> Result<Vec<u8>, String> {
    let mut own = AddMetadata::default();
    own.language.push((language.to_string(), String::new()));
    own.processed_by.push(("tribunal".to_owned(), env!("CARGO_PKG_VERSION").to_owned()));
    if let Some((_, name)) = metadata.iter().find(|(key, _)| *key == NAME) {
        own.name = AddMetadataField::Set(name.clone());
    }
    let mut told = own.to_wasm(component).map_err(|error| format!("its metadata cannot be added: {error:#}"))?;
    for (key, value) in metadata.iter().filter(|(key, _)| *key != NAME) {
        CustomSection { name: (*key).into(), data: value.as_bytes().into() }.append_to_component(&mut told);
    }
    Ok(told)
}

/// The licence that the manifest names, or the first line of the source that does.
fn licence(language: Language, shell: &Shell<'_>) -> Option<String> {
    let text = |path: &str| fs::read_to_string(shell.dir.join(path)).ok();
    let of_toml = |path: &str, table: &str| {
        let manifest: toml::Table = text(path)?.parse().ok()?;
        manifest.get(table)?.get("license")?.as_str().map(str::to_owned)
    };
    match language {
        Language::Rust => of_toml("Cargo.toml", "package"),
        Language::Python => of_toml("pyproject.toml", "project"),
        Language::Js | Language::Ts => {
            let manifest: Value = serde_json::from_str(&text("package.json")?).ok()?;
            // npm's word for having none.
            manifest.get("license")?.as_str().filter(|licence| *licence != "UNLICENSED").map(str::to_owned)
        }
        Language::Go | Language::C => {
            let source = text(language.source())?;
            let line = source.lines().find_map(|line| line.split_once(SPDX))?.1;
            Some(line.trim().trim_end_matches("*/").trim().to_owned())
        }
    }
}

/// A remote's address as a URL without user, password and query; none where it is no address of the web, or of SSH.
fn without_secrets(remote: &str) -> Option<String> {
    let (scheme, rest) = match remote.split_once("://") {
        Some((scheme @ ("https" | "http" | "ssh" | "git"), rest)) => (scheme, rest.to_owned()),
        Some(_) => return None,
        // The short form of SSH: user@host:path.
        None => {
            let (host, path) = remote.split_once(':').filter(|(host, _)| !host.contains('/'))?;
            ("ssh", format!("{host}/{path}"))
        }
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or_default();
    Some(format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_remote_is_told_without_its_secrets() {
        for (remote, told) in [
            ("https://me:pass@git.example/a/b.git", Some("https://git.example/a/b.git")),
            ("https://git.example/a?token=x#y", Some("https://git.example/a")),
            ("git@git.example:a/b.git", Some("ssh://git.example/a/b.git")),
            ("/srv/git/a", None),
            ("file:///srv/git/a", None),
        ] {
            assert_eq!(without_secrets(remote).as_deref(), told, "{remote}");
        }
    }

    #[test]
    fn a_licence_is_that_of_the_manifest_or_of_the_source() {
        for (language, file, text) in [
            (Language::Rust, "Cargo.toml", "[package]\nlicense = \"MIT\""),
            (Language::Python, "pyproject.toml", "[project]\nlicense = \"MIT\""),
            (Language::Js, "package.json", r#"{"license": "MIT"}"#),
            (Language::Go, "policy.go", "// SPDX-License-Identifier: MIT\npackage main"),
            (Language::C, "policy.c", "/* SPDX-License-Identifier: MIT */"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let shell = Shell { dir: dir.path(), out: dir.path(), tell: &mut |_| {} };
            assert_eq!(licence(language, &shell), None);
            fs::write(dir.path().join(file), text).unwrap();
            assert_eq!(licence(language, &shell).as_deref(), Some("MIT"), "{language}");
        }
    }

    #[test]
    fn what_is_put_in_can_be_read_from_outside() {
        let metadata =
            vec![("name", "cap".to_owned()), ("version", "1.0.0".to_owned()), ("licenses", "MIT".to_owned())];
        let told = add(&wat::parse_str("(component)").unwrap(), &metadata, Language::Go).unwrap();
        let seen = tribunal_engine::Anatomy::of(&told, &tribunal_engine::Limits::default());
        let found: Vec<_> = seen.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert!(metadata.iter().all(|(key, value)| found.contains(&(key, value))), "{found:?}");
        assert!(seen.producers.iter().any(|producer| producer.name == "tribunal"));
    }
}
