//! From the few lines that make a guest hostile to a whole policy component: what a guest leaves out is honest. It never
//! judges what it builds; the component may be as wrong as its author wants it.

const TYPES: &str = include_str!("../harness/types.wat");
const HOST_BEFORE: &str = include_str!("../harness/host-before.wat");
const HOST_AFTER: &str = include_str!("../harness/host-after.wat");
const LIFTS: &str = include_str!("../harness/lifts.wat");
const HONEST: &str = include_str!("../harness/honest.wat");

/// Between the fields of a guest's module and what stands beside the module in its component.
const BESIDE: &str = ";;; beside";

/// What stands around the honest rest of a component.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts<'a> {
    /// Fields of its module; what they export, the honest policy does not.
    pub(crate) fields: &'a str,
    /// What stands beside the module in the component.
    pub(crate) beside: &'a str,
    /// What its module is given of that.
    pub(crate) given: &'a str,
}

/// What a module exports that [`around`] puts a policy around, as text: a module itself.
pub const STRANGER: &str = r#"(module
  (func (export "review") (param i32) (result i32) (unreachable))
  (func (export "enforce") (param i64 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (unreachable)))"#;

/// What asks such a module for the answers, and looks for them in the first 128 KiB, where there is memory.
const ASKS_A_STRANGER: &str = r#"
    (import "stranger" "review" (func $its-review (param i32) (result i32)))
    (import "stranger" "enforce" (func $its-enforce (type $enforce)))
    (func (export "review") (param i32) (result i32)
      (i32.and (call $its-review (local.get 0)) (i32.const 131068)))
    (func (export "enforce") (type $enforce)
      (i32.and (i32.const 131068) (call $its-enforce
        (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
        (local.get 8) (local.get 9) (local.get 10) (local.get 11) (local.get 12) (local.get 13) (local.get 14)
        (local.get 15))))"#;

/// A policy whose answers a module of somebody else's gives. The module is text, imports nothing, has no name, and exports what
/// [`STRANGER`] does.
///
/// # Errors
/// That it is no such module.
pub fn around(module: &str) -> Result<Vec<u8>, String> {
    let module = module.trim_start().strip_prefix("(module").ok_or("it does not begin with `(module`")?;
    let beside = format!("(core module $stranger {module}\n(core instance $stranger (instantiate $stranger))");
    policy(Parts { fields: ASKS_A_STRANGER, beside: &beside, given: "(with \"stranger\" (instance $stranger))" })
}

/// The bytes of a guest in text: fields of a module, or a whole module or component.
pub(crate) fn assemble(text: &str) -> Result<Vec<u8>, String> {
    let first = text.lines().find(|line| !line.trim_start().starts_with(";;")).unwrap_or_default();
    if first.starts_with("(component") || first.starts_with("(module") {
        return parse(text);
    }
    let (fields, beside) = text.split_once(BESIDE).unwrap_or((text, ""));
    policy(Parts { fields, beside, given: "" })
}

/// A policy component, honest but for these parts.
pub(crate) fn policy(parts: Parts<'_>) -> Result<Vec<u8>, String> {
    let Parts { fields, beside, given } = parts;
    let asks_the_host = fields.contains("(import \"host\"");
    let (before, host, after) =
        if asks_the_host { (HOST_BEFORE, "(with \"host\" (instance $host))", HOST_AFTER) } else { ("", "", "") };
    let is_left_out = |part: &&str| export(part).is_none_or(|it| !fields.contains(it));
    let honest: Vec<&str> = HONEST.split("\n\n").filter(is_left_out).collect();
    let honest = honest.join("\n");
    let frees = fields.contains("\"cabi_post_review\"");
    let post_return = if frees { "(post-return (func $main \"cabi_post_review\"))" } else { "" };
    let lifts = LIFTS.replace("{{post-return}}", post_return);
    parse(&format!(
        "(component\n{TYPES}\n{before}\n{beside}\n(core module $main\n{fields}\n{honest})\n\
         (core instance $main (instantiate $main {host} {given}))\n{after}\n{lifts})"
    ))
}

/// The words by which a part of the honest policy exports something.
fn export(part: &str) -> Option<&str> {
    let from = part.get(part.find("(export \"")?..)?;
    from.get(..=from.find(')')?)
}

fn parse(text: &str) -> Result<Vec<u8>, String> {
    wat::parse_str(text).map_err(|error| format!("its text does not assemble: {error}"))
}
