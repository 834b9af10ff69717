//! Where a sync reads from: the seam at which tests put a script in the place of a connector.

use crate::catalog::ConfiguredStream;
use elt_host::Batch;
use elt_host::JsonObject;
use elt_host::Result;
use crate::source::{Reader, Source};

/// Streams that can be read.
pub trait Streams: Send + Sync + 'static {
    /// A read of one stream under way.
    type Reader: Batches + Send;

    /// Opens a read of one stream, continuing from `state` if given.
    fn read(
        &self,
        stream: &ConfiguredStream,
        state: Option<&JsonObject>,
    ) -> impl Future<Output = Result<Self::Reader>> + Send;
}

/// A read of one stream under way.
pub trait Batches {
    /// The next records, or none at the end of the stream.
    fn next_batch(&mut self) -> impl Future<Output = Result<Option<Batch>>> + Send;
}

impl Streams for Source {
    type Reader = Reader;

    async fn read(&self, stream: &ConfiguredStream, state: Option<&JsonObject>) -> Result<Reader> {
        self.read(stream, state).await
    }
}

impl Batches for Reader {
    async fn next_batch(&mut self) -> Result<Option<Batch>> {
        self.next_batch().await
    }
}
