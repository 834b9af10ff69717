//! `spec`: emits what the connector says about itself.

use elt_airbyte::Message;

use super::invocation::Invocation;
use super::outcome::Stop;

pub(crate) async fn spec(invocation: Invocation<'_>) -> Result<(), Stop> {
    let specification = invocation.load().await?.specification;
    Ok(invocation.sender.send(Message::Spec(specification)).await?)
}
