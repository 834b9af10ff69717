//! `inspect`: shows what a connector is, wants and is given.
//!
//! The connector is asked for its specification and its streams, and can reach nothing meanwhile.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use elt_airbyte::{Sender, load_config};
use elt_host::excerpt::few;
use elt_host::redaction::Redaction;
use elt_host::types::{Specification, Stream, SyncMode};
use elt_host::{Config, Connector};
use serde_json::{Map, Value, json};

use super::invocation::Invocation;
use crate::advice::ADVICE;
use crate::args::{Format, Inspect};
use crate::terminal::visible;

/// What interfaces are to a person, by the beginning of their names. The first that fits counts; an
/// interface that is not listed is shown by its name.
const CAPABILITIES: [(&str, &str); 8] = [
    ("elt:connector/", "log lines, and the words of the contract"),
    ("wasi:http/", "HTTP requests to the hosts below"),
    ("wasi:clocks/", "the time"),
    ("wasi:random/", "random numbers"),
    ("wasi:io/", "waiting for answers"),
    (
        "wasi:cli/std",
        "an empty stdin; a stdout that goes nowhere; a stderr of which the end is kept for crashes",
    ),
    ("wasi:cli/exit", "ending itself"),
    ("wasi:cli/", "an environment, arguments and a terminal that are empty"),
];

/// Lines of a section that are shown to a person. The others are counted.
const LISTED: usize = 100;
/// Bytes of such a line.
const LINE: usize = 1_000;
/// Fields of a primary key that are shown to a person.
pub(super) const KEY_FIELDS: usize = 10;

/// What is known about a connector.
struct Inspection {
    connector: Connector,
    specification: Specification,
    hosts: Vec<String>,
    streams: Vec<Stream>,
    limits: Vec<(String, String)>,
}

/// Inspects a connector, and returns text that ends with a line break.
///
/// # Errors
///
/// Those of loading it, and what it says went wrong.
pub(crate) async fn inspect(wanted: &Inspect) -> anyhow::Result<String> {
    let sandbox = &wanted.sandbox;
    let sender = Sender::closed(ADVICE);
    let loaded = Invocation { component: &wanted.component, sandbox, sender: &sender }.load().await?;
    let (connector, specification) = (loaded.connector.clone(), loaded.specification.clone());
    let source = match &wanted.view.config {
        Some(path) => loaded.configure(load_config(path)?).await?,
        None => loaded.configure_sample(Config::parse(&sample(&specification).to_string())?).await?,
    };
    let streams = source.offline().discover().await.map_err(|error| match wanted.view.config {
        Some(_) => error,
        None => error.with_hint("give a config with --config"),
    })?;
    let hosts = source.allowed_hosts().patterns().map(ToString::to_string).collect();
    let limits = sandbox.limits.in_force(connector.limits());
    let inspection = Inspection { connector, specification, hosts, streams, limits };
    match wanted.view.format {
        Format::Text => Ok(sender.redaction().text(&inspection.text(&sender.redaction())).into_owned()),
        Format::Json => Ok(sender.redaction().json(&inspection.json()?).into_owned()),
    }
}

impl Inspection {
    /// What the component imports, as capabilities with the interfaces that each stands for.
    fn capabilities(&self) -> Vec<(&str, Vec<&str>)> {
        capabilities(&self.connector.component().imports)
    }

    /// Secrets are masked by `redaction` before lines are cut off.
    fn text(&self, redaction: &Redaction) -> String {
        let (component, specification) = (self.connector.component(), &self.specification);
        let mut sections: Vec<(&str, Vec<String>)> = vec![
            ("connector", vec![format!("{} {}", specification.name, specification.version)]),
            ("sha256", vec![component.sha256()]),
            ("size", vec![format!("{} bytes", component.size())]),
            ("interface", vec![component.interface.clone()]),
            ("specification", vec![specification.digest()]),
            ("can use", self.capabilities().iter().map(|(what, _)| (*what).to_owned()).collect()),
            ("may reach", self.hosts.clone()),
            ("sealed secrets", specification.secrets()),
            ("streams", self.streams.iter().map(describe_stream).collect()),
            ("limits", self.limits.iter().map(|(flag, value)| format!("{flag} {value}")).collect()),
        ];
        if let Some(url) = &specification.documentation_url {
            sections.insert(1, ("documentation", vec![url.clone()]));
        }
        let width = sections.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let mut text = String::new();
        for (name, lines) in sections {
            let lines = if lines.is_empty() { vec!["none".to_owned()] } else { lines };
            for (index, line) in lines.iter().take(LISTED).enumerate() {
                let name = if index == 0 { name } else { "" };
                let _ = writeln!(text, "{name:width$}  {}", visible(&redaction.excerpt(line, LINE)));
            }
            if lines.len() > LISTED {
                let more = lines.len() - LISTED;
                let _ = writeln!(text, "{:width$}  and {more} more, which --format json lists", "");
            }
        }
        text
    }

    fn json(&self) -> anyhow::Result<String> {
        let (component, specification) = (self.connector.component(), &self.specification);
        let capabilities: Vec<_> = self
            .capabilities()
            .into_iter()
            .map(|(what, imports)| json!({ "capability": what, "imports": imports }))
            .collect();
        let streams: Vec<_> = self
            .streams
            .iter()
            .map(|stream| {
                json!({
                    "name": stream.name,
                    "sync_modes": stream.supported_sync_modes.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "primary_key": stream.primary_key,
                    "cursor_field": stream.cursor_field,
                })
            })
            .collect();
        let limits: Map<_, _> =
            self.limits.iter().map(|(flag, value)| (flag.clone(), value.as_str().into())).collect();
        let inspection = json!({
            "name": specification.name,
            "version": specification.version,
            "documentation_url": specification.documentation_url,
            "sha256": component.sha256(),
            "size": component.size(),
            "interface": component.interface,
            "specification": specification.digest(),
            "capabilities": capabilities,
            "hosts": self.hosts,
            "secrets": specification.secrets(),
            "streams": streams,
            "limits": limits,
        });
        Ok(serde_json::to_string_pretty(&inspection)? + "\n")
    }
}

/// Groups interfaces by what they are to a person, in the order of the table.
fn capabilities(imports: &[String]) -> Vec<(&str, Vec<&str>)> {
    let mut capabilities: Vec<(&str, Vec<&str>)> =
        CAPABILITIES.iter().map(|(_, what)| (*what, Vec::new())).collect();
    for import in imports {
        match CAPABILITIES.iter().position(|(prefix, _)| import.starts_with(prefix)) {
            Some(index) => capabilities[index].1.push(import),
            None => capabilities.push((import, vec![import])),
        }
    }
    capabilities.retain(|(_, imports)| !imports.is_empty());
    capabilities
}

/// One line: its name, its sync modes, its key.
fn describe_stream(stream: &Stream) -> String {
    let modes = if stream.supported_sync_modes.contains(&SyncMode::Incremental) {
        format!("incremental by {}", stream.cursor_field.join("."))
    } else {
        "in full".to_owned()
    };
    match few(stream.primary_key.iter().map(|path| path.join(".")), KEY_FIELDS).as_str() {
        "" => format!("{}: {modes}", stream.name),
        key => format!("{}: {modes}, key {key}", stream.name),
    }
}

/// A config that the connector accepts as well as any: for each required property its
/// default, or what its schema gives as an example, or something of its type.
fn sample(specification: &Specification) -> Value {
    let schema: Value = serde_json::from_str(specification.config_schema.as_str()).unwrap_or_default();
    sample_of(&schema)
}

fn sample_of(schema: &Value) -> Value {
    let given =
        [schema.get("default"), schema.get("const"), schema["enum"].get(0), schema["examples"].get(0)];
    if let Some(given) = given.into_iter().flatten().next() {
        return given.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            // A name may be repeated, and each time doubles what is within it.
            let required: BTreeSet<_> = required.collect();
            let member = |name: &str| (name.to_owned(), sample_of(&schema["properties"][name]));
            Value::Object(required.into_iter().map(member).collect())
        }
        Some("array") => json!([]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(false),
        _ => json!("sample"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_import_is_shown() {
        let imports =
            ["wasi:cli/exit@0.2.6", "wasi:new/thing@1.0.0", "wasi:cli/stdin@0.2.6", "wasi:cli/stdout@0.2.6"];
        let imports = imports.map(str::to_owned);
        let shown = capabilities(&imports);
        assert_eq!(shown.iter().map(|(_, imports)| imports.len()).collect::<Vec<_>>(), [2, 1, 1]);
        assert_eq!(shown[2].0, "wasi:new/thing@1.0.0");
    }

    #[test]
    fn a_name_that_is_required_again_and_again_counts_once() {
        let mut schema = json!({"type": "string"});
        for _ in 0..60 {
            schema = json!({"type": "object", "required": vec!["a"; 10], "properties": {"a": schema}});
        }
        let mut sample = &sample_of(&schema);
        while sample.is_object() {
            sample = &sample["a"];
        }
        assert_eq!(*sample, "sample");
    }

    #[test]
    fn a_sample_has_what_is_required() {
        let schema = json!({
            "type": "object",
            "required": ["key", "start", "mode", "days", "login"],
            "properties": {
                "key": {"type": "string"},
                "start": {"type": "string", "examples": ["2022-03-01T00:00:00Z"]},
                "mode": {"enum": ["a", "b"]},
                "days": {"type": "integer", "minimum": 3},
                "login": {"type": "object", "required": ["user"], "properties": {"user": {"type": "string"}}},
                "other": {"type": "string"},
            },
        });
        assert_eq!(
            sample_of(&schema),
            json!({"key": "sample", "start": "2022-03-01T00:00:00Z", "mode": "a", "days": 3, "login": {"user": "sample"}})
        );
    }
}
