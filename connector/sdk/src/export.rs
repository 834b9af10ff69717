//! Exports a [`Source`] as a component: implements the functions of `wit/`, and logs and reports
//! progress through the host.

use std::{cell::RefCell, marker::PhantomData, rc::Rc};

use time::Timestamp;

use crate::{
    bindings::{
        elt::connector::{
            log::{self as host_log, Level as HostLevel},
            progress as host_progress,
            types::{Batch, ConfiguredStream, Error, FailureType, Specification, Stream, SyncMode},
        },
        exports::elt::connector::source::{self as wit, Guest, GuestReader},
    },
    connector::Connector,
    error,
    executor::block_on,
    log::{Level, Log},
    pace::Paces,
    platform::Platform,
    progress::Progress,
    reader,
    source::Source,
    wasi::{WasiClock, WasiTransport, wait},
};

/// The component that a source becomes.
#[derive(Debug)]
pub struct Component<S>(PhantomData<S>);

impl<S: Source> Guest for Component<S> {
    type Reader = Reader<S::Config>;

    fn spec() -> Specification {
        let specification = connector::<S>().specification();
        Specification {
            name: specification.name.into(),
            version: specification.version.into(),
            config_schema: specification.config_schema.into(),
            documentation_url: Some(specification.documentation_url.into()),
            allowed_hosts: specification.allowed_hosts.iter().map(|host| (*host).to_owned()).collect(),
        }
    }

    fn check(config: String) -> Result<(), Error> {
        block_on(connector::<S>().check(&config), wait).map_err(Error::from)
    }

    fn discover(config: String) -> Result<Vec<Stream>, Error> {
        let streams = connector::<S>().discover(&config)?.into_iter().map(|discovered| Stream {
            name: discovered.name.into(),
            json_schema: discovered.schema,
            supported_sync_modes: match discovered.cursor {
                Some(_) => vec![SyncMode::FullRefresh, SyncMode::Incremental],
                None => vec![SyncMode::FullRefresh],
            },
            primary_key: discovered.primary_key.into_iter().map(|field| vec![field]).collect(),
            cursor_field: discovered.cursor.map(str::to_owned).into_iter().collect(),
            resumable: discovered.resumable,
            group: Some(discovered.group).filter(|group| !group.is_empty()).map(str::to_owned),
            selected_by_default: discovered.selected_by_default,
            requests: Some(discovered.requests).filter(|text| !text.is_empty()).map(str::to_owned),
        });
        Ok(streams.collect())
    }

    fn read(config: String, stream: ConfiguredStream, state: Option<String>) -> Result<wit::Reader, Error> {
        let reader = connector::<S>().read(&config, &stream.name, state.as_deref())?;
        Ok(wit::Reader::new(Reader(RefCell::new(reader))))
    }
}

/// A read in progress.
#[derive(Debug)]
pub struct Reader<C: 'static>(RefCell<reader::Reader<C>>);

impl<C: 'static> GuestReader for Reader<C> {
    fn next_batch(&self) -> Result<Option<Batch>, Error> {
        let batch = block_on(self.0.borrow_mut().next_batch(), wait)?;
        Ok(batch.map(|batch| Batch { records: batch.records, checkpoint: batch.checkpoint }))
    }

    fn stop(&self) {
        self.0.borrow_mut().stop();
    }

    fn is_complete(&self) -> bool {
        self.0.borrow().is_complete()
    }
}

thread_local! {
    /// The pace of each rate class, shared by all readers of this instance.
    static PACES: Rc<Paces> = Rc::default();
}

fn connector<S: Source>() -> Connector<S> {
    let platform = Platform {
        transport: Rc::new(WasiTransport),
        clock: Rc::new(WasiClock),
        log: Rc::new(HostLog),
        progress: Rc::new(HostProgress),
    };
    Connector::new(platform, PACES.with(Rc::clone))
}

struct HostLog;

impl Log for HostLog {
    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => HostLevel::Debug,
            Level::Info => HostLevel::Info,
            Level::Warn => HostLevel::Warn,
        };
        host_log::log(level, message);
    }
}

struct HostProgress;

impl Progress for HostProgress {
    fn rate_limited(&self, until: Timestamp) {
        host_progress::rate_limited(until.as_milliseconds().try_into().unwrap_or_default());
    }

    fn slices(&self, done: u64, total: Option<u64>) {
        host_progress::slices(done, total);
    }
}

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Self {
        let failure_type = match error.failure_type {
            error::FailureType::Config => FailureType::Config,
            error::FailureType::Transient => FailureType::Transient,
            error::FailureType::System => FailureType::System,
        };
        Self { failure_type, message: error.message, internal_message: error.internal_message }
    }
}
