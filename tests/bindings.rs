//! What is generated from the contract for other languages is that of the contract as it is. It must never be edited by hand:
//! `BLESS=1 cargo test -p tribunal-tests --test all bindings` writes it anew.

mod typescript;

use std::fs;

use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::{Resolve, WorldId};

use crate::tidy::tree::root;

/// The contract and its world.
fn contract() -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).unwrap();
    let world = resolve.select_world(&[package], Some("policy")).unwrap();
    (resolve, world)
}

/// Compares a generated file with what is in the repository, or writes it.
#[track_caller]
fn check(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, expected).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "`{path}` is not what the contract gives: run this test with `BLESS=1`");
}

#[test]
fn the_types_of_typescript_are_those_of_the_contract() {
    let (resolve, world) = contract();
    check("guest-sdk/js/tribunal/contract.d.ts", &typescript::generate(&resolve, world));
}

#[test]
fn the_bindings_of_c_are_those_of_the_contract() {
    let (mut resolve, world) = contract();
    let mut files = Files::default();
    // The host's tools say of which world a module is, as they do for Go: no object file is needed.
    let options = wit_bindgen_c::Opts { no_object_file: true, ..wit_bindgen_c::Opts::default() };
    options.build().generate(&mut resolve, world, &mut files).unwrap();
    let names: Vec<&str> = files.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["policy.c", "policy.h"]);
    for (name, text) in files.iter() {
        check(&format!("guest-sdk/c/tribunal/{name}"), std::str::from_utf8(text).unwrap());
    }
}
