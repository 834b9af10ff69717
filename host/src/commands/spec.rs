//! `spec`: a component comes in, what it says of itself goes out.

use std::path::Path;

use host::{Message, Outbox};

use super::connector::load;
use super::outcome::Stop;
use crate::cli::Sandbox;

/// Tells what the connector says of itself.
pub(crate) async fn spec(component: &Path, sandbox: &Sandbox, outbox: &Outbox) -> Result<(), Stop> {
    let specification = load(component, sandbox, outbox)?.spec().await?;
    Ok(outbox.send(Message::Spec(specification)).await?)
}
