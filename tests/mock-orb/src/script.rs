//! Plans mutations for moments of a read.

use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::dice::mix;
use crate::edit::RecordError;
use crate::mutation::{Applied, Mutation};

/// Mutations, each for a moment. Requests and time count from when a server gets the script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    planned: Vec<(Moment, Step)>,
}

/// When something happens: always just before a request is answered, so that no answer mixes the
/// states before and after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the next request.
    Now,
    /// Before the n-th request, counted from 1.
    Request(u64),
    /// Before the n-th request, counted from 1, whose path starts with a text.
    RequestTo(String, u64),
    /// Before the first request after a time.
    After(Duration),
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    One(Mutation),
    /// As many mutations as the account allows, by a seed.
    Random {
        seed: u64,
        count: u64,
    },
}

impl Script {
    /// Plans one mutation more.
    #[must_use]
    pub fn at(mut self, moment: Moment, mutation: impl Into<Mutation>) -> Script {
        self.planned.push((moment, Step::One(mutation.into())));
        self
    }

    /// Plans a number of mutations more, all at one moment, chosen by a seed when it comes.
    #[must_use]
    pub fn random_at(mut self, moment: Moment, seed: u64, count: u64) -> Script {
        self.planned.push((moment, Step::Random { seed, count }));
        self
    }

    /// [`Script::seeded`] from `SEED` or `SEED:COUNT`; `None` for any other text. The count is a
    /// hundred if there is none.
    #[must_use]
    pub fn from_seed(text: &str) -> Option<Script> {
        let (seed, count) = parse_seed(text).ok()?;
        Some(Script::seeded(seed, count.unwrap_or(100)))
    }

    /// A number of mutations chosen by a seed, each before another request: the first before the
    /// second request, and each of the others one to four requests after the one before it.
    #[must_use]
    pub fn seeded(seed: u64, count: u64) -> Script {
        let mut request = 1;
        let mut script = Script::default();
        for step in 0..count {
            let roll = mix(mix(seed).wrapping_add(step));
            request += if step == 0 { 1 } else { 1 + (roll >> 8) % 4 };
            script = script.random_at(Moment::Request(request), roll, 1);
        }
        script
    }
}

impl FromStr for Script {
    type Err = RecordError;

    /// Parses a line for each mutation, `MOMENT: MUTATION`. Empty lines and those that start with
    /// `#` are ignored. A moment is `now`, `before N`, `before N PATH` or `after N ms`; a mutation
    /// is one of [`Mutation::from_str`], or `random SEED:COUNT`.
    fn from_str(text: &str) -> Result<Script, RecordError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let planned = lines.map(|line| {
            let unknown = || RecordError::NotAMutation(line.to_owned());
            let (moment, step) = line.split_once(':').ok_or_else(unknown)?;
            Ok((parse_moment(moment).ok_or_else(unknown)?, step.parse()?))
        });
        Ok(Script { planned: planned.collect::<Result<_, RecordError>>()? })
    }
}

fn parse_moment(text: &str) -> Option<Moment> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let count = |text: &str| text.parse::<u64>().ok().filter(|count| *count > 0);
    match words[..] {
        ["now"] => Some(Moment::Now),
        ["before", number] => Some(Moment::Request(count(number)?)),
        ["before", number, path] => Some(Moment::RequestTo(path.to_owned(), count(number)?)),
        ["after", number, "ms"] => Some(Moment::After(Duration::from_millis(number.parse().ok()?))),
        _ => None,
    }
}

impl FromStr for Step {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Step, RecordError> {
        let Some(random) = text.trim().strip_prefix("random ") else { return Ok(Step::One(text.parse()?)) };
        let (seed, count) = parse_seed(random)?;
        Ok(Step::Random { seed, count: count.unwrap_or(1) })
    }
}

/// Parses `SEED` or `SEED:COUNT`.
pub(crate) fn parse_seed(text: &str) -> Result<(u64, Option<u64>), RecordError> {
    let number = |text: &str| {
        let unknown = || RecordError::NotAMutation(text.to_owned());
        text.trim().parse::<u64>().map_err(|_| unknown())
    };
    match text.split_once(':') {
        None => Ok((number(text)?, None)),
        Some((seed, count)) => Ok((number(seed)?, Some(number(count)?))),
    }
}

impl Step {
    /// Applies the step to an account. Random mutations that nothing allows are left out.
    pub(crate) fn apply(&self, account: &mut Account) -> Vec<Result<Applied, RecordError>> {
        match self {
            Step::One(mutation) => vec![account.mutate(mutation)],
            Step::Random { seed, count } => {
                let count = usize::try_from(*count).unwrap_or(usize::MAX);
                account.mutate_at_random(*seed, count).into_iter().map(Ok).collect()
            }
        }
    }
}

/// What a server still has to do.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    waiting: Vec<Waiting>,
    outcomes: Vec<Result<Applied, RecordError>>,
}

#[derive(Debug)]
struct Waiting {
    moment: Moment,
    since: Instant,
    /// How many requests the moment has counted.
    counted: u64,
    step: Step,
}

impl Agenda {
    pub(crate) fn add(&mut self, script: Script) {
        let since = Instant::now();
        let waiting = script.planned.into_iter();
        self.waiting.extend(waiting.map(|(moment, step)| Waiting { moment, since, counted: 0, step }));
    }

    /// Takes the steps that are due before a request for a path.
    pub(crate) fn due(&mut self, path: &str) -> Vec<Step> {
        let mut due = Vec::new();
        self.waiting.retain_mut(|waiting| {
            let is_due = waiting.is_due(path);
            if is_due {
                due.push(waiting.step.clone());
            }
            !is_due
        });
        due
    }

    pub(crate) fn note(&mut self, outcomes: Vec<Result<Applied, RecordError>>) {
        self.outcomes.extend(outcomes);
    }

    pub(crate) fn outcomes(&self) -> Vec<Result<Applied, RecordError>> {
        self.outcomes.clone()
    }
}

impl Waiting {
    /// Counts a request, and tells whether it is the one waited for.
    fn is_due(&mut self, path: &str) -> bool {
        let wanted = match &self.moment {
            Moment::Now => return true,
            Moment::After(time) => return self.since.elapsed() >= *time,
            Moment::Request(wanted) => *wanted,
            Moment::RequestTo(prefix, _) if !path.starts_with(prefix.as_str()) => return false,
            Moment::RequestTo(_, wanted) => *wanted,
        };
        self.counted += 1;
        self.counted >= wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutation::Action;

    #[test]
    fn a_script_has_a_line_for_each_mutation() {
        let script: Script =
            "# comment\n\nnow: pay_invoice\n before 3 : void_invoice x\nbefore 2 /v1/plans: \
                              random 7:5\nafter 10 ms:move_invoice_date x 2024-01-01T00:00:00Z\n"
                .parse()
                .unwrap();
        let expected = Script::default()
            .at(Moment::Now, Action::PayInvoice)
            .at(Moment::Request(3), Mutation::new(Action::VoidInvoice, "x"))
            .random_at(Moment::RequestTo("/v1/plans".to_owned(), 2), 7, 5)
            .at(
                Moment::After(Duration::from_millis(10)),
                Mutation::new(Action::MoveInvoiceDate, "x").with("2024-01-01T00:00:00Z"),
            );
        assert_eq!(script, expected);
        for text in ["pay_invoice", "soon: pay_invoice", "before 0: pay_invoice", "now: random x"] {
            assert!(text.parse::<Script>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_moment_comes_once() {
        let mut agenda = Agenda::default();
        agenda.add(
            Script::default()
                .random_at(Moment::Request(2), 0, 0)
                .random_at(Moment::RequestTo("/v1/plans".to_owned(), 2), 0, 0)
                .random_at(Moment::After(Duration::from_secs(3_600)), 0, 0)
                .random_at(Moment::Now, 0, 0),
        );
        let paths = ["/v1/plans", "/v1/items", "/v1/plans", "/v1/plans"];
        assert_eq!(paths.map(|path| agenda.due(path).len()), [1, 1, 1, 0]);
        assert_eq!(agenda.waiting.len(), 1);
    }

    #[test]
    fn seeded_mutations_come_one_by_one_in_the_midst_of_a_read() {
        let script = Script::seeded(1, 100);
        let requests: Vec<u64> = script
            .planned
            .iter()
            .map(|(moment, _)| if let Moment::Request(request) = moment { *request } else { 0 })
            .collect();
        assert_eq!((requests.len(), requests[0]), (100, 2));
        assert!(requests.windows(2).all(|pair| (1..=4).contains(&(pair[1] - pair[0]))));
        assert_ne!(script, Script::seeded(2, 100));
    }
}
