//! `discover`: a config comes in, the streams that can be read with it go out.

use std::path::Path;

use host::{Config, Message, Outbox};

use super::connector::{configure, load};
use super::outcome::Stop;
use crate::cli::{Origin, Sandbox};

/// Tells which streams there are.
pub(crate) async fn discover(
    component: &Origin,
    sandbox: &Sandbox,
    config: &Path,
    outbox: &Outbox,
) -> Result<(), Stop> {
    let config = Config::load(config)?;
    let connector = load(component, sandbox, outbox)?;
    let source = configure(sandbox, &connector, &connector.spec().await?, &config, outbox).await?;
    Ok(outbox.send(Message::Catalog(source.discover().await?)).await?)
}
