//! A connector as the flags want it: a component and flags come in, something that can be asked and read goes out.

use host::{Cache, Config, Connector, Level, Outbox, Result, Source, Specification};

use crate::cli::{Origin, Sandbox};

/// The connector as a command runs it: by its network, and heard.
pub(crate) fn load(component: &Origin, sandbox: &Sandbox, outbox: &Outbox) -> Result<Connector> {
    // The environment of a program that is a connector is its operator's own; that of a shell is
    // everything's.
    let network = sandbox.network.network(matches!(component, Origin::Bundle(_)))?;
    Ok(open(component, sandbox)?.network(network).log_to(outbox.clone()))
}

/// Compiles the component, or takes what was compiled of it.
pub(crate) fn open(component: &Origin, sandbox: &Sandbox) -> Result<Connector> {
    let limits = sandbox.limits.limits();
    match component {
        Origin::File(path) => Connector::load(path, limits, &cache(sandbox)?),
        Origin::Bundle(bundle) => Connector::from_bundle(bundle, limits),
    }
}

/// Where compiled code is kept, by the flags.
fn cache(sandbox: &Sandbox) -> Result<Cache> {
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
    for property in config.unsearched() {
        let text = format!(
            "the secret `{property}` is too short or too plain to be told from other text, so it is hidden in log \
             lines and errors only, and not in records"
        );
        outbox.log(Level::Warn, text).await;
    }
    let allowed = sandbox.network.allowed(specification, &config)?;
    Ok(connector.source(config, allowed))
}
