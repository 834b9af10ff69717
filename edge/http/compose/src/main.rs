//! Composes a connector with what it needs to be used without a host of ours:
//! `compose CONNECTOR HANDLER DIRECTORY`.
//!
//! Writes `orb-closed.wasm`, whose log lines and progress go nowhere, so that nothing of
//! `elt:connector` is left to import; and `orb-proxy.wasm`, which answers HTTP requests and imports
//! nothing outside of the world `wasi:http/proxy`.

use std::{env, fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use wac_graph::{
    CompositionGraph, EncodeOptions, NodeId, PackageId,
    types::{Package, are_semver_compatible},
};

const SINKS: &str = include_str!("../../parts/sinks.wat");
const NO_CLI: &str = include_str!("../../parts/no-cli.wat");

/// What a connector exports.
const SOURCE: &str = "elt:connector/source";
/// The types of that.
const TYPES: &str = "elt:connector/types";
/// What a server calls.
const HANDLER: &str = "wasi:http/incoming-handler";

/// The imports of the world `wasi:http/proxy@0.2`, by package or interface.
const PROXY: &[&str] = &[
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/random",
];

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [connector, handler, directory] = &arguments[..] else {
        bail!("usage: compose CONNECTOR HANDLER DIRECTORY");
    };
    let read = |path: &String| fs::read(path).with_context(|| path.clone());
    let (connector, handler) = (read(connector)?, read(handler)?);
    let directory = Path::new(directory);
    fs::create_dir_all(directory)?;
    for (name, bytes) in [("orb-closed", closed(&connector)?), ("orb-proxy", proxy(&connector, &handler)?)] {
        let path = directory.join(name).with_extension("wasm");
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// A connector whose log lines and progress go nowhere.
fn closed(connector: &[u8]) -> Result<Vec<u8>> {
    let mut composition = Composition::default();
    let sinks = composition.add("sinks", &wat::parse_str(SINKS)?, &[])?;
    let connector = composition.add("connector", connector, &[sinks])?;
    composition.export(sinks, TYPES)?;
    composition.export(connector, SOURCE)?;
    composition.finish(|import| !import.starts_with("elt:connector/"))
}

/// A connector that answers HTTP requests.
fn proxy(connector: &[u8], handler: &[u8]) -> Result<Vec<u8>> {
    let mut composition = Composition::default();
    let no_cli = composition.add("no-cli", &wat::parse_str(NO_CLI)?, &[])?;
    let sinks = composition.add("sinks", &wat::parse_str(SINKS)?, &[])?;
    let connector = composition.add("connector", connector, &[sinks, no_cli])?;
    let handler = composition.add("handler", handler, &[connector, sinks, no_cli])?;
    composition.export(handler, HANDLER)?;
    composition
        .finish(|import| import.split_once('@').is_some_and(|(interface, _)| PROXY.contains(&interface)))
}

/// Instances that are joined.
#[derive(Default)]
struct Composition(CompositionGraph);

/// An instance, and the component that it is of.
type Part = (NodeId, PackageId);

impl Composition {
    /// Adds an instance of a component. What it imports and one of `providers` exports comes from
    /// there, and everything else from outside.
    fn add(&mut self, name: &str, bytes: &[u8], providers: &[Part]) -> Result<Part> {
        let graph = &mut self.0;
        let name = format!("edge:{name}");
        let package = Package::from_bytes(&name, None, bytes.to_vec(), graph.types_mut())?;
        let package = graph.register_package(package)?;
        let instance = graph.instantiate(package);
        let imports: Vec<String> = graph.types()[graph[package].ty()].imports.keys().cloned().collect();
        for import in imports {
            for (provider, provided) in providers {
                if let Some(export) = export(graph, *provided, &import) {
                    let export = graph.alias_instance_export(*provider, &export)?;
                    graph.set_instantiation_argument(instance, &import, export)?;
                    break;
                }
            }
        }
        Ok((instance, package))
    }

    /// Exports an interface of a part.
    fn export(&mut self, (instance, package): Part, interface: &str) -> Result<()> {
        let graph = &mut self.0;
        let exports = &graph.types()[graph[package].ty()].exports;
        let prefix = format!("{interface}@");
        let name = exports.keys().find(|name| name.starts_with(&prefix)).cloned();
        let name = name.with_context(|| format!("the component does not export {interface}"))?;
        let export = graph.alias_instance_export(instance, &name)?;
        graph.export(export, &name)?;
        Ok(())
    }

    /// Encodes the whole as a component, once what is left to import is what may be.
    fn finish(self, may_import: fn(&str) -> bool) -> Result<Vec<u8>> {
        for (import, ..) in self.0.imports() {
            ensure!(may_import(import), "{import} is left to import");
        }
        Ok(self.0.encode(EncodeOptions::default())?)
    }
}

/// Returns the export of a component that an import can take: the same interface in a compatible
/// version.
fn export(graph: &CompositionGraph, package: PackageId, import: &str) -> Option<String> {
    let exports = &graph.types()[graph[package].ty()].exports;
    exports.keys().find(|name| *name == import || are_semver_compatible(name, import)).cloned()
}
