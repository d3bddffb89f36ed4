//! The scenario that ships with the product.

use super::{InvalidScenario, Scenario};

/// The text of the built-in scenario: the cast of `tribunal dev`, and an example of the format.
pub const DEFAULT_SCENARIO: &str = include_str!("default.toml");

/// The built-in scenario: cluster `dev`, users hoarder, straddler, switcher, bulk, climber, alice and admin, six nodes.
///
/// # Errors
/// Never, as a test shows; the type says so because the text is parsed like any other.
pub fn default_scenario() -> Result<Scenario, InvalidScenario> {
    Scenario::parse(DEFAULT_SCENARIO)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_built_in_scenario_is_valid_and_has_its_cast() {
        let scenario = default_scenario().unwrap();
        let names: Vec<&str> = scenario.users.iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names, ["hoarder", "straddler", "switcher", "bulk", "climber", "alice", "admin"]);
        assert_eq!(scenario.nodes.len(), 6);
        assert_eq!(scenario.bot_user(), "bot-tribunal");
    }
}
