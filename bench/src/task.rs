//! Defines a task, and writes the files that describe it to each candidate.

use std::fs;
use std::path::PathBuf;

use mock_orb::DEFAULT_API_KEY;
use serde_json::json;
use tempfile::TempDir;

use crate::Result;
use crate::server::Server;

/// The whole account; its first record is from 2024.
pub(crate) const EVER: Timeframe = ("2020-01-01T00:00:00Z", None);
/// The week before the account's "now".
pub(crate) const LAST_WEEK: Timeframe = ("2024-12-25T00:00:00Z", Some("2025-01-01T00:00:00Z"));

/// `start_date` and `end_date`.
pub(crate) type Timeframe = (&'static str, Option<&'static str>);

/// One stream of one account.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) stream: &'static str,
    pub(crate) url: String,
    pub(crate) config: PathBuf,
    pub(crate) catalog: PathBuf,
    /// The state to resume from.
    pub(crate) state: Option<PathBuf>,
    /// The server's certificate, if any.
    pub(crate) certificate: Option<PathBuf>,
    /// The URLs that the connector requests, one per line; written by the warm-up.
    pub(crate) urls: PathBuf,
    folder: TempDir,
}

impl Task {
    /// Creates a task that reads `stream` from `server`.
    ///
    /// # Errors
    ///
    /// If the files cannot be written.
    pub(crate) fn new(server: &Server, stream: &'static str, (start, end): Timeframe) -> Result<Task> {
        let folder = TempDir::new()?;
        let path = |name: &str| folder.path().join(name);
        let mut config = json!({ "api_key": DEFAULT_API_KEY, "api_url": server.url(), "start_date": start });
        if let Some(end) = end {
            config["end_date"] = end.into();
        }
        let modes = ["full_refresh", "incremental"];
        let streams = json!([{
            "stream": { "name": stream, "json_schema": {}, "supported_sync_modes": modes },
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
        }]);
        fs::write(path("config.json"), config.to_string())?;
        fs::write(path("catalog.json"), json!({ "streams": streams }).to_string())?;
        Ok(Task {
            stream,
            url: server.url().to_owned(),
            config: path("config.json"),
            catalog: path("catalog.json"),
            state: None,
            certificate: server.certificate(),
            urls: path("urls"),
            folder,
        })
    }

    /// Resumes from a state.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn continued(mut self, state: &str) -> Result<Task> {
        let path = self.folder.path().join("state.json");
        fs::write(&path, state)?;
        self.state = Some(path);
        Ok(self)
    }
}
