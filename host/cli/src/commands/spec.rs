//! `spec`: a component comes in, what it says of itself goes out.

use host::{Message, Sender};

use super::connector::load;
use super::outcome::Stop;
use crate::args::{ComponentSource, Sandbox};

/// Tells what the connector says of itself.
pub(crate) async fn spec(component: &ComponentSource, sandbox: &Sandbox, sender: &Sender) -> Result<(), Stop> {
    let specification = load(component, sandbox, sender)?.spec().await?;
    Ok(sender.send(Message::Spec(specification)).await?)
}
