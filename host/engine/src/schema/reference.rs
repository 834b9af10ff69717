//! Resolves the references of a JSON Schema once, for everything that reads it.
//!
//! A reference can be written in many ways: a pointer with or without percent signs, an anchor, a
//! URL relative to some `$id`. If the validator followed one that the search for secrets does not,
//! a connector could hide from the host what is secret. So each reference is replaced by the one
//! form that needs no further knowledge, a pointer from the root of the schema, and one that cannot
//! be is an error.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Url;
use serde_json::{Map, Value};

use super::subschemas;
use crate::error::Error;

/// The URL of the schema of a config while it is read. Nothing else is there.
pub(crate) const SCHEMA_URL: &str = "mem:///config";

/// References that depend on the way that led to them, so that no pointer can take their place.
const DYNAMIC: [&str; 2] = ["$dynamicRef", "$recursiveRef"];
/// Bytes of the URL of a part of a schema at most.
const LONGEST_URL: usize = 2_048;
/// Bytes of all resolved references at most. They may be longer than what was written.
const MOST_BYTES: usize = 4 << 20;
/// Characters of a reference that an error repeats.
const SHOWN: usize = 80;

/// What a pointer within a URL is written with.
const UNESCAPED: AsciiSet =
    NON_ALPHANUMERIC.remove(b'/').remove(b'~').remove(b'-').remove(b'_').remove(b'.').remove(b'$');

/// A schema in which every reference that can be reached from its root is [`SCHEMA_URL`], `#` and a
/// JSON pointer.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedSchema(Value);

impl ResolvedSchema {
    /// Resolves the references of `schema`.
    ///
    /// # Errors
    ///
    /// The first reference that leads nowhere, to several places, out of the schema, or wherever
    /// the way to it says.
    pub(crate) fn of(schema: &Value) -> Result<Self, Unresolved> {
        let references = Resolver::new(schema)?.resolve()?;
        let mut resolved = schema.clone();
        replace(schema, &mut resolved, &references);
        Ok(Self(resolved))
    }

    /// The schema itself.
    pub(crate) fn root(&self) -> &Value {
        &self.0
    }

    /// Returns the schema, for another pass over its references.
    pub(crate) fn into_value(self) -> Value {
        self.0
    }

    /// What the reference of `schema`, a part of this one, leads to.
    pub(crate) fn target(&self, schema: &Value) -> Option<&Value> {
        let pointer = schema.get("$ref")?.as_str()?.strip_prefix(SCHEMA_URL)?.strip_prefix('#')?;
        self.0.pointer(&percent_decode_str(pointer).decode_utf8().ok()?)
    }
}

/// A reference that cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unresolved(String);

impl Unresolved {
    fn new(reference: &str, why: &str) -> Self {
        let shown: String = reference.chars().take(SHOWN).collect();
        Self(format!("`{shown}` {why}"))
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Unresolved> for Error {
    fn from(problem: Unresolved) -> Self {
        Self::system("the config schema has a reference that cannot be followed").with_internal(problem)
    }
}

/// How an object or a list is reached from the one around it.
#[derive(Clone, Copy)]
enum Step<'s> {
    Name(&'s str),
    Index(usize),
}

/// An object or a list of a schema.
struct Node<'s> {
    value: &'s Value,
    around: Option<(usize, Step<'s>)>,
    base: Rc<Url>,
}

/// Knows where everything is in a schema.
struct Resolver<'s> {
    nodes: Vec<Node<'s>>,
    /// The nodes by the addresses of their values.
    at: HashMap<*const Value, usize>,
    /// The nodes that have a URL of their own. Of several with one URL, none is meant.
    resources: HashMap<Rc<Url>, Vec<usize>>,
    anchors: HashMap<(Rc<Url>, &'s str), Vec<usize>>,
    /// The keyword that gives a part of the schema a URL.
    id: &'static str,
}

/// What a reference leads to, and the pointer to it.
type Target<'s> = (&'s Value, String);

impl<'s> Resolver<'s> {
    fn new(schema: &'s Value) -> Result<Self, Unresolved> {
        let is_old = schema["$schema"].as_str().is_some_and(|draft| draft.contains("draft-04"));
        let mut resolver = Self {
            nodes: Vec::new(),
            at: HashMap::new(),
            resources: HashMap::new(),
            anchors: HashMap::new(),
            id: if is_old { "id" } else { "$id" },
        };
        let url = Url::parse(SCHEMA_URL).map_err(|error| Unresolved::new(SCHEMA_URL, &error.to_string()))?;
        let url = Rc::new(url);
        resolver.resources.insert(url.clone(), vec![0]);
        let mut pending = vec![(schema, None, url)];
        while let Some((value, around, base)) = pending.pop() {
            let node = resolver.nodes.len();
            let base = match value {
                Value::Object(object) => resolver.name(node, object, base)?,
                _ => base,
            };
            let below = |inner: &'s Value, step| {
                let is_node = inner.is_object() || inner.is_array();
                is_node.then(|| (inner, Some((node, step)), base.clone()))
            };
            match value {
                Value::Object(object) => {
                    pending.extend(object.iter().filter_map(|(name, inner)| below(inner, Step::Name(name))));
                }
                Value::Array(list) => {
                    let inner = list.iter().enumerate();
                    pending.extend(inner.filter_map(|(index, inner)| below(inner, Step::Index(index))));
                }
                _ => {}
            }
            resolver.at.insert(std::ptr::from_ref(value), node);
            resolver.nodes.push(Node { value, around, base });
        }
        Ok(resolver)
    }

    /// Notes what an object within `base` is called. Returns the base of what is within it.
    fn name(
        &mut self,
        node: usize,
        object: &'s Map<String, Value>,
        base: Rc<Url>,
    ) -> Result<Rc<Url>, Unresolved> {
        let text = |keyword: &str| object.get(keyword).and_then(Value::as_str);
        let (url, fragment) = text(self.id).map_or(("", ""), |id| id.split_once('#').unwrap_or((id, "")));
        let mut base = base;
        if !url.is_empty()
            && let Ok(joined) = base.join(url)
        {
            if joined.as_str().len() > LONGEST_URL {
                return Err(Unresolved::new(url, "is too long for the URL of a schema"));
            }
            base = Rc::new(joined);
            let named = self.resources.entry(base.clone()).or_default();
            if !named.contains(&node) {
                named.push(node);
            }
        }
        // Until 2019, an anchor was an `$id` of its own.
        let anchors = [
            Some(fragment).filter(|fragment| !fragment.starts_with('/')),
            text("$anchor"),
            text("$dynamicAnchor"),
        ];
        for anchor in anchors.into_iter().flatten().filter(|anchor| !anchor.is_empty()) {
            let named = self.anchors.entry((base.clone(), anchor)).or_default();
            if !named.contains(&node) {
                named.push(node);
            }
        }
        Ok(base)
    }

    /// Resolves every reference that can be reached, by the address of the schema that has it.
    fn resolve(&self) -> Result<HashMap<*const Value, String>, Unresolved> {
        let mut references = HashMap::new();
        let mut seen = HashSet::new();
        let mut pending: Vec<&Value> = self.nodes.first().map(|node| node.value).into_iter().collect();
        let mut left = MOST_BYTES;
        while let Some(schema) = pending.pop() {
            if !schema.is_object() || !seen.insert(std::ptr::from_ref(schema)) {
                continue;
            }
            if let Some(dynamic) = DYNAMIC.iter().find(|keyword| schema.get(**keyword).is_some()) {
                return Err(Unresolved::new(dynamic, "is not supported, because it has no one meaning"));
            }
            pending.extend(subschemas(schema));
            let Some(reference) = schema.get("$ref") else { continue };
            let Some(text) = reference.as_str() else {
                return Err(Unresolved::new(&reference.to_string(), "is no reference"));
            };
            let (target, pointer) = self.follow(schema, text)?;
            let resolved = format!("{SCHEMA_URL}#{}", utf8_percent_encode(&pointer, &UNESCAPED));
            left = left
                .checked_sub(resolved.len())
                .ok_or_else(|| Unresolved::new(text, "is one reference of too many"))?;
            references.insert(std::ptr::from_ref(schema), resolved);
            pending.push(target);
        }
        Ok(references)
    }

    /// Follows a reference of `schema`.
    fn follow(&self, schema: &Value, reference: &str) -> Result<Target<'s>, Unresolved> {
        let wrong = |why| Unresolved::new(reference, why);
        let node = self.at.get(&std::ptr::from_ref(schema)).and_then(|node| self.nodes.get(*node));
        let base = &node.ok_or_else(|| wrong("is no part of the schema"))?.base;
        let (url, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let url = match url {
            "" => base.clone(),
            url => Rc::new(base.join(url).map_err(|_| wrong("is no URL"))?),
        };
        let fragment = percent_decode_str(fragment).decode_utf8();
        let fragment = fragment.map_err(|_| wrong("is not UTF-8"))?;
        let one = |found: Option<&Vec<usize>>| match found.map(Vec::as_slice) {
            Some([one]) => Ok(*one),
            Some(_) => Err(wrong("has several meanings")),
            None => Err(wrong("is not part of the schema")),
        };
        let (value, pointer) = if fragment.is_empty() || fragment.starts_with('/') {
            let resource = one(self.resources.get(&url))?;
            let value = self.nodes[resource].value;
            let target = value.pointer(&fragment).ok_or_else(|| wrong("is not part of the schema"))?;
            (target, self.pointer(resource) + &fragment)
        } else {
            let anchored = one(self.anchors.get(&(url, &*fragment)))?;
            (self.nodes[anchored].value, self.pointer(anchored))
        };
        match value {
            Value::Object(_) | Value::Bool(_) => Ok((value, pointer)),
            _ => Err(wrong("leads to what is no schema")),
        }
    }

    /// The pointer to a node.
    fn pointer(&self, node: usize) -> String {
        let around = |node: &usize| self.nodes[*node].around.map(|(around, _)| around);
        let mut way: Vec<_> = std::iter::successors(Some(node), around).collect();
        way.reverse();
        let steps = way.into_iter().filter_map(|node| self.nodes[node].around);
        steps.fold(String::new(), |pointer, (_, step)| match step {
            Step::Name(name) => pointer + "/" + &name.replace('~', "~0").replace('/', "~1"),
            Step::Index(index) => format!("{pointer}/{index}"),
        })
    }
}

/// Puts the resolved references into a copy of `schema`.
fn replace(schema: &Value, copy: &mut Value, references: &HashMap<*const Value, String>) {
    match (schema, &mut *copy) {
        (Value::Object(object), Value::Object(copies)) => {
            for (inner, copy) in object.values().zip(copies.values_mut()) {
                replace(inner, copy, references);
            }
        }
        (Value::Array(list), Value::Array(copies)) => {
            for (inner, copy) in list.iter().zip(copies) {
                replace(inner, copy, references);
            }
        }
        _ => {}
    }
    if let Some(reference) = references.get(&std::ptr::from_ref(schema)) {
        copy["$ref"] = reference.as_str().into();
    }
}

#[cfg(test)]
mod tests;
