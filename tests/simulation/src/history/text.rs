//! A history as people read it.

use std::fmt;

use super::{Change, History, Settings, Start};
use crate::fault::OUTAGE;
use crate::world::{DAY, HOUR, MILLISECOND, MINUTE, SECOND, Time};

fn duration(time: Time) -> String {
    let (sign, time) = if time < 0 { ("-", -time) } else { ("", time) };
    match time {
        0 => "0 s".to_owned(),
        time if time % DAY == 0 => format!("{sign}{} d", time / DAY),
        time if time >= 2 * DAY => format!("{sign}{} d {} h", time / DAY, time % DAY / HOUR),
        time if time >= 2 * HOUR => format!("{sign}{} h {} min", time / HOUR, time % HOUR / MINUTE),
        time => format!("{sign}{}.{:03} s", time / SECOND, time % SECOND / MILLISECOND),
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { ago, pick } => {
                write!(formatter, "a record appears, dated {} ago (number {pick})", duration(*ago))
            }
            Self::Edit(pick) => write!(formatter, "a record is edited (number {pick})"),
            Self::Settle(pick) => write!(formatter, "a record settles (number {pick})"),
            Self::Delete(pick) => write!(formatter, "a record is deleted (number {pick})"),
            Self::CreateParent(pick) => write!(formatter, "a parent appears (number {pick})"),
            Self::DeleteParent(pick) => write!(formatter, "a parent is deleted (number {pick})"),
            Self::EraseParent(pick) => write!(formatter, "a deleted parent vanishes (number {pick})"),
            Self::Backfill(pick) => write!(formatter, "usage is backfilled (number {pick})"),
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.is_full { "in full" } else { "incrementally" };
        writeln!(formatter, "seed {}: {} is read {mode}, {} a page", self.seed, self.row().name, self.page)?;
        if let Some(rate) = self.rate {
            writeln!(formatter, "  at most {rate} requests a second")?;
        }
        if let Start::Airbyte(form) = self.start {
            writeln!(formatter, "  from a state of Airbyte's: {form:?}")?;
        }
        if self.row().has_parents() {
            writeln!(formatter, "  {} parents", self.parents)?;
        }
        for change in &self.initial {
            writeln!(formatter, "  before: {change}")?;
        }
        for (number, sync) in self.syncs.iter().enumerate() {
            let Settings { start, end, lookback_days, concurrency, draft_invoices, sweep_days } =
                &sync.settings;
            write!(formatter, "sync {number}, after {}: {concurrency} at once", duration(sync.gap))?;
            write!(formatter, ", from {} before", duration(*start))?;
            if let Some(end) = end {
                write!(formatter, ", until {} after the beginning", duration(*end))?;
            }
            if *lookback_days > 0 {
                write!(formatter, ", {lookback_days} days of lookback")?;
            }
            if *draft_invoices {
                write!(formatter, ", with drafts")?;
            }
            if *sweep_days > 0 {
                write!(formatter, ", everything every {sweep_days} days")?;
            }
            if sync.skew != 0 {
                write!(formatter, ", clock off by {}", duration(sync.skew))?;
            }
            writeln!(formatter, ", answers within {} ms", sync.latency.most)?;
            for (at, change) in &sync.changes {
                writeln!(formatter, "  request {at}: {change}")?;
            }
            for (at, fault, count) in &sync.faults {
                let count =
                    if *count >= OUTAGE { "until the end".to_owned() } else { format!("{count} times") };
                writeln!(formatter, "  request {at}: {fault}, {count}")?;
            }
            if let Some((at, by)) = sync.jump {
                writeln!(formatter, "  request {at}: the clock jumps by {}", duration(by))?;
            }
            if let Some(stop) = sync.stop {
                writeln!(formatter, "  nobody asks for more after {stop} batches")?;
            }
            if let Some(leave) = sync.leave {
                writeln!(formatter, "  the read is told to end after {leave} batches")?;
            }
            if let Some(kill) = sync.kill {
                writeln!(formatter, "  the process dies at call {kill} of the host")?;
            }
        }
        Ok(())
    }
}
