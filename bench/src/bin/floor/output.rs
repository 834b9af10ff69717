//! Writes standard output on a separate thread, as the host does.

use std::io::Write as _;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// The most items waiting to be written, as in the host.
const WAITING: usize = 4;

/// The sending half of the writer.
pub(crate) struct Output<T> {
    sender: SyncSender<T>,
    writer: JoinHandle<std::io::Result<()>>,
}

impl<T: Send + 'static> Output<T> {
    /// Starts the thread. `render` appends an item's bytes to the buffer.
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

    /// Queues an item; blocks while the queue is full.
    pub(crate) fn send(&self, thing: T) -> Result<(), String> {
        self.sender.send(thing).map_err(|_| "the output is closed".to_owned())
    }

    /// Waits until everything is written.
    pub(crate) fn finish(self) -> Result<(), String> {
        drop(self.sender);
        let written = self.writer.join().map_err(|_| "the writer panicked".to_owned())?;
        written.map_err(|error| error.to_string())
    }
}
