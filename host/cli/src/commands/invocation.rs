//! What every command of a connector needs: the component, its sandbox, and the channel for
//! messages.

use std::path::Path;

use elt_airbyte::{Sender, Source, load_config, reporting_to};
use elt_host::events::Level;
use elt_host::excerpt::few;
use elt_host::types::Specification;
use elt_host::{Cache, Config, Connector, Disclosure, Engine, Policy, Result};

use crate::advice::with_flag;
use crate::args::{ComponentSource, Sandbox};

/// A component that is run by the flags of a command line, and reports to a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Invocation<'a> {
    pub(crate) component: &'a ComponentSource,
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) sender: &'a Sender,
}

/// A loaded connector that was asked for its specification, and what the flags allow it.
#[derive(Debug)]
pub(crate) struct Loaded<'a> {
    pub(crate) connector: Connector,
    pub(crate) specification: Specification,
    policy: Policy,
    invocation: Invocation<'a>,
}

impl<'a> Invocation<'a> {
    /// Loads the connector and asks it for its specification.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read or is not a connector, if its specification is not the
    /// pinned one, or if a flag names a file that cannot be used.
    pub(crate) async fn load(self) -> Result<Loaded<'a>> {
        // The environment of a bundle is its operator's own. That of a shell belongs to everything
        // that runs there.
        let policy = self.sandbox.network.policy(matches!(self.component, ComponentSource::Bundle(_)))?;
        let engine = engine(self.sandbox)?;
        let connector = match self.component {
            ComponentSource::File(path) => engine.load(path).await.map_err(with_flag)?,
            ComponentSource::Bundle(bundle) => {
                let (connector, notice) = bundle.load(&engine).await.map_err(with_flag)?;
                if let Some(notice) = notice {
                    self.sender.log(Level::Info, notice).await;
                }
                connector
            }
        };
        let connector = reporting_to(connector, self.sender);
        let specification = connector.spec().await.map_err(with_flag)?;
        if let Some(pinned) = &self.sandbox.network.pin_spec {
            pinned.check(&specification)?;
        }
        Ok(Loaded { connector, specification, policy, invocation: self })
    }

    /// Whether the user decided that secrets may go to the hosts that the connector names: by
    /// bundling it, pinning its specification, or trusting it.
    fn is_trusted(&self) -> bool {
        let network = &self.sandbox.network;
        network.trust || network.pin_spec.is_some() || matches!(self.component, ComponentSource::Bundle(_))
    }

    /// Loads the connector and opens a session with the config at `path`.
    ///
    /// # Errors
    ///
    /// Those of both.
    pub(crate) async fn open(self, path: &Path) -> Result<Source> {
        // The config first: a mistake in it is found before anything is compiled.
        let config = load_config(path)?;
        self.load().await?.configure(config).await
    }
}

impl Loaded<'_> {
    /// Opens a session with a config.
    ///
    /// # Errors
    ///
    /// A config error that names what is wrong with the config.
    pub(crate) async fn configure(self, config: Config) -> Result<Source> {
        let Invocation { sandbox, sender, .. } = self.invocation;
        let session = self.connector.configure(config).policy(self.policy);
        let source = Source::open(session, sender).await?;
        if sandbox.network.expose_secrets {
            let warning = "the connector is given the secrets of the config as they are (--expose-secrets), \
                           and may do with them what it likes";
            sender.log(Level::Warn, warning).await;
        }
        if !self.invocation.is_trusted()
            && let Some(warning) = disclosure_line(source.disclosure(), &self.specification)
        {
            sender.log(Level::Warn, warning).await;
        }
        for property in source.unmasked_secrets() {
            let warning = format!(
                "the secret `{property}` is too short or too plain to be told from other text, so it is hidden in log \
                 lines and errors only, and not in records"
            );
            sender.log(Level::Warn, warning).await;
        }
        Ok(source)
    }

    /// Opens a session for a look at the connector, with a config that need not be valid.
    ///
    /// # Errors
    ///
    /// A config error if a host that the connector asks for cannot be made of the config.
    pub(crate) async fn configure_sample(self, config: Config) -> Result<Source> {
        let session = self.connector.configure(config).policy(self.policy).without_validation();
        Source::open(session, self.invocation.sender).await
    }
}

/// Secrets and hosts that a warning names at most.
const NAMED: usize = 5;

/// Says which secrets may go to which hosts that only the connector named. `None` if there are
/// none.
fn disclosure_line(disclosure: &Disclosure, specification: &Specification) -> Option<String> {
    if disclosure.is_empty() {
        return None;
    }
    let secrets = few(disclosure.secrets().iter().map(|property| format!("`{property}`")), NAMED);
    let hosts = few(disclosure.hosts(), NAMED);
    let digest = specification.digest();
    Some(format!(
        "secrets of the config ({secrets}) may be sent to {hosts}, because the connector asks for it; if that is \
         right, --pin-spec {digest} allows it to this specification alone, and --trust to any"
    ))
}

/// The engine by the flags of its sandbox.
///
/// # Errors
///
/// A config error if the cache directory cannot be used, a system error if the engine cannot be set
/// up.
pub(crate) fn engine(sandbox: &Sandbox) -> Result<Engine> {
    let cache = match &sandbox.cache_dir {
        _ if sandbox.no_cache => Cache::none(),
        // An isolated process keeps no code, so a directory that is not there is not made either.
        Some(directory) if sandbox.isolation.isolate && !directory.exists() => Cache::none(),
        Some(directory) => Cache::at(directory)?,
        None => Cache::of_user(),
    };
    Engine::builder().cache(cache).limits(sandbox.limits.limits()).build()
}
