//! Derives reproducible random numbers and identifiers from a seed, a salt and an index.
//!
//! No value depends on earlier ones, so any record can be generated on its own.

/// Salts for each kind of number, so that the third customer and the third plan get different
/// identifiers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Salt {
    Adjustment = 1,
    Amount,
    Block,
    Customer,
    Detail,
    Instant,
    Interval,
    Invoice,
    Item,
    LedgerEntry,
    LineItem,
    Metric,
    Payment,
    Plan,
    Price,
    Product,
    Subscription,
    Usage,
    // New salts go to the end: the numbers of the others are part of every identifier.
    AddOnPrice,
    Alert,
    Backfill,
    BalanceTransaction,
    Change,
    Cost,
    Coupon,
    CreditNote,
    CreditNoteItem,
    Commitment,
    Group,
    License,
    LicenseType,
    Migration,
    TopUp,
    UpcomingInvoice,
    Volume,
    WebhookEndpoint,
    WebhookEvent,
}

/// Digits and letters without the four most easily confused characters; identifiers look like Orb's
/// (`hNmWV3yQnGx9v`).
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    seed: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice { seed }
    }

    /// A number that depends only on the seed, the salt and the index; distinct for distinct
    /// indexes.
    pub(crate) fn roll(self, salt: Salt, index: u64) -> u64 {
        mix(mix(mix(self.seed) ^ salt as u64).wrapping_add(index))
    }

    /// An identifier of 14 letters and digits, unique within its salt.
    pub(crate) fn id(self, salt: Salt, index: u64) -> String {
        let roll = self.roll(salt, index);
        // Eleven digits hold all 64 bits and so keep identifiers unique; three more pad to Orb's
        // length.
        let mut id = String::with_capacity(14);
        push_digits(&mut id, roll, 11);
        push_digits(&mut id, mix(roll), 3);
        id
    }

    /// The index of an identifier that [`Dice::id`] made with this salt; any index or `None` for
    /// other texts.
    pub(crate) fn index_of(self, salt: Salt, id: &str) -> Option<u64> {
        let digit = |letter| ALPHABET.iter().position(|known| *known == letter).map(|it| it as u128);
        let digits = id.as_bytes().get(..11)?.iter().rev();
        let roll = digits.copied().try_fold(0_u128, |number, letter| Some(number * 58 + digit(letter)?))?;
        let index = unmix(u64::try_from(roll).ok()?).wrapping_sub(mix(mix(self.seed) ^ salt as u64));
        (self.id(salt, index) == id).then_some(index)
    }
}

fn push_digits(id: &mut String, mut number: u64, digits: usize) {
    for _ in 0..digits {
        id.push(char::from(ALPHABET[(number % 58) as usize]));
        number /= 58;
    }
}

/// The finalizer of `SplitMix64`: a bijection, so it never maps two numbers to one.
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The inverse of [`mix`].
fn unmix(number: u64) -> u64 {
    let mut mixed = number ^ (number >> 31) ^ (number >> 62);
    mixed = mixed.wrapping_mul(0x3196_42B2_D24D_8EC3);
    mixed = (mixed ^ (mixed >> 27) ^ (mixed >> 54)).wrapping_mul(0x96DE_1B17_3F11_9089);
    (mixed ^ (mixed >> 30) ^ (mixed >> 60)).wrapping_sub(0x9E37_79B9_7F4A_7C15)
}

/// A number that depends only on the text: FNV-1a, finished by a mix.
pub(crate) fn hash(text: &str) -> u64 {
    mix(text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn identifiers_are_unique_and_repeatable() {
        let dice = Dice::new(7);
        let ids: HashSet<String> = (0..10_000).map(|index| dice.id(Salt::Customer, index)).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 14));
        assert_eq!(dice.id(Salt::Customer, 3), Dice::new(7).id(Salt::Customer, 3));
        assert_ne!(dice.id(Salt::Customer, 3), dice.id(Salt::Plan, 3));
        assert_ne!(dice.id(Salt::Customer, 3), Dice::new(8).id(Salt::Customer, 3));
    }

    #[test]
    fn an_identifier_leads_back_to_its_index() {
        let dice = Dice::new(7);
        for index in [0, 1, 25, 1 << 32, (3 << 32) + 5, u64::MAX] {
            assert_eq!(dice.index_of(Salt::Block, &dice.id(Salt::Block, index)), Some(index));
            assert_ne!(dice.index_of(Salt::Plan, &dice.id(Salt::Block, index)), Some(index));
        }
        for text in ["", "0042", "nobody", "zzzzzzzzzzzzzz", "äöüäöüäöü"] {
            assert_eq!(dice.index_of(Salt::Block, text), None, "{text}");
        }
    }
}
