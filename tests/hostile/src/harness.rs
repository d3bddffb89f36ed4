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
}

/// The bytes of a guest in text: fields of a module, or a whole module or component.
pub(crate) fn assemble(text: &str) -> Result<Vec<u8>, String> {
    let first = text.lines().find(|line| !line.trim_start().starts_with(";;")).unwrap_or_default();
    if first.starts_with("(component") || first.starts_with("(module") {
        return parse(text);
    }
    let (fields, beside) = text.split_once(BESIDE).unwrap_or((text, ""));
    policy(Parts { fields, beside })
}

/// A policy component, honest but for these parts.
pub(crate) fn policy(parts: Parts<'_>) -> Result<Vec<u8>, String> {
    let Parts { fields, beside } = parts;
    let asks_the_host = fields.contains("(import \"host\"");
    let (before, given, after) =
        if asks_the_host { (HOST_BEFORE, "(with \"host\" (instance $host))", HOST_AFTER) } else { ("", "", "") };
    let is_left_out = |part: &&str| export(part).is_none_or(|it| !fields.contains(it));
    let honest: Vec<&str> = HONEST.split("\n\n").filter(is_left_out).collect();
    let honest = honest.join("\n");
    let frees = fields.contains("\"cabi_post_review\"");
    let post_return = if frees { "(post-return (func $main \"cabi_post_review\"))" } else { "" };
    let lifts = LIFTS.replace("{{post-return}}", post_return);
    parse(&format!(
        "(component\n{TYPES}\n{before}\n{beside}\n(core module $main\n{fields}\n{honest})\n\
         (core instance $main (instantiate $main {given}))\n{after}\n{lifts})"
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
