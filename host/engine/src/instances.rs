//! Counts the instances that a component consists of, before it is compiled.
//!
//! A component may consist of others, and contain instances of each. wasmtime compiles every
//! instance anew, so a component of 2 KB in which each part contains the previous one twice takes
//! gigabytes.

use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, FromReader, Instance, Parser, Payload, SectionLimited,
};

/// A component or module that is being read.
#[derive(Default)]
struct Scope {
    is_component: bool,
    /// The instances that an instance of it consists of.
    own: usize,
    /// The same of each component that is known here, by its index.
    components: Vec<usize>,
}

/// Counts the instances of modules and components that a component consists of, those within
/// instances included.
///
/// # Errors
///
/// If it is not a valid binary.
pub(crate) fn count(component: &[u8]) -> Result<usize, BinaryReaderError> {
    let mut counter = Counter::default();
    for payload in Parser::new(0).parse_all(component) {
        counter.take(payload?)?;
    }
    Ok(counter.whole)
}

#[derive(Default)]
struct Counter {
    /// The innermost is the last.
    scopes: Vec<Scope>,
    /// The most of any component that was read so far.
    largest: usize,
    /// Those of the outermost component.
    whole: usize,
}

impl Counter {
    fn take(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::Version { encoding, .. } => {
                let is_component = encoding == Encoding::Component;
                self.scopes.push(Scope { is_component, ..Scope::default() });
                Ok(())
            }
            Payload::End(_) => {
                self.end();
                Ok(())
            }
            Payload::InstanceSection(section) => each(section, |instance| {
                if let Instance::Instantiate { .. } = instance {
                    self.contain(1);
                }
            }),
            Payload::ComponentInstanceSection(section) => each(section, |instance| {
                if let ComponentInstance::Instantiate { component_index, .. } = instance {
                    self.contain(self.component(0, component_index).saturating_add(1));
                }
            }),
            Payload::ComponentAliasSection(section) => each(section, |alias| match alias {
                ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                    self.define(self.component(count, index));
                }
                // Whichever it is, it was read before.
                ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
                    self.define(self.largest);
                }
                _ => {}
            }),
            Payload::ComponentImportSection(section) => each(section, |import| {
                if let ComponentTypeRef::Component(_) = import.ty {
                    // Whatever it is that the component is given.
                    self.define(usize::MAX);
                }
            }),
            Payload::ComponentExportSection(section) => each(section, |export| {
                if export.kind == ComponentExternalKind::Component {
                    self.define(self.component(0, export.index));
                }
            }),
            _ => Ok(()),
        }
    }

    /// Ends the innermost scope.
    fn end(&mut self) {
        let Some(Scope { is_component, own, .. }) = self.scopes.pop() else { return };
        self.largest = self.largest.max(own);
        match self.scopes.last_mut() {
            Some(parent) if is_component => parent.components.push(own),
            Some(_) => {}
            None => self.whole = own,
        }
    }

    /// The innermost scope contains so many instances more.
    fn contain(&mut self, more: usize) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.own = scope.own.saturating_add(more);
        }
    }

    /// The next component of the innermost scope consists of so many instances.
    fn define(&mut self, component: usize) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.components.push(component);
        }
    }

    /// The instances of the component of this index, `outer` scopes from the innermost.
    fn component(&self, outer: u32, index: u32) -> usize {
        let scope = self.scopes.iter().rev().nth(outer as usize);
        // The compiler says what is wrong with an index that does not exist.
        scope.and_then(|scope| scope.components.get(index as usize)).copied().unwrap_or_default()
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
    use crate::Engine;
    use crate::limits::Limit;

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

    /// So many instances of an empty module.
    fn modules(count: usize) -> Vec<u8> {
        let module = section(MODULE, b"\0asm\x01\0\0\0");
        component(&[module, items(INSTANCE, &vec![&[0, 0, 0][..]; count])])
    }

    /// A component of so many others, each of which has two instances of the one before it.
    fn doubling(levels: usize) -> Vec<u8> {
        let first = section(COMPONENT, &component(&[]));
        let others = (1..levels).map(|level| {
            let before = [&[0x04, 0x02, 1][..], &number(level - 1)].concat();
            let twice = [&[0, 0, 0][..]; 2];
            section(COMPONENT, &component(&[items(ALIAS, &[&before]), items(COMPONENT_INSTANCE, &twice)]))
        });
        let last = [&[0][..], &number(levels - 1), &[0]].concat();
        let sections = std::iter::once(first).chain(others);
        component(&sections.chain([items(COMPONENT_INSTANCE, &[&last])]).collect::<Vec<_>>())
    }

    #[test]
    fn instances_within_instances_are_multiplied() {
        assert_eq!(count(&doubling(1)).unwrap(), 1);
        assert_eq!(count(&doubling(3)).unwrap(), 7);
        assert_eq!(count(&doubling(20)).unwrap(), (1 << 20) - 1);
        assert_eq!(count(&doubling(100)).unwrap(), usize::MAX);
        assert!(doubling(100).len() < 3_000);
        assert_eq!(count(&modules(2)).unwrap(), 2);
    }

    #[tokio::test]
    async fn too_many_are_a_limit_before_anything_is_compiled() {
        let engine = Engine::new().unwrap();
        for bytes in [doubling(25), doubling(100), modules(200)] {
            let error = engine.load_bytes(bytes).await.unwrap_err();
            assert_eq!(error.limit(), Some(Limit::Instances), "{error}");
        }
        // A few compile.
        let error = engine.load_bytes(doubling(5)).await.unwrap_err();
        assert!(error.message().contains("does not export"), "{error}");
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let whole = doubling(3);
        count(&whole[..whole.len() - 1]).unwrap_err();
    }
}
