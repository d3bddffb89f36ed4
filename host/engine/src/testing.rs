//! Guests written as text, and cases to show them: for tests of this room and of others (feature `testing`). Nothing of
//! the product uses it.
#![expect(clippy::expect_used, reason = "a test guest that cannot be built is a mistake of the test")]

mod cases;
mod guest;
mod here;

pub use cases::{case, held, pending};
pub use guest::{Guest, OPINION_ABSTAIN, OPINION_APPROVE, OPINION_DENY, OPINION_ESCALATE, Order};
pub use here::review_here;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const POLICY_WIT: &str = include_str!("../../../wit/policy.wit");
const INERT_WIT: &str = include_str!("../wit/inert.wit");

/// The binary of a module or component in text.
///
/// # Panics
/// If it is no valid text.
#[must_use]
pub fn assemble(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text assembles")
}

/// A policy component around a core module in text, whose imports and exports follow the canonical ABI.
///
/// # Panics
/// If the module does not fit the world.
#[must_use]
pub fn component(module: &str) -> Vec<u8> {
    component_of(POLICY_WIT, module)
}

/// The same, built against this text of the contract.
///
/// # Panics
/// If the module does not fit the world, or the text is no contract.
#[must_use]
pub fn component_of(contract: &str, module: &str) -> Vec<u8> {
    let mut module = assemble(module);
    let mut resolve = Resolve::default();
    for (name, text) in [("policy.wit", contract), ("inert.wit", INERT_WIT)] {
        resolve.push_str(name, text).expect("our own WIT parses");
    }
    // A policy that may import all that a policy may; what its module does not import is left out.
    let guest = format!(
        "package tests:guests; world guest {{ include tribunal:policy/policy@{}; include tribunal:inert/inert; }}",
        contract_version(contract)
    );
    let package = resolve.push_str("guest.wit", &guest).expect("the world parses");
    let world = resolve.select_world(&[package], Some("guest")).expect("the world is there");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("the metadata fits");
    let encoder = ComponentEncoder::default().module(&module).expect("the module fits the world");
    encoder.validate(true).encode().expect("the component encodes")
}

/// The version that a text of the contract says it is.
///
/// # Panics
/// If it does not say one.
#[must_use]
pub fn contract_version(contract: &str) -> &str {
    let line = contract.lines().find_map(|line| line.strip_prefix("package tribunal:policy@"));
    line.and_then(|version| version.strip_suffix(';')).expect("the contract says its version")
}
