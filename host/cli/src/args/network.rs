//! The flags of what a connector may reach and see.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use elt_host::policy::{HostPattern, Network, Proxy};
use elt_host::types::Specification;
use elt_host::{Error, Policy, Result};

/// What a connector may reach
#[derive(Args, Debug)]
#[command(next_help_heading = "Network and secrets")]
pub(crate) struct NetworkFlags {
    /// Allow this host, and not those that the connector asks for; may be repeated
    ///
    /// The scheme is `https` by default, and the port is that of the scheme. `*.example.com` allows
    /// every host below example.com.
    #[arg(long, value_name = "[SCHEME://]HOST[:PORT]", global = true, value_parser = HostParser)]
    pub(crate) allow_host: Vec<HostPattern>,

    /// Let the hosts of --allow-host have addresses of a private network or of this machine
    #[arg(long, global = true)]
    pub(crate) allow_private_net: bool,

    /// Run the connector only if its specification has this digest, as `inspect` shows it
    ///
    /// The digest covers everything that the specification says: the hosts that the connector asks
    /// for, and which properties of the config are secrets. Secrets then go to those hosts
    /// without a warning.
    #[arg(long, value_name = "sha256:DIGITS", global = true)]
    pub(crate) pin_spec: Option<SpecDigest>,

    /// Let secrets go to the hosts that the connector asks for, whatever they are, without a
    /// warning
    #[arg(long, global = true)]
    pub(crate) trust: bool,

    /// Give the connector the secrets of the config instead of tokens
    #[arg(long, global = true)]
    pub(crate) expose_secrets: bool,

    /// Also trust the certificates in this PEM file; may be repeated
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
    /// What a session allows its connector. `uses_environment` says whether proxies and
    /// certificates that the environment names count where no flag says otherwise.
    ///
    /// # Errors
    ///
    /// A config error if a certificate file cannot be used.
    pub(crate) fn policy(&self, uses_environment: bool) -> Result<Policy> {
        let policy = Policy::default()
            .expose_secrets(self.expose_secrets)
            .allow_private_network(self.allow_private_net)
            .network(self.network(uses_environment)?);
        Ok(match self.allow_host.as_slice() {
            [] => policy,
            hosts => policy.allow_only(hosts.to_vec()),
        })
    }

    fn network(&self, uses_environment: bool) -> Result<Network> {
        let network =
            if uses_environment { Network::of_environment() } else { Network::beside_environment() };
        let network = self.ca_cert.iter().try_fold(network, |network, path| network.trust(path))?;
        Ok(match &self.proxy {
            Some(proxy) => network.through(proxy.clone()),
            None => network,
        })
    }
}

/// The digest of a specification: `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpecDigest(String);

impl SpecDigest {
    /// Checks that `specification` has this digest.
    ///
    /// # Errors
    ///
    /// A config error that names the digest which it has.
    pub(crate) fn check(&self, specification: &Specification) -> Result<()> {
        let found = specification.digest();
        if found == self.0 {
            return Ok(());
        }
        Err(Error::config(format!(
            "the specification of the connector has the digest {found}, which is not the one of --pin-spec"
        ))
        .with_hint("`inspect` shows what the connector asks for now; pin it anew if that is right"))
    }
}

impl FromStr for SpecDigest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("sha256:").unwrap_or_default();
        if digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err("the form is sha256: and 64 hexadecimal digits")
        }
    }
}

/// Parses a proxy. Unlike clap's own errors, its errors do not quote the value, which may hold a
/// password.
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
        value.to_string_lossy().parse().map_err(|error: Error| {
            let problem = format!("{} (--proxy)\n", error.message());
            clap::Error::raw(ErrorKind::ValueValidation, problem).with_cmd(command)
        })
    }
}

/// Parses a host. What may have a password in it is not quoted, as with a proxy.
#[derive(Clone, Copy, Debug)]
struct HostParser;

impl TypedValueParser for HostParser {
    type Value = HostPattern;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> std::result::Result<HostPattern, clap::Error> {
        let parse = |text: &str| text.parse::<HostPattern>();
        let text = value.to_string_lossy();
        match parse(&text) {
            Err(error) if text.contains('@') => {
                let problem = format!("a host is wrong: {} (--allow-host)\n", error.message());
                Err(clap::Error::raw(ErrorKind::ValueValidation, problem).with_cmd(command))
            }
            _ => parse.parse_ref(command, argument, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::args::Cli;

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

    #[test]
    fn a_host_with_a_password_is_not_quoted() {
        let parse = |host| Cli::try_parse_from(["host", "run", "orb.wasm", "spec", "--allow-host", host]);
        for wrong in ["https://user:secret@example.com", "user:secret@example.com", "secret@127.1"] {
            let text = parse(wrong).unwrap_err().to_string();
            assert!(text.contains("--allow-host") && !text.contains("secret"), "{text}");
        }
        let text = parse("example.com/v1").unwrap_err().to_string();
        assert!(text.contains("'example.com/v1'") && text.contains("has a path"), "{text}");
        assert!(parse("*.example.com").is_ok());
    }

    #[test]
    fn a_digest_has_one_form() {
        let parse = |digest: &str| {
            Cli::try_parse_from(["host", "run", "orb.wasm", "spec", "--pin-spec", digest]).is_ok()
        };
        let digits = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789";
        assert!(parse(&format!("sha256:{digits}")));
        let (short, letter) = (&digits[1..], digits.replace('0', "g"));
        // It has as many bytes as the digits, but not as many characters.
        let other = digits.replacen("01", "\u{e9}", 1);
        for wrong in [short, &letter, &other, "", " ", "0x", &format!("{digits}0")] {
            assert!(!parse(&format!("sha256:{wrong}")), "{wrong}");
        }
        for prefix in ["", "sha1:", "SHA256:", "Sha256:", "sha256=", "sha256::", " sha256:", "sha256: "] {
            assert!(!parse(&format!("{prefix}{digits}")), "{prefix}");
        }
        assert!(!parse(&format!("sha256:{digits} ")) && !parse(&format!("sha256:{digits}\n")));
    }
}
