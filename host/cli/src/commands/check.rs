//! `check`: a config comes in, whether the source can be reached with it goes out.

use std::path::Path;

use host::{Config, FailureType, Level, Message, Sender};

use super::connector::{configure, load};
use super::outcome::Stop;
use crate::args::{ComponentSource, Sandbox};

/// Tells whether the source can be reached.
pub(crate) async fn check(
    component: &ComponentSource,
    sandbox: &Sandbox,
    config: &Path,
    sender: &Sender,
) -> Result<(), Stop> {
    let config = Config::load(config)?;
    let connector = load(component, sandbox, sender)?;
    let specification = connector.spec().await?;
    let checked = match configure(sandbox, &connector, &specification, &config, sender).await {
        Ok(source) => source.check().await,
        Err(error) => Err(error),
    };
    let status = match checked {
        Ok(()) => Ok(()),
        // Neither a defect nor an API that is down says anything about the config.
        Err(error) if error.failure_type() != FailureType::Config => return Err(error.into()),
        Err(error) => {
            if let Some(internal) = error.internal_message() {
                sender.log(Level::Debug, internal).await;
            }
            Err(error.message().to_owned())
        }
    };
    Ok(sender.send(Message::ConnectionStatus(status)).await?)
}
