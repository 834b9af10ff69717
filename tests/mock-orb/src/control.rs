//! Answers lines on standard input, and tells when the program must stop.

use std::io::{self, BufRead as _};
use std::sync::Arc;

use cpu_time::ProcessTime;
use mock_orb::{Applied, MockOrb, RecordError};
use tokio::sync::oneshot;

/// Answers each line on standard input. The returned receiver resolves when the input ends.
pub(crate) fn listen(orb: &Arc<MockOrb>) -> oneshot::Receiver<()> {
    let (closed, stdin_closed) = oneshot::channel();
    let orb = Arc::downgrade(orb);
    // A separate thread, because reading standard input cannot be cancelled.
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let Some(orb) = orb.upgrade() else { break };
            let mutated = match line.strip_prefix("mutate ") {
                Some(text) => describe_all(orb.mutate(text).unwrap_or_else(|error| vec![Err(error)])),
                None if line == "mutations" => describe_all(orb.mutations()),
                None => String::new(),
            };
            announce(&counts(&orb, &mutated));
        }
        drop(closed);
    });
    stdin_closed
}

/// Describes what was applied and what was refused as fields of an object.
fn describe_all(outcomes: Vec<Result<Applied, RecordError>>) -> String {
    let (applied, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    let texts = |texts: Vec<String>| serde_json::Value::from(texts);
    let applied = texts(applied.into_iter().flatten().map(|applied| applied.to_string()).collect());
    let refused = refused.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
    format!(r#","applied":{applied},"refused_mutations":{}"#, texts(refused))
}

fn counts(orb: &MockOrb, mutated: &str) -> String {
    let seconds = ProcessTime::now().as_duration().as_secs_f64();
    let (requests, refused, connections) = (orb.request_count(), orb.refused_count(), orb.connections());
    format!(
        r#"{{"requests":{requests},"refused":{refused},"connections":{connections},"processor_seconds":{seconds}{mutated}}}"#
    )
}

/// Waits for the end of standard input, if it counts, or a signal.
pub(crate) async fn told_to_stop(stdin_closed: Option<oneshot::Receiver<()>>) -> io::Result<()> {
    let stdin_closed = async {
        match stdin_closed {
            Some(closed) => closed.await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        terminated = terminated() => terminated,
        _ = stdin_closed => Ok(()),
    }
}

#[cfg(unix)]
async fn terminated() -> io::Result<()> {
    let mut signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    signal.recv().await;
    Ok(())
}

#[cfg(not(unix))]
async fn terminated() -> io::Result<()> {
    std::future::pending().await
}

/// Prints a line for whoever started the program.
#[expect(clippy::print_stdout, reason = "prints the base URL and requested counts")]
pub(crate) fn announce(line: &str) {
    println!("{line}");
}
