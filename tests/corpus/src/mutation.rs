//! Changes inputs at random, but each time in the same way.

use std::collections::BTreeSet;

/// What often matters to code that reads text, beside the words of the corpus.
const TOKENS: [&[u8]; 22] = [
    b"\\",
    b"\"",
    b"\\u0041",
    b"\\ud83d",
    b"%2f",
    b"%",
    b"&#65;",
    b"${",
    b"}",
    b"{",
    b"[",
    b"]",
    b":",
    b"@",
    b"//",
    b".",
    b"*.",
    b"\n",
    b"\0",
    b"\xc3\xa9",
    b"0",
    b"-",
];
/// Bytes of a mutation at most.
const LONGEST: usize = 4_096;

/// Mutations of some inputs, without end.
pub(crate) struct Mutations<'i> {
    inputs: &'i [Vec<u8>],
    /// Words of the inputs, and [`TOKENS`].
    tokens: Vec<&'i [u8]>,
    random: fastrand::Rng,
}

impl<'i> Mutations<'i> {
    pub(crate) fn of(inputs: &'i [Vec<u8>]) -> Self {
        let words = inputs.iter().flat_map(|input| input.split(|byte| !byte.is_ascii_alphanumeric()));
        let tokens: BTreeSet<_> = words.filter(|word| !word.is_empty()).chain(TOKENS).collect();
        Self { inputs, tokens: tokens.into_iter().collect(), random: fastrand::Rng::with_seed(7) }
    }

    /// A part of an input, of which the start and the end are anywhere.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let (one, other) = (self.random.usize(..=length), self.random.usize(..=length));
        // Most are short.
        let end = one.max(other).min(one.min(other) + 1 + self.random.usize(..32));
        one.min(other)..end.min(length)
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let part = self.part(input.len());
        match self.random.u8(..8) {
            0 => drop(input.drain(part)),
            1 => {
                let copy = input[part.clone()].to_vec();
                input.splice(part.start..part.start, copy);
            }
            2 => {
                if let Some(byte) = input.get_mut(part.start) {
                    *byte ^= 1 << self.random.u8(..8);
                }
            }
            3 => {
                let other = self.random.usize(..self.inputs.len());
                let of_other = self.part(self.inputs[other].len());
                input.splice(part, self.inputs[other][of_other].iter().copied());
            }
            4 => {
                let token = self.token();
                let times = 1 << self.random.u8(..6);
                input.splice(part.start..part.start, token.repeat(times));
            }
            5 => {
                // A word in the place of another.
                let is_word = |byte: &u8| byte.is_ascii_alphanumeric();
                let before = input[..part.start].iter().rev().take_while(|byte| is_word(byte)).count();
                let after = input[part.start..].iter().take_while(|byte| is_word(byte)).count();
                let token = self.token();
                input.splice(part.start - before..part.start + after, token.iter().copied());
            }
            _ => {
                let token = self.token();
                input.splice(part.start..part.start, token.iter().copied());
            }
        }
        input.truncate(LONGEST);
    }

    fn token(&mut self) -> &'i [u8] {
        self.tokens[self.random.usize(..self.tokens.len())]
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = self.inputs[self.random.usize(..self.inputs.len())].clone();
        for _ in 0..self.random.usize(1..=6) {
            self.change(&mut input);
        }
        Some(input)
    }
}
