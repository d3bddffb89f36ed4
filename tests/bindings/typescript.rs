//! The types of the contract as componentize-qjs hands them to JavaScript. It must never know a type by name.

#![expect(
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "tests: names are ASCII, and what is not named fails"
)]

use std::fmt::Write as _;

use wit_bindgen_core::wit_parser::{Docs, Resolve, Type, TypeDef, TypeDefKind, WorldId, WorldItem};

const OPENING: &str = "\
// Generated from wit/policy.wit; do not edit.
// Numbers of 64 bits arrive as `number`: timestamps are exact for the next 285,000 years.
";

/// The declarations of all types that the world uses.
pub(super) fn generate(resolve: &Resolve, world: WorldId) -> String {
    let mut text = OPENING.to_owned();
    for item in resolve.worlds[world].imports.values() {
        let WorldItem::Interface { id, .. } = item else { continue };
        for id in resolve.interfaces[*id].types.values() {
            declare(&mut text, resolve, &resolve.types[*id]);
        }
    }
    text
}

fn declare(text: &mut String, resolve: &Resolve, def: &TypeDef) {
    let name = pascal(def.name.as_deref().unwrap());
    text.push('\n');
    comment(text, &def.docs, "");
    match &def.kind {
        TypeDefKind::Record(record) => {
            writeln!(text, "export interface {name} {{").unwrap();
            for field in &record.fields {
                comment(text, &field.docs, "  ");
                writeln!(text, "  {}: {};", camel(&field.name), shown(resolve, &field.ty)).unwrap();
            }
            text.push_str("}\n");
        }
        TypeDefKind::Enum(cases) => {
            let cases: Vec<String> = cases.cases.iter().map(|case| format!("\"{}\"", case.name)).collect();
            writeln!(text, "export type {name} = {};", cases.join(" | ")).unwrap();
        }
        TypeDefKind::Variant(variant) => {
            writeln!(text, "export type {name} =").unwrap();
            let last = variant.cases.len() - 1;
            for (index, case) in variant.cases.iter().enumerate() {
                comment(text, &case.docs, "  ");
                let value = case.ty.as_ref().map_or_else(String::new, |ty| format!("; val: {}", shown(resolve, ty)));
                let end = if index == last { ";" } else { "" };
                writeln!(text, "  | {{ tag: \"{}\"{value} }}{end}", case.name).unwrap();
            }
        }
        kind => writeln!(text, "export type {name} = {};", inline(resolve, kind)).unwrap(),
    }
}

fn shown(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Bool => "boolean".to_owned(),
        Type::String | Type::Char => "string".to_owned(),
        Type::Id(id) => {
            let def = &resolve.types[*id];
            def.name.as_deref().map_or_else(|| inline(resolve, &def.kind), pascal)
        }
        _ => "number".to_owned(),
    }
}

fn inline(resolve: &Resolve, kind: &TypeDefKind) -> String {
    match kind {
        TypeDefKind::List(item) => format!("{}[]", shown(resolve, item)),
        TypeDefKind::Option(item) => format!("{} | null", shown(resolve, item)),
        TypeDefKind::Type(ty) => shown(resolve, ty),
        other => panic!("the contract has a {} now: say how JavaScript sees it", other.as_str()),
    }
}

fn comment(text: &mut String, docs: &Docs, indent: &str) {
    let Some(docs) = docs.contents.as_deref().map(str::trim_end) else { return };
    if docs.contains('\n') {
        writeln!(text, "{indent}/**").unwrap();
        for line in docs.lines() {
            writeln!(text, "{indent} * {line}").unwrap();
        }
        writeln!(text, "{indent} */").unwrap();
    } else {
        writeln!(text, "{indent}/** {docs} */").unwrap();
    }
}

fn camel(name: &str) -> String {
    let pascal = pascal(name);
    pascal[..1].to_lowercase() + &pascal[1..]
}

fn pascal(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}
