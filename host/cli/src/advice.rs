//! Says which flags help where the engine reports a failure.

use elt_airbyte::Advice;
use elt_host::events::{Denial, SecretProblem};
use elt_host::policy::{AllowedHosts, GrantedBy, Origin};
use elt_host::{Error, Remedy};

use crate::args::flag;

/// How this program words failures.
pub(crate) const ADVICE: Advice = Advice { error: with_flag, denial: denial_line };

/// How many hosts a line of the log repeats as flags.
const FEW: usize = 3;

/// Adds the flag that would help to an error of the engine.
pub(crate) fn with_flag(error: Error) -> Error {
    let Some(remedy) = error.remedy() else { return error };
    match remedy {
        Remedy::RaiseLimit(limit) => {
            let message = format!("{} (--{} allows more)", error.message(), flag(limit));
            error.with_message(message)
        }
        Remedy::ExposeSecrets => {
            let hint = format!("{} by --expose-secrets", error.hint().unwrap_or_default());
            error.with_hint(hint)
        }
        Remedy::TrustCertificates { .. } | Remedy::UseEnvironmentProxy => {
            let message = format!("{}{}", error.message(), obstacle_flag(Some(remedy)));
            error.with_message(message)
        }
    }
}

/// What is appended to the reason why a server was not reached.
fn obstacle_flag(remedy: Option<Remedy>) -> String {
    match remedy {
        Some(Remedy::TrustCertificates { ignored: Some(variable) }) => {
            format!("; {variable} is set and not used here: --ca-cert FILE trusts a file")
        }
        Some(Remedy::TrustCertificates { ignored: None }) => {
            "; --ca-cert FILE trusts more certificates".to_owned()
        }
        Some(Remedy::UseEnvironmentProxy) => {
            ": --proxy env goes through the proxies of the environment".to_owned()
        }
        Some(Remedy::RaiseLimit(_) | Remedy::ExposeSecrets) | None => String::new(),
    }
}

/// The log line for a denial.
fn denial_line(denial: &Denial) -> String {
    let flags = match denial {
        Denial::Host { origin, allowed } => allow_host(allowed, origin, origin.is_private()),
        Denial::Address { origin, allowed, .. } => allow_host(allowed, origin, true),
        Denial::Secret { problem: SecretProblem::Unencrypted, .. } => {
            return format!("{denial}, or --expose-secrets to let it have the secrets themselves");
        }
        Denial::Secret { problem: SecretProblem::Characters, .. } => None,
        Denial::Obstacle { obstacle, .. } => return format!("{denial}{}", obstacle_flag(obstacle.remedy)),
    };
    match flags {
        Some(flags) => format!("{denial}; {flags}"),
        None => denial.to_string(),
    }
}

/// The flags that allow `origin` too, at a private address if `private` says so. `None` if no flag
/// helps.
fn allow_host(allowed: &AllowedHosts, origin: &Origin, private: bool) -> Option<String> {
    // Without quotes, a shell would look for files of that name.
    let quote = |host: &str| if host.contains(['*', '[']) { "'" } else { "" };
    let flag = |host: String| format!("--allow-host {0}{host}{0} ", quote(&host));
    let wanted = flag(origin.to_string());
    let private = if private && !origin.is_loopback_address() { "--allow-private-net " } else { "" };
    let others: Vec<_> = allowed
        .patterns()
        .map(|pattern| flag(pattern.to_string()))
        .filter(|other| *other != wanted)
        .take(FEW + 1)
        .collect();
    match allowed.granted_by() {
        GrantedBy::Nobody => None,
        GrantedBy::Operator => Some(format!("{wanted}{private}allows it")),
        // The flag replaces what the connector asks for, so that has to be repeated.
        GrantedBy::Connector if others.len() <= FEW => {
            Some(format!("{}{wanted}{private}allows it", others.concat()))
        }
        GrantedBy::Connector => Some(format!(
            "{wanted}{private}allows it, in place of the {} hosts that the connector asks for",
            allowed.patterns().len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use elt_host::events::Obstacle;
    use elt_host::limits::Limit;
    use elt_host::policy::HostPattern;

    use super::*;

    fn patterns(hosts: &[&str]) -> Vec<HostPattern> {
        hosts.iter().map(|host| host.parse().unwrap()).collect()
    }

    fn line(allowed: AllowedHosts, url: &str) -> String {
        let origin = Origin::parse(url).unwrap();
        denial_line(&Denial::Host { origin, allowed: Arc::new(allowed) })
    }

    fn advice(allowed: AllowedHosts, url: &str) -> String {
        let line = line(allowed, url);
        line.rsplit_once("; ").map(|(_, advice)| advice.to_owned()).unwrap_or_default()
    }

    fn requested(hosts: &[&str]) -> AllowedHosts {
        AllowedHosts::of_connector(patterns(hosts))
    }

    #[test]
    fn a_denial_names_the_flags_that_are_missing() {
        let one = || requested(&["api.example.com"]);
        assert_eq!(
            line(one(), "https://evil.example:8443/path?key=secret"),
            "denied: the connector tried to reach https://evil.example:8443, which is not among the hosts it may reach \
             (https://api.example.com); --allow-host https://api.example.com --allow-host https://evil.example:8443 \
             allows it"
        );
        assert_eq!(
            advice(requested(&[]), "https://evil.example/"),
            "--allow-host https://evil.example allows it"
        );
        assert_eq!(
            advice(requested(&["a.example", "b.example", "c.example", "d.example"]), "https://evil.example/"),
            "--allow-host https://evil.example allows it, in place of the 4 hosts that the connector asks for"
        );
        assert_eq!(
            advice(requested(&["*.example.com"]), "https://[2000::1]/"),
            "--allow-host 'https://*.example.com' --allow-host 'https://[2000::1]' allows it"
        );
        // What is on the command line already need not be repeated, and a loopback address is
        // enough by itself.
        let granted = || AllowedHosts::granted(patterns(&["a.example"]), false);
        assert_eq!(advice(granted(), "http://127.0.0.1:9/"), "--allow-host http://127.0.0.1:9 allows it");
        for private in ["http://10.0.0.7", "http://localhost"] {
            assert_eq!(
                advice(granted(), private),
                format!("--allow-host {private} --allow-private-net allows it")
            );
        }
        assert_eq!(
            line(AllowedHosts::default(), "https://evil.example/"),
            "denied: the connector tried to reach https://evil.example, but may reach no host"
        );
    }

    #[test]
    fn a_denied_address_is_allowed_by_a_flag_of_its_own() {
        let denial = Denial::Address {
            origin: Origin::parse("https://api.example.com/").unwrap(),
            address: "10.0.0.7".parse().unwrap(),
            purpose: "private (RFC 1918)".to_owned(),
            allowed: Arc::new(requested(&["api.example.com"])),
        };
        assert_eq!(
            denial_line(&denial),
            "denied: the connector tried to reach https://api.example.com at 10.0.0.7, which is private (RFC 1918); \
             --allow-host https://api.example.com --allow-private-net allows it"
        );
    }

    #[test]
    fn a_refused_certificate_is_trusted_by_a_flag() {
        let denied = |ignored| {
            let remedy = Some(Remedy::TrustCertificates { ignored });
            let obstacle = Obstacle { of_operator: false, reason: "it is refused".to_owned(), remedy };
            denial_line(&Denial::Obstacle { origin: Origin::parse("https://a.example").unwrap(), obstacle })
        };
        assert_eq!(denied(None), "it is refused; --ca-cert FILE trusts more certificates");
        assert_eq!(
            denied(Some("CURL_CA_BUNDLE")),
            "it is refused; CURL_CA_BUNDLE is set and not used here: --ca-cert FILE trusts a file"
        );
    }

    #[test]
    fn an_exceeded_limit_names_its_flag() {
        let error = Error::system("it took too much").with_remedy(Remedy::RaiseLimit(Limit::Memory));
        assert_eq!(with_flag(error).message(), "it took too much (--max-memory allows more)");
    }
}
