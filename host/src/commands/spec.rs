//! `spec`: a component comes in, what it says of itself goes out.

use host::{Message, Outbox};

use super::connector::load;
use super::outcome::Stop;
use crate::cli::{Origin, Sandbox};

/// Tells what the connector says of itself.
pub(crate) async fn spec(component: &Origin, sandbox: &Sandbox, outbox: &Outbox) -> Result<(), Stop> {
    let specification = load(component, sandbox, outbox)?.spec().await?;
    Ok(outbox.send(Message::Spec(specification)).await?)
}
