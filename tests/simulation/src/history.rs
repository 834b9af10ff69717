//! A history: what happens to an account and its syncs. All of it is a function of a seed, and a
//! value of its own, so that parts can be left out.

mod text;

use crate::dice::{Dice, mix};
use crate::fault::{Effect, Fault};
use crate::stream::{Form, STREAMS, Simulated};
use crate::world::{DAY, HOUR, Latency, MILLISECOND, MINUTE, SECOND, Time};

/// What happens to the account. A number chooses the object among those that allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A record appears, dated so long ago. Negative: dated in the future.
    Create {
        ago: Time,
        pick: u64,
    },
    /// A record is edited in place.
    Edit(u64),
    /// A draft is issued, an invoice paid, a pending entry committed.
    Settle(u64),
    Delete(u64),
    CreateParent(u64),
    /// Leaves a stub.
    DeleteParent(u64),
    /// Removes a stub.
    EraseParent(u64),
    /// A backfill of past days begins, changes the usage of its days, or is reverted.
    Backfill(u64),
}

/// What the user has configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// How long before the history the start date is.
    pub(crate) start: Time,
    /// The end date, counted from the beginning of the history.
    pub(crate) end: Option<Time>,
    pub(crate) lookback_days: u32,
    pub(crate) concurrency: u32,
    pub(crate) draft_invoices: bool,
    /// After how many days everything is read again. 0 never does.
    pub(crate) sweep_days: u32,
}

/// One sync, with what happens before and during it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sync {
    /// How long after the sync before.
    pub(crate) gap: Time,
    pub(crate) settings: Settings,
    /// The connector's clock minus Orb's.
    pub(crate) skew: Time,
    /// The connector's clock jumps, after so many requests.
    pub(crate) jump: Option<(u64, Time)>,
    pub(crate) latency: Latency,
    /// Changes, after so many requests.
    pub(crate) changes: Vec<(u64, Change)>,
    /// Faults of a request after so many, and how often in a row.
    pub(crate) faults: Vec<(u64, Fault, u32)>,
    /// The process dies at this call of the host.
    pub(crate) kill: Option<u64>,
    /// Nobody asks for more after so many batches.
    pub(crate) stop: Option<u32>,
    /// The read is told to end soon, after so many batches.
    pub(crate) leave: Option<u32>,
}

/// The state of the first sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Nothing,
    /// As another connector left it, in one of its forms.
    Airbyte(Form),
}

/// A history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) seed: u64,
    pub(crate) stream: usize,
    /// Whether each sync reads everything.
    pub(crate) is_full: bool,
    /// The most records on a page.
    pub(crate) page: usize,
    pub(crate) rate: Option<u32>,
    pub(crate) start: Start,
    pub(crate) parents: u32,
    /// The records at the beginning: dated so long ago.
    pub(crate) initial: Vec<Change>,
    pub(crate) syncs: Vec<Sync>,
}

/// A record that becomes visible later than this after its time is not promised to be read. The
/// connector's overlap is a minute; clocks differ by up to [`MOST_SKEW`] in either direction.
pub(crate) const MOST_LATE: Time = 59 * SECOND;
/// The most that the connector's clock differs where that may matter.
pub(crate) const MOST_SKEW: Time = 20 * SECOND;

/// The number by which [`Settings::sweep_days`] differs from history to history.
const SWEEPS: u64 = 999;

/// Where the numbers begin by which [`Sync::leave`] differs from sync to sync.
const LEAVES: u64 = 1_000;

impl History {
    /// The history of a seed. `only` restricts it to one stream.
    pub(crate) fn roll(seed: u64, only: Option<usize>) -> Self {
        let mut dice = Dice::new(seed);
        let total: u64 = STREAMS.iter().map(|row| row.weight).sum();
        let mut roll = dice.below(total);
        let rolled = STREAMS.iter().position(|row| {
            let is_it = roll < row.weight;
            roll = roll.wrapping_sub(row.weight);
            is_it
        });
        let stream = only.or(rolled).unwrap_or(0);
        let row = &STREAMS[stream];
        let is_full = row.is_always_full() || dice.chance(20);
        let depth = *dice.pick(&[2 * HOUR, 10 * DAY, 80 * DAY, 400 * DAY]);
        let depth = if row.holds_days().is_some() { depth.min(80 * DAY) } else { depth };
        let count = if row.is_reference() { 0 } else { dice.below(*dice.clone().pick(&[3, 12, 40])) };
        let initial = (0..count).map(|_| {
            let ago = if dice.chance(15) { dice.between(0, MINUTE) } else { dice.between(MINUTE, depth) };
            Change::Create { ago, pick: dice.below(1 << 32) }
        });
        let initial = initial.collect();
        let syncs = dice.between(1, 4);
        let base = Settings {
            start: if dice.chance(70) { 500 * DAY } else { depth / 2 },
            end: None,
            lookback_days: if dice.chance(15) { 2 } else { 0 },
            concurrency: u32::try_from(*dice.pick(&[1, 2, 5, 16, 64])).unwrap_or(16),
            draft_invoices: row.name == "invoices" && dice.chance(10),
            sweep_days: {
                // Apart from the others, as below.
                let mut dice = Dice::new(mix(seed, SWEEPS));
                let days = *dice.pick(&[1, 3]);
                if row.has_sweep() && dice.chance(25) { days } else { 0 }
            },
        };
        let skew = if dice.chance(40) { dice.between(-MOST_SKEW, MOST_SKEW) } else { 0 };
        let mut history = Self {
            seed,
            stream,
            is_full,
            page: usize::try_from(*dice.pick(&[1, 2, 3, 5, 10, 100, 100])).unwrap_or(3),
            rate: if dice.chance(10) { Some(*dice.pick(&[5, 20])) } else { None },
            start: if is_full || !dice.chance(15) {
                Start::Nothing
            } else {
                Start::Airbyte(row.form(&mut dice))
            },
            parents: u32::try_from(dice.between(0, 6)).unwrap_or(3),
            initial,
            syncs: (0..syncs).map(|number| Sync::roll(seed, number, row, &base, skew, &mut dice)).collect(),
        };
        // Another connector's cursors may lie beyond an end.
        if matches!(history.start, Start::Airbyte(_)) && row.has_parents() && row.has_end() && dice.chance(30)
        {
            history.syncs[0].settings.end = Some(dice.between(-20 * DAY, 0) / SECOND * SECOND);
        }
        // A read of many lists has states on the way.
        if row.has_parents() && dice.chance(5) {
            history.parents = u32::try_from(dice.between(100, 230)).unwrap_or(100);
            history.page = history.page.max(10);
            for sync in &mut history.syncs {
                // A hundred lists without records are read within one call.
                sync.latency.most = sync.latency.most.min(1_000);
                sync.kill = sync.kill.filter(|_| dice.chance(50)).or_else(|| Some(dice.below(8_000)));
            }
        }
        // Reads of every page with one record each take long.
        if row.is_reference() {
            history.page = history.page.max(3);
        }
        history
    }

    pub(crate) fn row(&self) -> &'static Simulated {
        &STREAMS[self.stream]
    }

    /// Two syncs in which nothing happens any more.
    pub(crate) fn quiet(&self) -> [Sync; 2] {
        let last = self.syncs.last();
        let settings = last.map(|sync| Settings { end: None, ..sync.settings.clone() });
        let quiet = Sync {
            gap: 10 * MINUTE,
            settings: settings.unwrap_or(Settings {
                start: 500 * DAY,
                end: None,
                lookback_days: 0,
                concurrency: 16,
                draft_invoices: false,
                sweep_days: 0,
            }),
            skew: last.map_or(0, |sync| sync.skew),
            jump: None,
            latency: Latency { seed: mix(self.seed, 99), most: 80 },
            changes: Vec::new(),
            faults: Vec::new(),
            kill: None,
            stop: None,
            leave: None,
        };
        [quiet.clone(), quiet]
    }
}

impl Sync {
    fn roll(seed: u64, number: i64, row: &Simulated, base: &Settings, skew: Time, dice: &mut Dice) -> Self {
        let mut settings = base.clone();
        if dice.chance(6) {
            settings.concurrency = 3;
        }
        if dice.chance(10) && row.has_end() {
            settings.end = Some(dice.between(-20 * DAY, DAY) / SECOND * SECOND);
        }
        let moments = if row.is_reference() { 12 } else { *dice.pick(&[1, 6, 20]) };
        let changes = if dice.chance(75) { dice.below(*dice.clone().pick(&[4, 10])) } else { 0 };
        let changes = (0..changes).map(|_| (dice.below(moments), Change::roll(row, dice)));
        let mut changes: Vec<(u64, Change)> = changes.collect();
        changes.sort_by_key(|(at, _)| *at);
        let faults = if dice.chance(60) { dice.between(1, 4) } else { 0 };
        let faults = (0..faults).map(|_| {
            let (fault, count) = Fault::roll(dice);
            (if fault == Fault::FeatureOff { 0 } else { dice.below(16) }, fault, count)
        });
        let mut faults: Vec<(u64, Fault, u32)> = faults.collect();
        faults.sort_by_key(|(at, ..)| *at);
        Self {
            gap: *dice.pick(&[MINUTE, 5 * MINUTE, HOUR, 26 * HOUR, 3 * DAY, 10 * DAY])
                + dice.between(0, SECOND),
            settings,
            skew,
            jump: if dice.chance(4) {
                Some((dice.below(10), dice.between(-2 * HOUR, 2 * HOUR)))
            } else {
                None
            },
            latency: Latency {
                seed: mix(seed, number.unsigned_abs()),
                most: *dice.pick(&[5, 80, 1_000, 20_000]),
            },
            changes,
            faults,
            kill: if dice.chance(25) {
                Some(dice.below(*dice.clone().pick(&[60, 400, 2_000])))
            } else {
                None
            },
            stop: if dice.chance(8) { Some(u32::try_from(dice.below(6)).unwrap_or(0)) } else { None },
            leave: {
                // Apart from the others, so that the rest of a seed's history stays.
                let mut dice = Dice::new(mix(seed, LEAVES + number.unsigned_abs()));
                dice.chance(12).then(|| u32::try_from(dice.below(5)).unwrap_or(0))
            },
        }
    }
}

impl Change {
    fn roll(row: &Simulated, dice: &mut Dice) -> Self {
        let pick = dice.below(1 << 32);
        match dice.below(100) {
            0..45 => {
                let ago = match dice.below(20) {
                    0..5 => 0,
                    5..11 => dice.between(0, 5 * SECOND),
                    11..17 => dice.between(0, MOST_LATE - MOST_SKEW),
                    17 => dice.between(0, 10 * DAY),
                    _ if row.may_be_in_future() => -dice.between(HOUR, 40 * DAY),
                    _ => 0,
                };
                Self::Create { ago: ago / MILLISECOND * MILLISECOND, pick }
            }
            45..60 => Self::Edit(pick),
            // Usage neither settles nor is deleted.
            60..82 if row.has_grace() && pick.is_multiple_of(2) => Self::Backfill(pick >> 1),
            82..90 if row.has_grace() => Self::Backfill(pick >> 1),
            60..82 => Self::Settle(pick),
            82..90 => Self::Delete(pick),
            90..95 => Self::CreateParent(pick),
            95..98 => Self::DeleteParent(pick),
            _ => Self::EraseParent(pick),
        }
    }
}

/// How a sync with these faults may end.
pub(crate) fn effects(happened: &[(Fault, u32)]) -> Vec<Effect> {
    happened.iter().map(|(fault, count)| fault.effect(*count)).collect()
}
