//! `check`: emits whether the source can be reached with a config.

use std::path::Path;

use elt_airbyte::{Message, load_config};
use elt_host::FailureType;
use elt_host::events::Level;

use super::invocation::Invocation;
use super::outcome::Stop;

pub(crate) async fn check(invocation: Invocation<'_>, config: &Path) -> Result<(), Stop> {
    let config = load_config(config)?;
    // What fails before the config is looked at says nothing about it.
    let loaded = invocation.load().await?;
    let checked = match loaded.configure(config).await {
        Ok(source) => source.check().await,
        Err(error) => Err(error),
    };
    let status = match checked {
        Ok(()) => Ok(()),
        // Neither a defect nor an API that is down says anything about the config.
        Err(error) if error.failure_type() != FailureType::Config => return Err(error.into()),
        Err(error) => {
            if let Some(internal) = error.internal_message() {
                invocation.sender.log(Level::Debug, internal).await;
            }
            Err(error.message().to_owned())
        }
    };
    Ok(invocation.sender.send(Message::ConnectionStatus(status)).await?)
}
