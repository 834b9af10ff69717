//! The generated bindings of `elt:connector`, and nothing else: `component.rs` alone looks in here.

#![allow(missing_docs, clippy::all, unsafe_code, unreachable_pub, reason = "generated code")]
#![allow(clippy::allow_attributes, reason = "which of these lints fire depends on the target")]

wit_bindgen::generate!({ path: "../wit", world: "source-connector" });

export!(Component with_types_in self);

use crate::component::Component;
