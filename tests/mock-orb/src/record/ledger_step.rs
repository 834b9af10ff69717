//! Defines the repeating cycle of ledger entries: types, amounts and balances.

use std::sync::LazyLock;

use crate::amount::Amount;

/// What an entry does to the balance. Orb does not define the sign of `amount`; here it is never
/// negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Add,
    Take,
    Keep,
}

/// One step of the cycle; ledgers repeat the same twenty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) entry_type: &'static str,
    /// A JSON number, served with exactly this spelling.
    pub(crate) amount: &'static str,
    effect: Effect,
    pub(crate) currency: &'static str,
}

const fn step(entry_type: &'static str, amount: &'static str, effect: Effect) -> Step {
    Step { entry_type, amount, effect, currency: "credits" }
}

const fn in_dollars(step: Step) -> Step {
    Step { currency: "USD", ..step }
}

/// The number of steps after which a ledger repeats.
pub(crate) const CYCLE_LENGTH: u64 = CYCLE.len() as u64;

/// All entry types, with amounts that lose digits as floats or when re-serialized.
const CYCLE: [Step; 20] = [
    step("increment", "100.00", Effect::Add),
    step("decrement", "1.0", Effect::Take),
    step("decrement", "0.1", Effect::Take),
    step("decrement", "1e-7", Effect::Take),
    step("increment", "12345678901234567890.123456789", Effect::Add),
    step("expiration_change", "25", Effect::Keep),
    step("decrement", "12345678901234567890.123456789", Effect::Take),
    in_dollars(step("increment", "20.50", Effect::Add)),
    step("amendment", "-2.50", Effect::Add),
    step("void_initiated", "10", Effect::Keep),
    step("void", "10", Effect::Take),
    step("credit_block_expiry", "40.0", Effect::Take),
    in_dollars(step("decrement", "0.30", Effect::Take)),
    step("decrement", "0.000000000001", Effect::Take),
    // Negative: a decrement may overdraw a balance.
    step("decrement", "2E+2", Effect::Take),
    step("increment", "250", Effect::Add),
    step("decrement", "7.25", Effect::Take),
    in_dollars(step("credit_block_expiry", "20.20", Effect::Take)),
    step("amendment", "12.5", Effect::Add),
    step("decrement", "33.333333333333", Effect::Take),
];

/// The balance of one currency before each step, and after the whole cycle.
struct Balances {
    before: [Amount; CYCLE.len()],
    whole: Amount,
}

impl Balances {
    fn of(currency: &str) -> Balances {
        let mut balance = Amount::default();
        let mut before = [balance; CYCLE.len()];
        for (step, before) in CYCLE.iter().zip(&mut before) {
            *before = balance;
            if step.currency == currency {
                balance = step.apply(balance);
            }
        }
        Balances { before, whole: balance }
    }
}

static CREDITS: LazyLock<Balances> = LazyLock::new(|| Balances::of("credits"));
static DOLLARS: LazyLock<Balances> = LazyLock::new(|| Balances::of("USD"));

impl Step {
    pub(crate) fn at(index: u64) -> Step {
        CYCLE[(index % CYCLE_LENGTH) as usize]
    }

    pub(crate) fn apply(&self, balance: Amount) -> Amount {
        let amount = Amount::parse(self.amount).unwrap_or_default();
        match self.effect {
            Effect::Add => balance.plus(amount),
            Effect::Take => balance.minus(amount),
            Effect::Keep => balance,
        }
    }

    pub(crate) fn balance_before(&self, index: u64) -> Amount {
        let balances = if self.currency == "USD" { &DOLLARS } else { &CREDITS };
        let cycles = index / CYCLE_LENGTH;
        balances.whole.times(cycles).plus(balances.before[(index % CYCLE_LENGTH) as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_balance_starts_where_the_one_before_ended() {
        for currency in ["credits", "USD"] {
            let mut balance = Amount::default();
            for (index, step) in (0..100).map(|index| (index, Step::at(index))) {
                if step.currency == currency {
                    assert_eq!(step.balance_before(index), balance, "{currency} {index}");
                    balance = step.apply(balance);
                }
            }
        }
    }
}
