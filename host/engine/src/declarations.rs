//! Counts what a component declares, before it is compiled.
//!
//! A component may consist of others, and contain instances of each. wasmtime compiles every
//! instance anew, so a component of 2 KB in which each part contains the previous one twice takes
//! gigabytes. The counts here are those after everything was put together.

use std::ops::{Add, AddAssign};

use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, FromReader, Instance, Parser, Payload, SectionLimited,
};

/// Bytes of a definition of types that count as one declaration. The parts of types are not worth
/// reading for this.
const TYPE: usize = 8;

/// What a component takes, everything within it included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Declarations {
    /// Instances of modules and of components.
    pub(crate) instances: usize,
    /// Everything that is declared, in each instance anew.
    pub(crate) declarations: usize,
}

impl Declarations {
    const ENDLESS: Self = Self { instances: usize::MAX, declarations: usize::MAX };

    fn declared(declarations: usize) -> Self {
        Self { instances: 0, declarations }
    }

    fn largest(self, other: Self) -> Self {
        Self {
            instances: self.instances.max(other.instances),
            declarations: self.declarations.max(other.declarations),
        }
    }
}

impl Add for Declarations {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            instances: self.instances.saturating_add(other.instances),
            declarations: self.declarations.saturating_add(other.declarations),
        }
    }
}

impl AddAssign for Declarations {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// A component or module that is being read.
#[derive(Default)]
struct Scope {
    is_component: bool,
    /// What an instance of it takes.
    own: Declarations,
    /// What an instance takes of each component that is known here, by its index.
    components: Vec<Declarations>,
}

/// Counts what a component takes.
///
/// # Errors
///
/// If it is not a valid binary.
pub(crate) fn count(component: &[u8]) -> Result<Declarations, BinaryReaderError> {
    let mut counter = Counter::default();
    for payload in Parser::new(0).parse_all(component) {
        counter.take(payload?)?;
    }
    Ok(counter.once + counter.whole)
}

#[derive(Default)]
struct Counter {
    /// The innermost is the last.
    scopes: Vec<Scope>,
    /// What is compiled once, however many instances there are.
    once: Declarations,
    /// The most that any component takes which was read so far.
    largest: Declarations,
    /// What the outermost component takes.
    whole: Declarations,
}

impl Counter {
    fn take(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::Version { encoding, .. } => {
                let is_component = encoding == Encoding::Component;
                self.scopes.push(Scope { is_component, ..Scope::default() });
            }
            Payload::End(_) => self.end(),

            Payload::ImportSection(section) => self.once(section.count()),
            Payload::FunctionSection(section) => self.once(section.count()),
            Payload::TableSection(section) => self.once(section.count()),
            Payload::GlobalSection(section) => self.once(section.count()),
            Payload::ExportSection(section) => self.once(section.count()),
            Payload::ElementSection(section) => self.once(section.count()),
            Payload::DataSection(section) => self.once(section.count()),
            Payload::TypeSection(section) => self.types(section.range().len()),
            Payload::CoreTypeSection(section) => self.types(section.range().len()),
            Payload::ComponentTypeSection(section) => self.types(section.range().len()),

            Payload::ComponentCanonicalSection(section) => self.declare(section.count() as usize),
            Payload::InstanceSection(section) => each(section, |instance| self.instance(&instance))?,
            Payload::ComponentInstanceSection(section) => {
                each(section, |instance| self.component_instance(&instance))?;
            }
            Payload::ComponentAliasSection(section) => each(section, |alias| self.alias(&alias))?,
            Payload::ComponentImportSection(section) => each(section, |import| {
                // Whatever it is that the component is given.
                let is_component = matches!(import.ty, ComponentTypeRef::Component(_));
                self.define(is_component.then_some(Declarations::ENDLESS));
            })?,
            Payload::ComponentExportSection(section) => each(section, |export| {
                let is_component = export.kind == ComponentExternalKind::Component;
                let exported = is_component.then(|| self.component(0, export.index));
                self.define(exported);
            })?,
            _ => {}
        }
        Ok(())
    }

    /// Ends the innermost scope.
    fn end(&mut self) {
        let Some(Scope { is_component, own, .. }) = self.scopes.pop() else { return };
        self.largest = self.largest.largest(own);
        match self.scopes.last_mut() {
            Some(parent) if is_component => parent.components.push(own),
            Some(_) => {}
            None => self.whole = own,
        }
        self.once(1);
    }

    fn once(&mut self, declarations: u32) {
        self.once += Declarations::declared(declarations as usize);
    }

    fn types(&mut self, bytes: usize) {
        self.once += Declarations::declared(bytes.div_ceil(TYPE));
    }

    fn own(&mut self, more: Declarations) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.own += more;
        }
    }

    fn declare(&mut self, declarations: usize) {
        self.own(Declarations::declared(declarations));
    }

    /// Declares something, which gets an index among the components if it is one.
    fn define(&mut self, component: Option<Declarations>) {
        self.declare(1);
        if let Some(scope) = self.scopes.last_mut() {
            scope.components.extend(component);
        }
    }

    /// What the component of this index takes, `outer` scopes from the innermost.
    fn component(&self, outer: u32, index: u32) -> Declarations {
        let scope = self.scopes.iter().rev().nth(outer as usize);
        // The compiler says what is wrong with an index that does not exist.
        scope.and_then(|scope| scope.components.get(index as usize)).copied().unwrap_or_default()
    }

    fn instance(&mut self, instance: &Instance<'_>) {
        match instance {
            Instance::Instantiate { args, .. } => {
                self.own(Declarations { instances: 1, declarations: 1 + args.len() });
            }
            Instance::FromExports(exports) => self.declare(1 + exports.len()),
        }
    }

    fn component_instance(&mut self, instance: &ComponentInstance<'_>) {
        match instance {
            ComponentInstance::Instantiate { component_index, args } => {
                let component = self.component(0, *component_index);
                self.own(component + Declarations { instances: 1, declarations: 1 + args.len() });
            }
            ComponentInstance::FromExports(exports) => self.declare(1 + exports.len()),
        }
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) {
        let component = match alias {
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                Some(self.component(*count, *index))
            }
            // Whichever it is, it was read before.
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
                Some(self.largest)
            }
            _ => None,
        };
        self.define(component);
    }
}

/// Takes each item of a section.
fn each<'a, T: FromReader<'a>>(
    section: SectionLimited<'a, T>,
    mut take: impl FnMut(T),
) -> Result<(), BinaryReaderError> {
    section.into_iter().try_for_each(|item| {
        take(item?);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: u8 = 1;
    const INSTANCE: u8 = 2;
    const COMPONENT: u8 = 4;
    const COMPONENT_INSTANCE: u8 = 5;
    const ALIAS: u8 = 6;

    fn number(mut number: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while number >= 0x80 {
            bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
            number >>= 7;
        }
        bytes.push(u8::try_from(number).unwrap());
        bytes
    }

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id][..], &number(content.len()), content].concat()
    }

    /// A section of several items.
    fn items(id: u8, items: &[&[u8]]) -> Vec<u8> {
        section(id, &[number(items.len()), items.concat()].concat())
    }

    fn component(sections: &[Vec<u8>]) -> Vec<u8> {
        [b"\0asm\x0d\0\x01\0".to_vec(), sections.concat()].concat()
    }

    /// A component of so many others, each of which has two instances of the one before it.
    fn doubling(levels: usize) -> Vec<u8> {
        let first = section(COMPONENT, &component(&[]));
        let others = (1..levels).map(|level| {
            let before = [&[0x04, 0x02, 1][..], &number(level - 1)].concat();
            let twice: &[&[u8]] = &[&[0, 0, 0], &[0, 0, 0]];
            section(COMPONENT, &component(&[items(ALIAS, &[&before]), items(COMPONENT_INSTANCE, twice)]))
        });
        let last = [&[0][..], &number(levels - 1), &[0]].concat();
        let sections = std::iter::once(first).chain(others);
        component(&sections.chain([items(COMPONENT_INSTANCE, &[&last])]).collect::<Vec<_>>())
    }

    #[test]
    fn instances_within_instances_are_multiplied() {
        assert_eq!(count(&doubling(1)).unwrap().instances, 1);
        assert_eq!(count(&doubling(3)).unwrap().instances, 7);
        assert_eq!(count(&doubling(20)).unwrap().instances, (1 << 20) - 1);
        let many = count(&doubling(100)).unwrap();
        assert_eq!(many, Declarations::ENDLESS);
        assert!(doubling(100).len() < 3_000);
    }

    #[test]
    fn instances_of_modules_are_counted() {
        let module = section(MODULE, b"\0asm\x01\0\0\0");
        let twice = items(INSTANCE, &[&[0, 0, 0], &[0, 0, 0]]);
        assert_eq!(count(&component(&[module, twice])).unwrap().instances, 2);
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let whole = doubling(3);
        count(&whole[..whole.len() - 1]).unwrap_err();
    }
}
