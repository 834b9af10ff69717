//! Changes an account as its users and Orb itself do, one documented transition at a time, and logs
//! the webhook events of each.

mod action;
mod backfill;
mod billing;
mod catalog;
mod credit_note;
mod deletion;
mod edited;
mod invoice;
mod target;

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

pub use action::Action;
pub(crate) use backfill::Reflected;

use crate::account::Account;
use crate::dice::mix;
use crate::edit::RecordError;
use crate::timeline::later;
use crate::webhook_log::PayloadStyle;

/// How an account is mutated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MutationOptions {
    /// What the payload of each event has.
    pub payload: PayloadStyle,
    /// The instants of mutations, in records and events.
    pub clock: Clock,
    /// Deletions without any event. Orb documents none for them; by default, an edit that names
    /// what is deleted is logged with it.
    pub silent_deletions: bool,
    /// Edits of a customer or a plan also change the copies that subscriptions embed. By default,
    /// subscriptions keep what they embedded when they were written.
    pub refresh_embedded: bool,
}

/// The source of the instants of mutations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Clock {
    /// A second after the account's newest records for the first mutation, and one more for each:
    /// equal mutations give equal accounts.
    #[default]
    Account,
    /// The machine's clock, in whole seconds.
    Wall,
}

/// One mutation to apply. `Action::PayInvoice.into()` applies to any invoice that can be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// What happens.
    pub action: Action,
    /// The identifier of the object; if absent, one is chosen that allows the action.
    pub target: Option<String>,
    /// What [`Action::value`] describes; if absent, one is made up.
    pub value: Option<String>,
}

/// A mutation that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What happened.
    pub action: Action,
    /// The identifier of the object that it happened to.
    pub id: String,
    /// When it happened, as records and events say.
    pub at: Timestamp,
}

/// What an action needs to know.
#[derive(Clone, Copy, Debug)]
struct Change<'a> {
    id: &'a str,
    at: Timestamp,
    value: Option<&'a str>,
    /// Counts mutations from 0.
    number: u64,
}

impl Change<'_> {
    /// A number below `count` that differs from mutation to mutation.
    fn pick(&self, count: u64) -> u64 {
        mix(self.number ^ 0x6d75_7461) % count.max(1)
    }

    /// An index of what the mutation creates, beyond all generated and created ones.
    fn fresh(&self) -> u64 {
        (1 << 50) + self.number
    }

    fn refused(&self, action: &'static str, reason: &str) -> RecordError {
        RecordError::Refused { action, id: self.id.to_owned(), reason: reason.to_owned() }
    }
}

impl Account {
    /// Sets how mutations are applied from now on.
    pub fn set_mutation_options(&mut self, options: MutationOptions) {
        self.mutation_options = options;
    }

    /// Applies a mutation at the [clock](MutationOptions::clock)'s instant.
    ///
    /// # Errors
    ///
    /// If there is no such object, or its state does not allow the action. Nothing has changed.
    pub fn mutate(&mut self, mutation: &Mutation) -> Result<Applied, RecordError> {
        self.mutate_by(mutation, mix(self.mutations))
    }

    /// Applies a mutation; a number chooses the object if the mutation does not.
    fn mutate_by(&mut self, mutation: &Mutation, seed: u64) -> Result<Applied, RecordError> {
        let target = mutation.action.rule().target;
        let id = match &mutation.target {
            Some(id) => {
                self.check_target(target, id).map_err(|reason| match reason {
                    None => RecordError::Unknown { resource: target.resource(), id: id.clone() },
                    Some(reason) => {
                        RecordError::Refused { action: mutation.action.name(), id: id.clone(), reason }
                    }
                })?;
                id.clone()
            }
            None => self.choose_target(target, seed).ok_or_else(|| RecordError::Refused {
                action: mutation.action.name(),
                id: String::new(),
                reason: "nothing allows it".to_owned(),
            })?,
        };
        let number = self.mutations;
        let at = match self.mutation_options.clock {
            Clock::Account => {
                let passed = i64::try_from(number).unwrap_or(i64::MAX).saturating_add(1);
                later(self.settings().last, SignedDuration::from_secs(passed))
            }
            Clock::Wall => {
                let now = Timestamp::now();
                Timestamp::from_second(now.as_second()).unwrap_or(now)
            }
        };
        let value = mutation.value.as_deref();
        let change = Change { id: &id, at, value, number };
        let outcome = (mutation.action.rule().apply)(self, &change)?;
        self.mutations += 1;
        for event in outcome.events {
            self.log_event(at, &event);
        }
        Ok(Applied { action: mutation.action, id: outcome.id.unwrap_or(id), at })
    }

    /// Applies `count` mutations that the account allows, chosen by a seed: equal accounts and
    /// seeds give equal mutations. Fewer are applied only if nothing is left to change.
    pub fn mutate_at_random(&mut self, seed: u64, count: usize) -> Vec<Applied> {
        (0..count as u64).filter_map(|step| self.mutate_once(mix(seed).wrapping_add(step))).collect()
    }

    /// Applies one mutation chosen by a number.
    pub(crate) fn mutate_once(&mut self, number: u64) -> Option<Applied> {
        let roll = mix(number);
        let first = roll as usize % Action::ALL.len();
        let actions = Action::ALL.iter().cycle().skip(first).take(Action::ALL.len());
        actions.copied().find_map(|action| self.mutate_by(&action.into(), roll >> 16).ok())
    }
}

/// What an action did.
#[derive(Debug, Default)]
struct Outcome {
    events: Vec<crate::webhook_log::Event>,
    /// The object, if it is not the target.
    id: Option<String>,
}

impl From<Vec<crate::webhook_log::Event>> for Outcome {
    fn from(events: Vec<crate::webhook_log::Event>) -> Outcome {
        Outcome { events, id: None }
    }
}

impl From<Action> for Mutation {
    fn from(action: Action) -> Mutation {
        Mutation { action, target: None, value: None }
    }
}

impl Mutation {
    /// An action on one object.
    #[must_use]
    pub fn new(action: Action, target: &str) -> Mutation {
        Mutation { target: Some(target.to_owned()), ..action.into() }
    }

    /// With a value, as [`Action::value`] describes it.
    #[must_use]
    pub fn with(self, value: &str) -> Mutation {
        Mutation { value: Some(value.to_owned()), ..self }
    }
}

impl FromStr for Mutation {
    type Err = RecordError;

    /// Parses `ACTION [ID [VALUE]]`; `-` stands for any object.
    fn from_str(text: &str) -> Result<Mutation, RecordError> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let unknown = || RecordError::NotAMutation(text.trim().to_owned());
        let action = Action::named(name).ok_or_else(unknown)?;
        let target = words.next().filter(|id| *id != "-").map(str::to_owned);
        let value = words.next().map(str::to_owned);
        match words.next() {
            None => Ok(Mutation { action, target, value }),
            Some(_) => Err(unknown()),
        }
    }
}

impl Display for Applied {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.at, self.action.name(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutations_are_written_as_words() {
        let any = Mutation::from(Action::PayInvoice);
        assert_eq!("pay_invoice".parse(), Ok(any.clone()));
        assert_eq!("pay_invoice -".parse(), Ok(any));
        let moved = Mutation::new(Action::MoveInvoiceDate, "x").with("2024-01-01T00:00:00Z");
        assert_eq!(" move_invoice_date  x 2024-01-01T00:00:00Z".parse(), Ok(moved));
        for text in ["", "pay", "pay_invoice x y z"] {
            assert!(text.parse::<Mutation>().is_err(), "{text}");
        }
    }
}
