//! Downloads URLs and writes their bodies, without parsing them.

use std::path::Path;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::runtime::Builder;

use crate::client::{body, client};
use crate::output::Output;

/// Fetches every URL in a file, with at most this many requests in flight.
pub(crate) fn read(urls: &Path, api_key: &str, concurrency: usize) -> Result<(), String> {
    let urls = std::fs::read_to_string(urls).map_err(|error| format!("{}: {error}", urls.display()))?;
    let (client, authorization) = (client()?, format!("Bearer {api_key}"));
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let output = Output::start(|out, body: Vec<u8>| out.extend_from_slice(&body));
    let answer = |url: &str| {
        let request = client.get(url).header("authorization", &authorization).send();
        tokio::spawn(async move { body(request.await?.error_for_status()?).await })
    };
    let read = async {
        let answers = stream::iter(urls.lines()).map(answer).buffer_unordered(concurrency);
        answers
            .map(|answer| answer.map_err(|error| error.to_string())?.map_err(|error| error.to_string()))
            .try_for_each(|body| async { output.send(body) })
            .await
    };
    runtime.block_on(read)?;
    output.finish()
}
