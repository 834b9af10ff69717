//! What connector and host exchange, as types that are the same for every version of the contract.
//!
//! The modules of `bindings` convert what a connector returns into these. Nothing else sees
//! generated types.

use std::fmt;

use sha2::{Digest as _, Sha256};

pub use crate::json_object::{JsonObject, NotAnObject, kind as json_kind};
pub use crate::record::{NotARecord, Record};

/// What a connector says about itself before it is configured.
#[derive(Clone, Debug)]
pub struct Specification {
    /// Short name of the connector, for instance `orb`.
    pub name: String,
    /// Version of the connector, as semver.
    pub version: String,
    /// JSON Schema (draft-07) of the config.
    pub config_schema: JsonObject,
    /// A page for the person who configures the connector.
    pub documentation_url: Option<String>,
    /// Hosts that the connector asks to reach, as patterns for
    /// [`AllowedHosts::requested`](crate::policy::AllowedHosts::requested).
    pub allowed_hosts: Vec<String>,
}

impl Specification {
    /// A digest of the whole specification: `sha256:` and 64 hexadecimal digits. Two that differ in
    /// anything, such as a host or a mark of a secret, have different ones.
    pub fn digest(&self) -> String {
        let Self { name, version, config_schema, documentation_url, allowed_hosts } = self;
        let fields = (name, version, config_schema.as_str(), documentation_url, allowed_hosts);
        // As JSON, because no two lists of texts are then written alike. It cannot fail.
        let text = serde_json::to_vec(&fields).unwrap_or_default();
        let digits: Vec<_> = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{}", digits.concat())
    }
}

/// How a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// Everything, whatever was read before.
    FullRefresh,
    /// What is new since the state of the last read.
    Incremental,
}

/// A sequence of records of one schema.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Unique within the connector.
    pub name: String,
    /// JSON Schema (draft-07) of a record.
    pub json_schema: JsonObject,
    /// At least one.
    pub supported_sync_modes: Vec<SyncMode>,
    /// Paths of the fields that identify a record. Empty if there is no such key.
    pub primary_key: Vec<Vec<String>>,
    /// Path of the field by which the stream is read incrementally. Empty if there is none.
    pub cursor_field: Vec<String>,
    /// Whether a read that was cut short continues from its last checkpoint.
    pub resumable: bool,
    /// The group that the stream can be selected with, for instance `billing`.
    pub group: Option<String>,
    /// Whether the stream is read when the user selects none.
    pub selected_by_default: bool,
    /// About how many requests a full read makes, in words.
    pub requests: Option<String>,
}

/// Records that cross the contract together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// May be empty.
    pub records: Vec<Record>,
    /// The state that is true once the records of this batch, and of all before it, are safely
    /// stored. Without one, the last checkpoint stays in force.
    pub checkpoint: Option<JsonObject>,
}

impl fmt::Display for SyncMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FullRefresh => "full_refresh",
            Self::Incremental => "incremental",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_specification_counts_for_its_digest() {
        let specification = Specification {
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            config_schema: JsonObject::parse("{}").unwrap(),
            documentation_url: None,
            allowed_hosts: vec!["b".to_owned(), "c".to_owned()],
        };
        let others = [
            Specification { name: "b".to_owned(), ..specification.clone() },
            Specification { version: "1.0.1".to_owned(), ..specification.clone() },
            Specification {
                config_schema: JsonObject::parse(r#"{"a":1}"#).unwrap(),
                ..specification.clone()
            },
            Specification { documentation_url: Some(String::new()), ..specification.clone() },
            Specification { allowed_hosts: vec!["b,c".to_owned()], ..specification.clone() },
            Specification { allowed_hosts: vec!["c".to_owned(), "b".to_owned()], ..specification.clone() },
        ];
        let digests: std::collections::HashSet<_> =
            others.iter().chain([&specification]).map(Specification::digest).collect();
        assert_eq!(digests.len(), 7);
        let digest = specification.digest();
        assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
        assert_eq!(digest, specification.clone().digest());
    }
}
