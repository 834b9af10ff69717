//! Defines the readers under comparison and their command lines.

use std::process::{ChildStdout, Command};

use mock_orb::DEFAULT_API_KEY;

use crate::messages::Messages;
use crate::task::Task;
use crate::tools::Tools;

/// One way to read a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    /// The command that runs a task; `None` if the reader is not installed.
    pub(crate) command: fn(&Tools, &Task) -> Option<Command>,
    /// Counts the reader's output.
    pub(crate) take: fn(ChildStdout) -> std::io::Result<Messages>,
}

/// What this project ships.
pub(crate) const HOST: Candidate = Candidate {
    name: "host run orb.wasm",
    command: |tools, task| {
        let mut command = Command::new(&tools.host);
        command.arg("run").arg(&tools.component).args(["read", "--no-progress"]);
        command.arg("--config").arg(&task.config).arg("--catalog").arg(&task.catalog);
        if let Some(state) = &task.state {
            command.arg("--state").arg(state);
        }
        if let Some(certificate) = &task.certificate {
            command.arg("--ca-cert").arg(certificate);
        }
        Some(command)
    },
    take: |output| Messages::read(output),
};

/// The same code in the same host, without a sandbox.
pub(crate) const NATIVE: Candidate = Candidate {
    name: "native in the host, no sandbox",
    command: |tools, task| Some(floor("native", tools, task)),
    take: |output| Messages::read(output),
};

/// The same code without the host: nothing is checked or redacted.
pub(crate) const ALONE: Candidate = Candidate {
    name: "native alone, unchecked",
    command: |tools, task| Some(floor("alone", tools, task)),
    take: |output| Messages::read(output),
};

fn floor(kind: &str, tools: &Tools, task: &Task) -> Command {
    let mut command = Command::new(&tools.floor);
    command.args([kind, "--stream", task.stream, "--config"]).arg(&task.config);
    command
}

/// The lower bound: the same bytes, received and written.
pub(crate) const BARE: Candidate = Candidate {
    name: "bare client",
    command: |tools, task| {
        let mut command = Command::new(&tools.floor);
        command.args(["bare", "--api-key", DEFAULT_API_KEY, "--urls"]).arg(&task.urls);
        Some(command)
    },
    take: |output| Messages::count(output),
};

/// What people use today.
pub(crate) const PUBLISHED: Candidate = Candidate {
    name: "airbyte-source-orb 1.2.4",
    command: |tools, task| {
        let (python, program) = tools.published.as_ref()?;
        let mut command = Command::new(python);
        command.arg(program).arg("read").env("ORB_URL", &task.url);
        command.arg("--config").arg(&task.config).arg("--catalog").arg(&task.catalog);
        Some(command)
    },
    take: |output| Messages::read(output),
};
