//! Locates the programs to measure.

use std::path::{Path, PathBuf};

use clap::Args;

/// Where to find them.
#[derive(Debug, Args)]
pub(crate) struct Places {
    /// Cargo's target directory.
    #[arg(long, value_name = "DIR", default_value = "target")]
    target: PathBuf,

    /// A Python with airbyte-source-orb; without it, that candidate is skipped.
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,

    /// A program for that Python that runs airbyte-source-orb against the server in `ORB_URL`.
    #[arg(long, value_name = "FILE", default_value = "tests/conformance/published.py")]
    published: PathBuf,
}

/// The programs.
#[derive(Debug)]
pub(crate) struct Tools {
    /// The host.
    pub(crate) host: PathBuf,
    /// The component.
    pub(crate) component: PathBuf,
    /// The host and the component in one executable.
    pub(crate) bundle: PathBuf,
    /// The server.
    pub(crate) mock_orb: PathBuf,
    /// The same connector without a sandbox.
    pub(crate) floor: PathBuf,
    /// The interpreter and the program that run airbyte-source-orb.
    pub(crate) published: Option<(PathBuf, PathBuf)>,
}

impl Tools {
    /// Looks for the programs.
    ///
    /// # Errors
    ///
    /// If one of the programs is missing.
    pub(crate) fn find(places: &Places) -> Result<Tools, String> {
        let built = |path: &str| places.target.join(path);
        let tools = Tools {
            host: built("release/host"),
            component: built("wasm32-wasip2/component/orb.wasm"),
            bundle: built("bundle/source-orb"),
            mock_orb: built("release/mock-orb"),
            floor: built("release/floor"),
            published: places.python.clone().map(|python| (python, places.published.clone())),
        };
        let files = [&tools.host, &tools.component, &tools.bundle, &tools.mock_orb, &tools.floor];
        let published = tools.published.iter().flat_map(|(python, program)| [python, program]);
        let missing: Vec<String> = files
            .into_iter()
            .chain(published)
            .filter(|file| !file.exists())
            .map(|file| Path::display(file).to_string())
            .collect();
        if missing.is_empty() {
            return Ok(tools);
        }
        Err(format!("{} must be built or installed first; `make bench` does that", missing.join(", ")))
    }
}
