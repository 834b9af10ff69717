//! `spec`: emits what the connector says about itself, and shows a person the digest of it.

use std::io::{self, IsTerminal as _, Write as _};

use elt_airbyte::Message;

use super::invocation::Invocation;
use super::outcome::Stop;

pub(crate) async fn spec(invocation: Invocation<'_>) -> Result<(), Stop> {
    let specification = invocation.load().await?.specification;
    if io::stderr().is_terminal() {
        // If the terminal is gone, nobody can read this.
        let _ = writeln!(io::stderr(), "the specification has the digest {}", specification.digest());
    }
    Ok(invocation.sender.send(Message::Spec(specification)).await?)
}
