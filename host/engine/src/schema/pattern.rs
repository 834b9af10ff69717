//! Estimates how large the automaton of a regular expression is, before it is made.
//!
//! A counted repetition multiplies what it repeats, so ten characters can stand for megabytes.

use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{
    Ast, ClassBracketed, ClassSet, ClassSetBinaryOp, ClassSetItem, Repetition, RepetitionKind,
    RepetitionRange,
};

/// States of a class by a property of Unicode, such as `\p{L}`.
const UNICODE: u64 = 2_000;
/// States of a class that has characters beyond ASCII, which are encoded in several bytes.
const WIDE: u64 = 20;
/// States of a range, a class of ASCII, or one character.
const NARROW: u64 = 4;

/// About how many states the automaton of `pattern` has. One that cannot be parsed counts by its
/// length: the validator refuses it.
pub(crate) fn states(pattern: &str) -> u64 {
    Parser::new().parse(pattern).map_or(pattern.len() as u64, |ast| of(&ast))
}

/// Recursion ends where that of the parser did.
fn of(ast: &Ast) -> u64 {
    let sum = |asts: &[Ast]| asts.iter().map(of).fold(1, u64::saturating_add);
    match ast {
        Ast::Empty(_) | Ast::Flags(_) | Ast::Assertion(_) => 1,
        Ast::Literal(literal) => literal.c.len_utf8() as u64,
        Ast::Dot(_) | Ast::ClassPerl(_) => WIDE,
        Ast::ClassUnicode(_) => UNICODE,
        Ast::ClassBracketed(class) => of_class(class),
        Ast::Repetition(repetition) => of(&repetition.ast).saturating_mul(times(repetition)),
        Ast::Group(group) => of(&group.ast).saturating_add(1),
        Ast::Alternation(alternation) => sum(&alternation.asts),
        Ast::Concat(concat) => sum(&concat.asts),
    }
}

fn times(repetition: &Repetition) -> u64 {
    match &repetition.op.kind {
        RepetitionKind::Range(
            RepetitionRange::Exactly(times)
            | RepetitionRange::AtLeast(times)
            | RepetitionRange::Bounded(_, times),
        ) => u64::from(*times).max(1),
        _ => 1,
    }
}

fn of_class(class: &ClassBracketed) -> u64 {
    of_set(&class.kind).saturating_add(if class.negated { WIDE } else { 0 })
}

fn of_set(set: &ClassSet) -> u64 {
    match set {
        ClassSet::Item(item) => of_item(item),
        ClassSet::BinaryOp(ClassSetBinaryOp { lhs, rhs, .. }) => of_set(lhs).saturating_add(of_set(rhs)),
    }
}

fn of_item(item: &ClassSetItem) -> u64 {
    match item {
        ClassSetItem::Empty(_) => 0,
        ClassSetItem::Literal(_) => NARROW,
        ClassSetItem::Range(range) if range.end.c.is_ascii() => NARROW,
        ClassSetItem::Range(_) | ClassSetItem::Ascii(_) | ClassSetItem::Perl(_) => WIDE,
        ClassSetItem::Unicode(_) => UNICODE,
        ClassSetItem::Bracketed(class) => of_class(class),
        ClassSetItem::Union(union) => union.items.iter().map(of_item).fold(0, u64::saturating_add),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_expressions_are_small_and_counted_ones_multiply() {
        for small in
            ["^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", r"^\d+$", r"^https?://\S+$", ""]
        {
            assert!(states(small) < 1_000, "{small}: {}", states(small));
        }
        assert!(states(r"^[\w.+-]+@[\w-]+\.[\w.-]+$") < 1_000);
        assert!(states(r"(\pL{100}){100}") >= 10_000_000);
        assert_eq!(states("((((a{1000}){1000}){1000}){1000}){1000}").min(1 << 40), 1 << 40);
        assert!(states(&"((".repeat(5_000)) < 20_000, "it is not valid");
    }
}
