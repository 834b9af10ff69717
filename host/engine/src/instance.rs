//! A running connector: calls its functions within their limits, and turns crashes into errors.

use wasmtime::Store;
use wasmtime::component::{InstancePre, ResourceAny, ResourceTableError};
use wasmtime_wasi::I32Exit;

use crate::account::{Account, Held, Total};
use crate::address_space;
use crate::bindings::{Exports, RawBatch, Refusal, SOURCE, Version};
use crate::call::{self, CallLimits};
use crate::error::{Error, Result};
use crate::frozen::NoTimePasses;
use crate::json_object::JsonObject;
use crate::limits::{CRASH, Limit};
use crate::record::Record;
use crate::store::StoreData;
use crate::types::{Batch, Specification, Stream, SyncMode};

/// A component that was matched with its imports, of which any number of instances can be started.
pub(crate) struct Prepared {
    pub(crate) version: Version,
    pub(crate) component: InstancePre<StoreData>,
    /// What all instances take together, those of other components included.
    pub(crate) total: Total,
}

impl Prepared {
    /// Starts an instance.
    ///
    /// # Errors
    ///
    /// A system error if the connector crashes or exceeds a limit while it starts, a config error
    /// if its functions are not those of the contract.
    pub(crate) async fn start(&self, data: StoreData) -> Result<Instance> {
        let limits = data.call_limits.clone();
        let mut store = Store::new(self.component.engine(), data);
        store.limiter(|data| data);
        store.set_hostcall_fuel(limits.limits.batch);
        // A handle counts twice while it is lent to a function of the host.
        store.set_max_component_handles(limits.limits.handles.saturating_mul(2));
        call::interrupt(&mut store);
        let started = limits.call(self.component.instantiate_async(&mut store)).await;
        let instance = outcome("the start", started, &limits, &store)?;
        let exports = Exports::new(self.version, &mut store, &instance).map_err(|error| {
            let version = self.version.number();
            Error::config(format!("the component has another form of {SOURCE}@{version} than this host"))
                .with_internal(format!("{error:#}"))
                .with_hint("build the connector and the host from the same wit files")
        })?;
        // Its size has a limit already.
        let batch = Account::new(Limit::Batch, usize::MAX, self.total.clone(), limits.exceeded.clone());
        Ok(Instance { limits, batch: batch.open(), live: Some(Live { store, exports }) })
    }
}

/// A running connector.
pub(crate) struct Instance {
    limits: CallLimits,
    /// What the batch takes that was returned last.
    batch: Held,
    /// `None` once it has crashed or was stopped: what is left of it is not fit for another call.
    live: Option<Live>,
}

struct Live {
    store: Store<StoreData>,
    exports: Exports,
}

/// A reader within an instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReaderHandle(ResourceAny);

/// Calls one function of the contract within its limits, and drops the instance if that fails.
macro_rules! call {
    ($instance:ident, $name:literal, |$store:ident, $exports:ident| $call:expr) => {{
        let Some(Live { store: $store, exports: $exports }) = &mut $instance.live else {
            return Err(Error::system("the connector was stopped"));
        };
        let answer = $instance.limits.call($call).await;
        outcome(concat!("`", $name, "`"), answer, &$instance.limits, $store)
            .inspect_err(|_| $instance.live = None)
    }};
}

impl Instance {
    pub(crate) async fn spec(&mut self) -> Result<Specification> {
        call!(self, "spec", |store, exports| exports.spec(store))?
    }

    pub(crate) async fn check(&mut self, config: &str) -> Result<()> {
        call!(self, "check", |store, exports| exports.check(store, config))?
            .map_err(|refusal| self.refused(&refusal))
    }

    pub(crate) async fn discover(&mut self, config: &str) -> Result<Vec<Stream>> {
        call!(self, "discover", |store, exports| exports.discover(store, config))?
            .map_err(|refusal| self.refused(&refusal))?
    }

    pub(crate) async fn read(
        &mut self,
        config: &str,
        stream: &str,
        sync_mode: SyncMode,
        state: Option<&str>,
    ) -> Result<ReaderHandle> {
        call!(self, "read", |store, exports| exports.read(store, config, stream, sync_mode, state))?
            .map(ReaderHandle)
            .map_err(|refusal| self.refused(&refusal))
    }

    pub(crate) async fn next_batch(&mut self, reader: ReaderHandle) -> Result<Option<Batch>> {
        let batch = call!(self, "next-batch", |store, exports| exports.next_batch(store, reader.0))?
            .map_err(|refusal| self.refused(&refusal))?;
        let Some(batch) = batch else { return Ok(None) };
        if batch.records.iter().any(|record| record.len() > self.limits.limits.record) {
            self.live = None;
            return Err(self.limits.exceeded(Limit::Record));
        }
        let records: usize = batch.records.iter().map(|record| record.len() + size_of::<Record>()).sum();
        let bytes = records + batch.checkpoint.as_ref().map_or(0, String::len);
        if self.batch.set(bytes).is_err() {
            self.live = None;
            return Err(self.limits.exceeded(Limit::TotalMemory));
        }
        parse(batch).map(Some)
    }

    /// Asks a reader to end soon. Returns false if the connector does not know that.
    pub(crate) async fn stop(&mut self, reader: ReaderHandle) -> Result<bool> {
        call!(self, "stop", |store, exports| exports.stop(store, reader.0))
    }

    pub(crate) async fn is_complete(&mut self, reader: ReaderHandle) -> Result<bool> {
        call!(self, "is-complete", |store, exports| exports.is_complete(store, reader.0))
    }

    /// The error for what the connector says went wrong.
    fn refused(&self, Refusal { failure_type, message, internal_message }: &Refusal) -> Error {
        let error = Error::new(*failure_type, self.limits.text(message));
        self.limits.obstacles.explain(match internal_message {
            Some(internal) => error.with_internal(self.limits.text(internal)),
            None => error,
        })
    }
}

/// Checks the texts of a batch.
fn parse(RawBatch { records, checkpoint }: RawBatch) -> Result<Batch> {
    let records = records.into_iter().map(Record::parse).collect::<Result<_, _>>();
    let records = records
        .map_err(|problem| Error::system(format!("the connector returned a record that {problem}")))?;
    let checkpoint = checkpoint.map(|text| JsonObject::returned("a checkpoint", &text)).transpose()?;
    Ok(Batch { records, checkpoint })
}

/// The answer to a call, or the error for a connector that exceeded a limit or crashed. The text of
/// a trap and the end of what the connector wrote to stderr are for an engineer.
fn outcome<T>(
    place: &str,
    answer: Result<wasmtime::Result<T>, Limit>,
    limits: &CallLimits,
    store: &Store<StoreData>,
) -> Result<T> {
    let error = match answer {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => error,
        Err(limit) => return Err(limits.exceeded(limit)),
    };
    if let Some(limit) = limit_of_wasmtime(&error) {
        return Err(limits.exceeded(limit));
    }
    if let Some(refused) = address_space::refusal(&error) {
        return Err(refused);
    }
    let message = match error.downcast_ref() {
        Some(I32Exit(code)) => format!("the connector exited with code {code} in {place}"),
        None if error.is::<NoTimePasses>() => {
            format!("the connector waits in {place}, where no time passes")
        }
        None => format!("the connector crashed in {place}"),
    };
    let crash = limits.redaction.excerpt(&format!("{error:#}"), CRASH);
    let internal = match store.data().stderr.tail(&limits.redaction).as_str() {
        "" => crash,
        stderr => format!("{crash}\nstderr of the connector: {stderr}"),
    };
    Err(Error::system(message).with_internal(internal))
}

/// The limit that wasmtime itself found exceeded.
fn limit_of_wasmtime(error: &wasmtime::Error) -> Option<Limit> {
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return Some(Limit::Handles);
    }
    // These errors have no public types.
    let says = |text: &str| error.chain().any(|cause| cause.to_string().contains(text));
    if says("fuel allocated for hostcalls") {
        return Some(Limit::Batch);
    }
    if says("store handle limit exceeded") {
        return Some(Limit::Handles);
    }
    if ["instance", "memory", "table"].iter().any(|what| says(&format!("{what} count too high"))) {
        return Some(Limit::Instances);
    }
    says("total size of fields exceeds limit").then_some(Limit::Headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_wasmtime_are_known_by_their_words() {
        for (words, limit) in [
            ("cannot lend resource: store handle limit exceeded", Limit::Handles),
            ("resource limit exceeded: instance count too high at 101", Limit::Instances),
            ("resource limit exceeded: memory count too high at 101", Limit::Instances),
        ] {
            assert_eq!(limit_of_wasmtime(&wasmtime::Error::msg(words)), Some(limit));
        }
        assert_eq!(limit_of_wasmtime(&wasmtime::Error::msg("unreachable")), None);
    }

    #[test]
    fn one_bad_record_fails_its_batch() {
        let batch = RawBatch { records: vec!["{}".to_owned(), "[]".to_owned()], checkpoint: None };
        let error = parse(batch).unwrap_err();
        assert_eq!(error.failure_type(), crate::FailureType::System);
        assert_eq!(
            error.message(),
            "the connector returned a record that must be a JSON object, but is a list"
        );
    }
}
