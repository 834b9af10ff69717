//! Standard output, written by a thread of its own as in the host: things in, their bytes out.

use std::io::Write as _;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Things that wait to be written at most, as in the host.
const WAITING: usize = 4;

/// Where things to write are put.
pub(crate) struct Output<T> {
    sender: SyncSender<T>,
    writer: JoinHandle<std::io::Result<()>>,
}

impl<T: Send + 'static> Output<T> {
    /// Starts the thread. `render` makes bytes of a thing.
    pub(crate) fn start(render: impl Fn(&mut Vec<u8>, T) + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel::<T>(WAITING);
        let writer = std::thread::spawn(move || {
            let (mut stdout, mut bytes) = (std::io::stdout().lock(), Vec::new());
            for thing in receiver {
                bytes.clear();
                render(&mut bytes, thing);
                stdout.write_all(&bytes)?;
            }
            stdout.flush()
        });
        Self { sender, writer }
    }

    /// Waits until there is room, and puts a thing in.
    pub(crate) fn send(&self, thing: T) -> Result<(), String> {
        self.sender.send(thing).map_err(|_| "nobody reads the output".to_owned())
    }

    /// Waits until everything is written.
    pub(crate) fn finish(self) -> Result<(), String> {
        drop(self.sender);
        let written = self.writer.join().map_err(|_| "the writer panicked".to_owned())?;
        written.map_err(|error| error.to_string())
    }
}
