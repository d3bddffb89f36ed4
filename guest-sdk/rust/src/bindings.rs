//! What wit-bindgen makes of `wit/policy.wit`: the types, the log import and the export glue.
//! It must never hold a line written by hand; what a policy author sees is re-exported by the crate's root.

#![expect(clippy::too_many_arguments, reason = "generated: a record is lowered field by field")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "policy",
    pub_export_macro: true,
    export_macro_name: "__export_bindings",
    default_bindings_module: "tribunal_guest::bindings",
    additional_derives: [PartialEq, Eq],
    generate_all,
});
