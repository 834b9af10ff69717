//! The generated bindings of `elt:connector`. Only `export.rs` uses them.

#![allow(missing_docs, clippy::all, unsafe_code, unreachable_pub, reason = "generated code")]
#![allow(missing_debug_implementations, reason = "generated code")]
#![allow(clippy::allow_attributes, reason = "which of these lints fire depends on the target")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "source-connector",
    pub_export_macro: true,
    default_bindings_module: "elt_sdk::bindings",
});
