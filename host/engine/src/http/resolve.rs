//! Resolves names to the addresses that may be connected to.
//!
//! The client connects to what is returned here and to nothing else, so there is no second lookup
//! that could answer differently. Hosts that are IP addresses never come here; `allowed_hosts`
//! decides about them.

use std::error::Error as StdError;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{Prohibited, Reach, special};
use super::lookups::{LookupProblem, Lookups};
use super::origin::is_localhost;

/// Resolves names by the operating system, and drops prohibited addresses.
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) reach: Reach,
    pub(super) lookups: Arc<Lookups>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, lookups) = (self.reach, self.lookups.clone());
        Box::pin(async move {
            let addresses = judge(addresses(name.as_str(), &lookups).await?, reach)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a name. Their port is not known here.
async fn addresses(name: &str, lookups: &Arc<Lookups>) -> Result<Vec<SocketAddr>, LookupProblem> {
    if is_localhost(name) {
        // Whatever a name server or a file says about it.
        let addresses: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok(addresses.map(|address| (address, 0).into()).to_vec());
    }
    Ok(lookups.addresses(name).await?.to_vec())
}

/// Drops prohibited addresses.
fn judge(
    addresses: Vec<SocketAddr>,
    reach: Reach,
) -> Result<Vec<SocketAddr>, Box<dyn StdError + Send + Sync>> {
    if reach == Reach::Private {
        return Ok(addresses);
    }
    let mut prohibited = None;
    let mut permitted = addresses;
    permitted.retain(|address| match special(address.ip()) {
        None => true,
        Some(range) => {
            prohibited.get_or_insert(Prohibited { address: address.ip(), range });
            false
        }
    });
    match prohibited {
        Some(prohibited) if permitted.is_empty() => Err(Box::new(prohibited)),
        _ if permitted.is_empty() => Err("the name has no address".into()),
        _ => Ok(permitted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(addresses: &[&str], reach: Reach) -> Result<Vec<String>, String> {
        let addresses =
            addresses.iter().map(|address| (address.parse::<IpAddr>().unwrap(), 0).into()).collect();
        let judged = judge(addresses, reach).map_err(|error| error.to_string())?;
        Ok(judged.iter().map(|address| address.ip().to_string()).collect())
    }

    async fn resolved(name: &str, reach: Reach) -> Result<Vec<IpAddr>, String> {
        let lookups = Arc::new(Lookups::new(std::time::Duration::from_secs(60)));
        let addresses = Resolver { reach, lookups }.resolve(name.parse().unwrap()).await;
        Ok(addresses.map_err(|error| error.to_string())?.map(|address| address.ip()).collect())
    }

    #[test]
    fn only_public_addresses_are_left() {
        assert_eq!(judged(&["10.0.0.1", "8.8.8.8", "::1"], Reach::Public).unwrap(), ["8.8.8.8"]);
        assert_eq!(judged(&["10.0.0.1", "8.8.8.8"], Reach::Private).unwrap(), ["10.0.0.1", "8.8.8.8"]);
        assert_eq!(
            judged(&["10.0.0.1", "::1"], Reach::Public).unwrap_err(),
            "10.0.0.1 is private (RFC 1918)"
        );
        assert_eq!(
            judged(&["::ffff:8.8.8.8"], Reach::Public).unwrap_err(),
            "::ffff:8.8.8.8 is IPv4-mapped (RFC 4291)"
        );
        assert_eq!(judged(&[], Reach::Public).unwrap_err(), "the name has no address");
    }

    #[tokio::test]
    async fn localhost_is_this_machine_and_judged_like_any_name() {
        for name in ["localhost", "orb.localhost"] {
            let addresses = resolved(name, Reach::Private).await.unwrap();
            assert!(addresses.iter().all(IpAddr::is_loopback) && addresses.len() == 2, "{addresses:?}");
            assert_eq!(resolved(name, Reach::Public).await.unwrap_err(), "127.0.0.1 is loopback (RFC 1122)");
        }
    }
}
