//! Handles signals that ask the process to end: the output is completed first, then the process
//! ends by the signal, as its sender expects.

use std::io::{self, Write as _};

/// A signal that was received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signal {
    #[cfg(unix)]
    number: i32,
    /// Its name.
    pub(crate) name: &'static str,
}

#[cfg(unix)]
mod platform {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use tokio::signal::unix::{SignalKind, signal};

    use super::Signal;

    /// Waits for SIGINT or SIGTERM, which do not end the process any more once this is polled.
    pub(crate) async fn received() -> Signal {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            // They end the process as they would without a handler.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => Signal { number: SIGINT, name: "SIGINT" },
            _ = terminate.recv() => Signal { number: SIGTERM, name: "SIGTERM" },
        }
    }

    /// Ends the process as the signal would have.
    pub(crate) fn end(signal: Signal) -> ! {
        // The kernel does not deliver unhandled signals to the first process of a container, so the
        // process would abort instead. It ends with the exit code by which shells report a signal.
        if std::process::id() == 1 {
            std::process::exit(128 + signal.number);
        }
        // Returns only for signals that end nothing by default.
        let _ = signal_hook::low_level::emulate_default_handler(signal.number);
        std::process::abort()
    }
}

#[cfg(not(unix))]
mod platform {
    use super::Signal;

    pub(crate) async fn received() -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal { name: "Ctrl-C" },
            Err(_) => std::future::pending().await,
        }
    }

    pub(crate) fn end(_: Signal) -> ! {
        std::process::exit(130)
    }
}

pub(crate) use self::platform::received;

/// Says so on stderr, and ends the process by `signal`.
pub(crate) fn end_by(signal: Signal) -> ! {
    let _ = writeln!(io::stderr(), "error: stopped by {}", signal.name);
    platform::end(signal)
}
