//! A connector as the flags want it: a component and flags come in, something that can be asked and read goes out.

use std::path::Path;

use host::{Cache, Config, Connector, Level, Outbox, Result, Source, Specification};

use crate::cli::Sandbox;

/// Compiles the component, or takes what was compiled of it.
pub(crate) fn load(component: &Path, sandbox: &Sandbox, outbox: &Outbox) -> Result<Connector> {
    let network = sandbox.network.network()?;
    let connector = Connector::load(component, sandbox.limits.limits(), cache(sandbox)?)?;
    Ok(connector.network(network).log_to(outbox.clone()))
}

/// Where compiled code is kept, by the flags.
pub(crate) fn cache(sandbox: &Sandbox) -> Result<Cache> {
    match &sandbox.cache_dir {
        _ if sandbox.no_cache => Ok(Cache::none()),
        Some(directory) => Cache::at(directory),
        None => Ok(Cache::of_user()),
    }
}

/// Gives the connector its configuration with its secrets sealed, and the hosts that the flags grant or else those that
/// it asks for.
pub(crate) async fn configure(
    sandbox: &Sandbox,
    connector: &Connector,
    specification: &Specification,
    config: &Config,
    outbox: &Outbox,
) -> Result<Source> {
    config.validate(specification)?;
    let config = if sandbox.network.expose_secrets {
        outbox
            .log(
                Level::Warn,
                "the connector is given the secrets of the configuration as they are (--expose-secrets), \
                 and may do with them what it likes",
            )
            .await;
        config.expose(specification)?
    } else {
        config.seal(specification)?
    };
    let allowed = sandbox.network.allowed(specification, &config)?;
    Ok(connector.source(config, allowed))
}
