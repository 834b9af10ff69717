//! The hosts to which one instance has connections.

use std::collections::HashSet;

use super::HttpClients;
use super::origin::Origin;

/// Hosts to which connections are kept at the same time. A connector reads one API, which has a few
/// at most. One that may reach any number of names would keep a connection to each.
const HOSTS: usize = 8;

/// The clients of an instance, and the hosts to which they have connections.
#[derive(Debug)]
pub(super) struct Hosts {
    clients: HttpClients,
    hosts: HashSet<String>,
}

impl Hosts {
    pub(super) fn new(clients: HttpClients) -> Self {
        Self { clients, hosts: HashSet::new() }
    }

    /// The clients for a request to `origin`. Where there are connections to too many hosts, they
    /// are let go.
    pub(super) fn to(&mut self, origin: &Origin) -> HttpClients {
        let host = origin.to_string();
        if self.hosts.len() >= HOSTS && !self.hosts.contains(&host) {
            self.clients = self.clients.renew();
            self.hosts.clear();
        }
        self.hosts.insert(host);
        self.clients.clone()
    }
}
