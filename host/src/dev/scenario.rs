//! Which cluster is simulated: the built-in one or that of a file, each with somebody who may do everything. It must
//! never change what a file says.

use std::io::Read;
use std::path::Path;

use tribunal_sim::scenario::{ReviewDef, RoleDef, RuleDef, SCENARIO_BYTES_MAX, UserDef};
use tribunal_sim::{Release, Scenario, default_scenario};

use super::DevError;
use super::dir::ADMIN;

/// The scenario of this file, or the built-in one, of this release if one is named. A file without a user `admin` gets one (with the role `admin`, which
/// is added too where it is missing and may then do everything), so that there is always `admin.identity`.
///
/// # Errors
/// When the file cannot be read or used; all of its faults at once.
pub(super) fn load(path: Option<&Path>, release: Option<Release>) -> Result<Scenario, DevError> {
    let parsed = match path {
        Some(path) => Scenario::parse(&read(path)?),
        None => default_scenario(),
    };
    let mut scenario = parsed.map_err(|invalid| DevError::Scenario { path: path.map(Path::to_owned), invalid })?;
    add_admin(&mut scenario);
    if release.is_some() {
        // What a file says of another release would make this one neither.
        (scenario.release, scenario.version, scenario.oldest_client) = (release, None, None);
    }
    Ok(scenario)
}

fn read(path: &Path) -> Result<String, DevError> {
    let bytes_max = u64::try_from(SCENARIO_BYTES_MAX).unwrap_or(u64::MAX);
    let failed = |source| DevError::File {
        verb: "read",
        path: path.to_owned(),
        source,
        remedy: "point `--scenario` at a readable scenario file in TOML",
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > bytes_max) {
        return Err(DevError::ScenarioTooLarge { path: path.to_owned(), bytes_max });
    }
    String::from_utf8(bytes).map_err(|error| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))
}

fn add_admin(scenario: &mut Scenario) {
    if scenario.users.iter().any(|user| user.name == ADMIN) {
        return;
    }
    let has_role = scenario.bot.name == ADMIN || scenario.roles.iter().any(|role| role.name == ADMIN);
    if !has_role {
        let everything = || vec!["*".to_owned()];
        let mut role = RoleDef { name: ADMIN.to_owned(), ..RoleDef::default() };
        role.allow.rules = vec![RuleDef { resources: everything(), verbs: everything() }];
        role.allow.review_requests = Some(ReviewDef { roles: everything(), ..ReviewDef::default() });
        scenario.roles.push(role);
    }
    let admin =
        UserDef { name: ADMIN.to_owned(), roles: vec![ADMIN.to_owned()], logged_in: true, ..UserDef::default() };
    scenario.users.push(admin);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn of(text: &str) -> Result<Scenario, DevError> {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("scenario.toml");
        std::fs::write(&path, text).unwrap();
        load(Some(&path), None)
    }

    #[test]
    fn there_is_always_an_admin_and_only_one() {
        for text in ["cluster = \"c\"", "cluster = \"c\"\n[[role]]\nname = \"admin\""] {
            let scenario = of(text).unwrap();
            assert_eq!(scenario.users.iter().filter(|user| user.name == ADMIN).count(), 1);
            assert_eq!(scenario.roles.iter().filter(|role| role.name == ADMIN).count(), 1);
        }
        let built_in = load(None, None).unwrap();
        assert_eq!(built_in.users.iter().filter(|user| user.name == ADMIN).count(), 1);
    }

    #[test]
    fn a_release_that_is_named_beats_the_one_of_the_scenario() {
        assert_eq!(load(None, None).unwrap().release, None);
        assert_eq!(load(None, Some(Release::V16)).unwrap().version(), "16.0.0");
        assert_eq!(of("cluster = \"c\"\nrelease = 17").unwrap().release, Some(Release::V17));
    }

    #[test]
    fn a_fault_is_told_with_file_line_and_remedy() {
        let text = of("cluster = \"c\"\ncolour = \"red\"").unwrap_err().to_string();
        assert!(text.contains("scenario.toml`: line 2: "), "{text}");
        assert!(text.contains("colour"), "{text}");
        let text = load(Some(Path::new("/no/such/file")), None).unwrap_err().to_string();
        assert!(text.starts_with("cannot read `/no/such/file`: "), "{text}");
        assert!(text.ends_with("point `--scenario` at a readable scenario file in TOML"), "{text}");
    }
}
