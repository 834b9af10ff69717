//! Bounds what it takes to validate a config by a schema, before the validator sees either.
//!
//! A schema of a few kilobytes can demand any amount of work: schemas that refer to each other
//! twice double at every step, and a chain of references is followed by recursion. So its schemas
//! are turned into a graph, and the steps of a validation are added up over pairs of a schema and a
//! part of the config. Each pair is looked at once, however often the validator comes past it. A
//! schema may refer to itself, as long as each time leads further into the config.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use serde_json::Value;

use super::{ELEMENTS, MEMBERS, NAMES, ResolvedSchema, SAME_PLACE, below};
use crate::schema::pattern;

/// JSON values in the schema of a config at most. Large connectors have some 3,000.
const MOST_VALUES: usize = 20_000;
/// Bytes of the paths to all values of a schema at most. The validator keeps several copies of
/// them.
const MOST_PATH_BYTES: usize = 4 << 20;
/// Schemas within the schema of a config at most, whose cost for the validator grows as their
/// square. Large connectors have some 500.
const MOST_SCHEMAS: usize = 5_000;
/// Size of all regular expressions at most, in states of automata as [`pattern`] estimates them.
/// One for a timestamp has some 100.
const MOST_STATES: u64 = 200_000;
/// Steps of a validation at most, beside [`STEPS_OF_VALUE`]. A step takes about 200 bytes if it
/// fails.
const MOST_STEPS: u64 = 200_000;
/// Steps more for each value in the config: what the user wrote may be long.
const STEPS_OF_VALUE: u64 = 20;
/// Schemas that a validation is within at most. Each takes up to 5 kB of the stack.
const MOST_LEVELS: u32 = 500;

/// Why a schema is not used. Completes "the config schema".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It has more JSON values than [`MOST_VALUES`].
    Values,
    /// The paths to its values are longer than [`MOST_PATH_BYTES`].
    Paths,
    /// It has more schemas in it than [`MOST_SCHEMAS`].
    Schemas,
    /// Its regular expressions are larger than [`MOST_STATES`].
    Patterns,
    /// A schema in it refers to itself for the same place.
    Endless,
    /// A config would be within more schemas than [`MOST_LEVELS`].
    Levels,
    /// A config would take more steps than [`MOST_STEPS`] and [`STEPS_OF_VALUE`].
    Steps,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values => write!(f, "has more than {MOST_VALUES} values"),
            Self::Paths => write!(f, "has names that are too long for how deep they are"),
            Self::Schemas => write!(f, "has more than {MOST_SCHEMAS} schemas in it"),
            Self::Patterns => write!(f, "has regular expressions that are too large"),
            Self::Endless => write!(f, "has references in it that go round in a circle"),
            Self::Levels => write!(f, "leads through more than {MOST_LEVELS} schemas within each other"),
            Self::Steps => write!(f, "takes more than {MOST_STEPS} steps to check this config"),
        }
    }
}

/// Checks that a schema is not too large to be looked at.
///
/// # Errors
///
/// [`Problem::Values`] and [`Problem::Paths`].
pub(crate) fn check_size(schema: &Value) -> Result<(), Problem> {
    if values(schema) > MOST_VALUES {
        return Err(Problem::Values);
    }
    if path_bytes(schema, 0) > MOST_PATH_BYTES { Err(Problem::Paths) } else { Ok(()) }
}

/// Bytes of the paths to `value`, which has one of `path` bytes, and to all that is within it.
fn path_bytes(value: &Value, path: usize) -> usize {
    path + match value {
        Value::Object(object) => {
            object.iter().map(|(name, value)| path_bytes(value, path + 1 + name.len())).sum()
        }
        Value::Array(list) => list.iter().map(|value| path_bytes(value, path + 2)).sum::<usize>(),
        _ => 0,
    }
}

/// JSON values in `value`, itself included. Recursion ends where that of the parser did.
fn values(value: &Value) -> usize {
    1 + match value {
        Value::Object(object) => object.values().map(values).sum(),
        Value::Array(list) => list.iter().map(values).sum(),
        _ => 0,
    }
}

/// The schemas within a schema, and which leads to which.
#[derive(Debug)]
pub(crate) struct Graph<'s>(Vec<Node<'s>>);

/// One schema. The others are meant by their numbers.
#[derive(Debug, Default)]
struct Node<'s> {
    /// Those that apply to the same value.
    same: Vec<usize>,
    /// Those of the members of an object that have a name.
    properties: HashMap<&'s str, usize>,
    /// Those that may apply to any member.
    members: Vec<usize>,
    /// Those of the names of members.
    names: Vec<usize>,
    /// Those that may apply to any element of a list.
    elements: Vec<usize>,
    /// Entries of the schema itself that each value is compared with.
    entries: u64,
    /// Expressions that the name of each member is compared with.
    patterns: u64,
}

impl<'s> Graph<'s> {
    /// Finds the schemas that a validation can come to.
    ///
    /// # Errors
    ///
    /// [`Problem::Schemas`] and [`Problem::Patterns`].
    pub(crate) fn of(schema: &'s ResolvedSchema) -> Result<Self, Problem> {
        let mut numbers: HashMap<*const Value, usize> = HashMap::new();
        let mut found = vec![schema.root()];
        numbers.insert(std::ptr::from_ref(schema.root()), 0);
        let mut nodes = Vec::new();
        let mut states: u64 = 0;
        while let Some(current) = found.get(nodes.len()).copied() {
            let mut number = |schema: &'s Value| match numbers.entry(std::ptr::from_ref(schema)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(vacant) => {
                    found.push(schema);
                    *vacant.insert(found.len() - 1)
                }
            };
            let mut all = |schemas: Vec<&'s Value>| -> Vec<usize> {
                let schemas = schemas.into_iter();
                schemas.filter(|schema| schema.is_object() || schema.is_boolean()).map(&mut number).collect()
            };
            let mut node = Node {
                same: all(below(current, &SAME_PLACE)),
                members: all(below(current, &MEMBERS)),
                names: all(below(current, &NAMES)),
                elements: all(below(current, &ELEMENTS)),
                ..Node::default()
            };
            node.same.extend(all(schema.target(current).into_iter().collect()));
            let properties = current.get("properties").and_then(Value::as_object).into_iter().flatten();
            for (name, property) in properties {
                node.properties.extend(all(vec![property]).first().map(|number| (name.as_str(), *number)));
            }
            let own = current.as_object().into_iter().flatten();
            node.entries = own.map(|(_, value)| value.as_array().map_or(1, Vec::len) as u64).sum();
            let named = current.get("patternProperties").and_then(Value::as_object);
            node.patterns = named.map_or(0, |named| named.len() as u64);
            let expressions = named.into_iter().flatten().map(|(name, _)| name.as_str());
            let expressions = expressions.chain(current.get("pattern").and_then(Value::as_str));
            states = expressions.map(pattern::states).fold(states, u64::saturating_add);
            if states > MOST_STATES {
                return Err(Problem::Patterns);
            }
            nodes.push(node);
            if found.len() > MOST_SCHEMAS {
                return Err(Problem::Schemas);
            }
        }
        Ok(Self(nodes))
    }

    /// Checks that `config` can be validated in bounded steps.
    ///
    /// # Errors
    ///
    /// [`Problem::Endless`], [`Problem::Levels`] and [`Problem::Steps`].
    pub(crate) fn check(&self, config: &Value) -> Result<(), Problem> {
        let most = MOST_STEPS.saturating_add(STEPS_OF_VALUE.saturating_mul(values(config) as u64));
        let text = Value::String(String::new());
        let mut estimate = Estimate { nodes: &self.0, known: HashMap::new(), text: &text, most, done: 0 };
        estimate.cost(config, 0, 0).map(|_| ())
    }
}

/// What it takes to validate one value by one schema, and by all that it leads to.
#[derive(Clone, Copy)]
struct Cost {
    steps: u64,
    /// Schemas within each other.
    levels: u32,
}

/// Adds up the steps of a validation.
struct Estimate<'a, 's> {
    nodes: &'a [Node<'s>],
    /// By value and schema. `None` while it is being worked out.
    known: HashMap<(*const Value, usize), Option<Cost>>,
    /// Stands for the names of members.
    text: &'a Value,
    most: u64,
    /// Pairs that were looked at, so that the estimate has an end too.
    done: u64,
}

impl<'a> Estimate<'a, '_> {
    fn cost(&mut self, value: &'a Value, node: usize, above: u32) -> Result<Cost, Problem> {
        self.done += 1;
        if self.done > self.most {
            return Err(Problem::Steps);
        }
        if above >= MOST_LEVELS {
            return Err(Problem::Levels);
        }
        let pair = (std::ptr::from_ref(value), node);
        match self.known.get(&pair) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Err(Problem::Endless),
            None => {}
        }
        self.known.insert(pair, None);
        let nodes = self.nodes;
        let Node { same, properties, members, names, elements, entries, patterns } = &nodes[node];
        let length = match value {
            Value::Object(object) => object.len(),
            Value::Array(list) => list.len(),
            _ => 0,
        } as u64;
        let mut total =
            Cost { steps: 1 + entries + length.saturating_mul(1 + patterns + same.len() as u64), levels: 0 };
        let mut add = |estimate: &mut Self, value: &'a Value, node: usize| {
            let Cost { steps, levels } = estimate.cost(value, node, above + 1)?;
            total.steps = total.steps.saturating_add(steps);
            total.levels = total.levels.max(levels);
            if total.steps > estimate.most { Err(Problem::Steps) } else { Ok(()) }
        };
        for node in same {
            add(self, value, *node)?;
        }
        match value {
            Value::Object(object) => {
                for (name, member) in object {
                    for node in properties.get(name.as_str()).into_iter().chain(members) {
                        add(self, member, *node)?;
                    }
                    for node in names {
                        add(self, self.text, *node)?;
                    }
                }
            }
            Value::Array(list) => {
                for element in list {
                    for node in elements {
                        add(self, element, *node)?;
                    }
                }
            }
            _ => {}
        }
        let total = Cost { levels: total.levels + 1, ..total };
        if above.saturating_add(total.levels) > MOST_LEVELS {
            return Err(Problem::Levels);
        }
        self.known.insert(pair, Some(total));
        Ok(total)
    }
}

#[cfg(test)]
mod tests;
