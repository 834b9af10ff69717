//! The flags of what a connector may reach, and by which way.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use host::{AllowedHosts, HostPattern, Network, Proxy, Result, SealedConfig, Specification};

/// What a connector may reach
#[derive(Args, Debug)]
#[command(next_help_heading = "Network and secrets")]
pub(crate) struct NetworkFlags {
    /// Let the connector reach this host, and not those it asks for; may be repeated
    ///
    /// `https` and its port unless written; `*.example.com` stands for every host below example.com.
    #[arg(long, value_name = "[SCHEME://]HOST[:PORT]", global = true)]
    pub(crate) allow_host: Vec<HostPattern>,

    /// Let the hosts that --allow-host names be in a private network, or on this machine
    #[arg(long, global = true)]
    pub(crate) allow_private_net: bool,

    /// Give the connector the secrets of the configuration, in place of tokens that stand for them
    #[arg(long, global = true)]
    pub(crate) expose_secrets: bool,

    /// Trust the certificates in this PEM file too, besides those that the system trusts; may be repeated
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) ca_cert: Vec<PathBuf>,

    /// Go through this proxy, through those that the environment names, or none [default: none]
    ///
    /// `env` is `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower case.
    /// It is the default of a program that `host bundle` wrote.
    #[arg(long, value_name = "URL|env|none", global = true, value_parser = ProxyParser)]
    pub(crate) proxy: Option<Proxy>,
}

impl NetworkFlags {
    /// The hosts that are granted, or else those that the connector asks for.
    pub(crate) fn allowed(
        &self,
        specification: &Specification,
        config: &SealedConfig,
    ) -> Result<AllowedHosts> {
        if self.allow_host.is_empty() {
            return AllowedHosts::requested(specification, config);
        }
        Ok(AllowedHosts::granted(self.allow_host.clone(), self.allow_private_net))
    }

    /// The way to them. `heeds_environment` says whether proxies and certificates that the
    /// environment names count where no flag says otherwise.
    pub(crate) fn network(&self, heeds_environment: bool) -> Result<Network> {
        let network =
            if heeds_environment { Network::of_environment() } else { Network::beside_environment() };
        let network = self.ca_cert.iter().try_fold(network, |network, path| network.trust(path))?;
        Ok(match &self.proxy {
            Some(proxy) => network.through(proxy.clone()),
            None => network,
        })
    }
}

/// Reads a proxy. What is wrong is told without quoting it, as clap would: it may hold a password.
#[derive(Clone, Copy, Debug)]
struct ProxyParser;

impl TypedValueParser for ProxyParser {
    type Value = Proxy;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> std::result::Result<Proxy, clap::Error> {
        value.to_string_lossy().parse().map_err(|error: host::Error| {
            let problem = format!("{} (--proxy)\n", error.message());
            clap::Error::raw(ErrorKind::ValueValidation, problem).with_cmd(command)
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::Cli;

    #[test]
    fn a_proxy_that_is_wrong_is_not_quoted() {
        let parse = |proxy| Cli::try_parse_from(["host", "run", "orb.wasm", "spec", "--proxy", proxy]);
        for wrong in ["ftp://user:secret@proxy", "socks5://user:secret@proxy", "http://user:1/secret@proxy"] {
            let error = parse(wrong).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let text = error.to_string();
            assert!(text.starts_with("error: the proxy ") && !text.contains("secret"), "{text}");
        }
        assert!(parse("env").is_ok() && parse("none").is_ok() && parse("http://user:pw@proxy:1").is_ok());
    }
}
