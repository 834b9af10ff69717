//! Bounds how many names are resolved at the same time.
//!
//! The operating system resolves a name on a thread that waits, and cannot be asked to stop. So a
//! look-up counts until it has really ended, however long ago it was given up on. Each has a thread
//! of its own, so look-ups hold up nothing else. Whoever asks for a name that is being resolved
//! waits for that.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::deadline::timeout;

/// Names that one session resolves at the same time. A connector reads one API, which has a few
/// hosts.
const OF_SESSION: usize = 32;
/// Names that the whole process resolves at the same time. Each takes a thread.
const OF_PROCESS: usize = 256;

/// A permit for each look-up of the process.
static PROCESS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(OF_PROCESS)));

/// The addresses of a name. Their port is not known here.
pub(super) type Addresses = Result<Arc<[SocketAddr]>, LookupProblem>;

/// How the operating system is asked for the addresses of a name.
type Ask = fn(&str) -> io::Result<Vec<SocketAddr>>;

/// The look-ups of one session.
pub(super) struct Lookups {
    session: Arc<Semaphore>,
    process: Arc<Semaphore>,
    /// How long a look-up waits for those before it.
    patience: Duration,
    ask: Ask,
    /// Those that have not ended, by name.
    running: Mutex<HashMap<String, watch::Receiver<Option<Addresses>>>>,
}

/// Why there are no addresses.
#[derive(Clone, Debug)]
pub(super) enum LookupProblem {
    /// So the operating system says.
    Failed(Arc<io::Error>),
    /// So many other names are being resolved, and none of these look-ups ends.
    TooMany {
        /// How many may be resolved at the same time.
        limit: usize,
        /// Whether by this session, and not by the whole process.
        of_session: bool,
    },
}

impl fmt::Display for LookupProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::TooMany { limit, of_session } => {
                let whose = if *of_session { "this connector" } else { "this process" };
                write!(f, "{limit} other names of {whose} are being resolved, which is as many as may be")
            }
        }
    }
}

impl std::error::Error for LookupProblem {}

impl Lookups {
    /// Look-ups by the operating system. Each waits so long for those before it.
    pub(super) fn new(patience: Duration) -> Self {
        let ask = |name: &str| Ok((name, 0).to_socket_addrs()?.collect());
        Self {
            session: Arc::new(Semaphore::new(OF_SESSION)),
            process: PROCESS.clone(),
            patience,
            ask,
            running: Mutex::default(),
        }
    }

    /// As if the session had as many look-ups as it may, none of which ends.
    #[cfg(test)]
    pub(super) fn exhausted() -> Self {
        Self { session: Arc::new(Semaphore::new(0)), ..Self::new(Duration::ZERO) }
    }

    /// As if name servers took every question and answered none.
    #[cfg(test)]
    pub(super) fn stuck() -> Self {
        let ask: Ask = |_| {
            loop {
                thread::park();
            }
        };
        Self { ask, process: Arc::new(Semaphore::new(1)), ..Self::new(Duration::from_secs(60)) }
    }

    /// The addresses of `name`.
    ///
    /// # Errors
    ///
    /// If the operating system finds none, or if too many other names are being resolved.
    pub(super) async fn addresses(self: &Arc<Self>, name: &str) -> Addresses {
        let running = self.running().get(name).cloned();
        let mut answer = match running {
            Some(running) => running,
            None => {
                let permits = (
                    self.permit(&self.session, OF_SESSION, true).await?,
                    self.permit(&self.process, OF_PROCESS, false).await?,
                );
                self.begin(name, permits)?
            }
        };
        match answer.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(addresses)) => addresses.clone(),
            _ => Err(LookupProblem::Failed(Arc::new(io::Error::other("the look-up panicked")))),
        }
    }

    async fn permit(
        &self,
        of: &Arc<Semaphore>,
        limit: usize,
        of_session: bool,
    ) -> Result<OwnedSemaphorePermit, LookupProblem> {
        match timeout(self.patience, of.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            // No semaphore is ever closed.
            Ok(Err(_)) | Err(_) => Err(LookupProblem::TooMany { limit, of_session }),
        }
    }

    /// Begins a look-up, unless another began while this one waited. It holds its permits until it
    /// ends.
    fn begin(
        self: &Arc<Self>,
        name: &str,
        permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    ) -> Result<watch::Receiver<Option<Addresses>>, LookupProblem> {
        let mut running = self.running();
        let vacant = match running.entry(name.to_owned()) {
            Entry::Occupied(begun) => return Ok(begun.get().clone()),
            Entry::Vacant(vacant) => vacant,
        };
        let (ended, answer) = watch::channel(None);
        let (lookups, name) = (self.clone(), name.to_owned());
        let resolve = move || {
            let addresses = (lookups.ask)(&name);
            lookups.running().remove(&name);
            ended.send_replace(Some(addresses.map(Into::into).map_err(|e| LookupProblem::Failed(e.into()))));
            drop(permits);
        };
        let thread = thread::Builder::new().name("lookup".to_owned()).spawn(resolve);
        thread.map_err(|error| LookupProblem::Failed(Arc::new(error)))?;
        vacant.insert(answer.clone());
        Ok(answer)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Option<Addresses>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups").field("running", &self.running().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Condvar;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A name server that answers no name until it is told to.
    struct Slow {
        answers: Mutex<bool>,
        told: Condvar,
        asked: AtomicUsize,
    }

    static SLOW: [Slow; 2] = [const { Slow::new() }; 2];

    impl Slow {
        const fn new() -> Self {
            Self { answers: Mutex::new(false), told: Condvar::new(), asked: AtomicUsize::new(0) }
        }

        fn ask(&self) -> io::Result<Vec<SocketAddr>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            drop(self.told.wait_while(self.answers.lock().unwrap(), |answers| !*answers).unwrap());
            Ok(vec![SocketAddr::from(([192, 0, 2, 1], 0))])
        }

        fn answer(&self) {
            *self.answers.lock().unwrap() = true;
            self.told.notify_all();
        }
    }

    fn lookups(session: usize, patience: Duration, ask: Ask) -> Arc<Lookups> {
        let process = Arc::new(Semaphore::new(2));
        let session = Arc::new(Semaphore::new(session));
        Arc::new(Lookups { session, process, ask, ..Lookups::new(patience) })
    }

    #[tokio::test]
    async fn a_look_up_that_was_given_up_on_counts_until_it_ends() {
        let lookups = lookups(2, Duration::from_millis(10), |_| SLOW[0].ask());
        for name in ["a.example", "b.example"] {
            assert!(timeout(Duration::from_millis(10), lookups.addresses(name)).await.is_err());
        }
        let problem = lookups.addresses("c.example").await.unwrap_err();
        assert!(matches!(problem, LookupProblem::TooMany { of_session: true, .. }), "{problem}");
        assert_eq!(SLOW[0].asked.load(Ordering::Relaxed), 2);
        SLOW[0].answer();
        // They end now, and make room.
        while lookups.addresses("c.example").await.is_err() {}
    }

    #[tokio::test]
    async fn a_name_is_resolved_once_for_all_who_wait() {
        let lookups = lookups(1, Duration::from_secs(60), |_| SLOW[1].ask());
        let ask = || {
            let lookups = lookups.clone();
            tokio::spawn(async move { lookups.addresses("a.example").await.unwrap().len() })
        };
        let waiting = [ask(), ask(), ask()];
        while SLOW[1].asked.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        SLOW[1].answer();
        for addresses in waiting {
            assert_eq!(addresses.await.unwrap(), 1);
        }
        assert_eq!(SLOW[1].asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn the_process_has_a_limit_of_its_own() {
        let lookups = lookups(1, Duration::from_millis(10), |_| Ok(Vec::new()));
        assert!(lookups.addresses("a.example").await.is_ok());
        let _held = lookups.process.clone().acquire_many_owned(2).await.unwrap();
        let problem = lookups.addresses("a.example").await.unwrap_err();
        assert_eq!(
            problem.to_string(),
            "256 other names of this process are being resolved, which is as many as may be"
        );
    }
}
