//! The sockets of an isolated process: TCP and UDP, and the kernel's list of own addresses. It
//! cannot choose a port for any of them, neither by `bind` nor by an option that does the same.
//!
//! What is not listed is forbidden. The kernel goes on getting protocols and options, and some of
//! them bind: `IP_LOCAL_PORT_RANGE` with a range of one port, `SCTP_SOCKOPT_BINDX_ADD`.

use std::collections::BTreeMap;

use libc::{
    AF_INET, AF_INET6, AF_NETLINK, IP_RECVERR, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP,
    IPV6_RECVERR, IPV6_V6ONLY, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK, NETLINK_PKTINFO, NETLINK_ROUTE,
    SO_BROADCAST, SO_KEEPALIVE, SO_LINGER, SO_PASSCRED, SO_RCVBUF, SO_RCVTIMEO, SO_SNDBUF, SO_SNDTIMEO,
    SOCK_DGRAM, SOCK_STREAM, SOL_NETLINK, SOL_SOCKET, SYS_bind, SYS_setsockopt, SYS_socket, SYS_socketpair,
    TCP_FASTOPEN_CONNECT, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_NODELAY, TCP_USER_TIMEOUT,
};
use seccompiler::SeccompCmpArgLen::Dword;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{Error, SeccompCmpOp, SeccompCondition, SeccompRule};

/// The calls that are allowed in part.
pub(super) const CALLS: [i64; 4] = [SYS_bind, SYS_setsockopt, SYS_socket, SYS_socketpair];
/// Families of sockets that remain: the internet, and the kernel's list of own addresses. Not those
/// of this machine, behind which are programs such as Docker. Name services that are asked by one
/// (nscd, systemd-resolved) are passed over: the servers in resolv.conf are asked.
const FAMILIES: [i32; 3] = [AF_INET, AF_INET6, AF_NETLINK];
/// Types of sockets of the internet, and the protocol that each may have besides its default, which
/// is the same. Not MPTCP, which Landlock does not take for TCP, nor SCTP, UDP-Lite or ICMP.
const PROTOCOLS: [(i32, i32); 2] = [(SOCK_STREAM, IPPROTO_TCP), (SOCK_DGRAM, IPPROTO_UDP)];
/// What a call that makes a socket takes as its type. Other bits are flags (Linux,
/// `SOCK_TYPE_MASK`).
const TYPE: i32 = 0xf;
/// Options that the host and name services set, by their level.
const OPTIONS: [(i32, &[i32]); 5] = [
    (
        SOL_SOCKET,
        &[SO_BROADCAST, SO_KEEPALIVE, SO_LINGER, SO_PASSCRED, SO_RCVBUF, SO_RCVTIMEO, SO_SNDBUF, SO_SNDTIMEO],
    ),
    (IPPROTO_IP, &[IP_RECVERR]),
    (IPPROTO_IPV6, &[IPV6_RECVERR, IPV6_V6ONLY]),
    (
        IPPROTO_TCP,
        &[TCP_FASTOPEN_CONNECT, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_NODELAY, TCP_USER_TIMEOUT],
    ),
    (SOL_NETLINK, &[NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK, NETLINK_PKTINFO]),
];
/// Bytes of the address of a netlink socket (`sockaddr_nl`). Those of the internet are longer, and
/// the kernel accepts no shorter ones.
const NETLINK_ADDRESS: i32 = 12;

/// What is forbidden of each of these calls.
///
/// # Errors
///
/// None for the tables above.
pub(super) fn forbidden() -> Result<BTreeMap<i64, Vec<SeccompRule>>, Error> {
    let mut rules = BTreeMap::from([
        (SYS_setsockopt, options()?),
        (SYS_socket, sockets()?),
        // A pair of datagram sockets could still send to any socket of this machine.
        (SYS_socketpair, other_types(1, &[SOCK_STREAM], &[])?),
    ]);
    // A port of one's own, of TCP or UDP. musl resolves names at one; glibc needs the list of own
    // addresses only.
    if cfg!(not(target_env = "musl")) {
        rules.insert(SYS_bind, vec![all(vec![argument(2, Ne, NETLINK_ADDRESS)?])?]);
    }
    Ok(rules)
}

fn sockets() -> Result<Vec<SeccompRule>, Error> {
    let is_internet = argument(0, Ne, AF_NETLINK)?;
    let mut rules = vec![
        all(none_of(0, &FAMILIES)?)?,
        // The kernel's other parts, such as its firewall.
        all(vec![argument(0, Eq, AF_NETLINK)?, argument(2, Ne, NETLINK_ROUTE)?])?,
    ];
    for (kind, protocol) in PROTOCOLS {
        let mut other = vec![is_internet.clone(), argument(1, masked(TYPE), kind)?];
        other.extend(none_of(2, &[0, protocol])?);
        rules.push(all(other)?);
    }
    rules.extend(other_types(1, &PROTOCOLS.map(|(kind, _)| kind), &[is_internet])?);
    Ok(rules)
}

fn options() -> Result<Vec<SeccompRule>, Error> {
    let mut rules = vec![all(none_of(1, &OPTIONS.map(|(level, _)| level))?)?];
    for (level, allowed) in OPTIONS {
        let mut other = vec![argument(1, Eq, level)?];
        other.extend(none_of(2, allowed)?);
        rules.push(all(other)?);
    }
    Ok(rules)
}

/// Types of sockets that are none of these, where all of `also` hold.
fn other_types(at: u8, types: &[i32], also: &[SeccompCondition]) -> Result<Vec<SeccompRule>, Error> {
    let others = (0..=TYPE).filter(|kind| !types.contains(kind));
    others.map(|kind| all([also, &[argument(at, masked(TYPE), kind)?]].concat())).collect()
}

/// That an argument is none of these values.
fn none_of(at: u8, values: &[i32]) -> Result<Vec<SeccompCondition>, Error> {
    values.iter().map(|value| argument(at, Ne, *value)).collect()
}

fn argument(at: u8, operator: SeccompCmpOp, value: i32) -> Result<SeccompCondition, Error> {
    Ok(SeccompCondition::new(at, Dword, operator, u64::from(value.cast_unsigned()))?)
}

fn masked(mask: i32) -> SeccompCmpOp {
    MaskedEq(u64::from(mask.cast_unsigned()))
}

fn all(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, Error> {
    Ok(SeccompRule::new(conditions)?)
}

#[cfg(test)]
#[expect(unsafe_code, reason = "the standard library makes no such sockets")]
pub(super) mod tests {
    use std::io::ErrorKind::PermissionDenied;
    use std::io::{Error, Result};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
    use std::os::unix::net::{UnixDatagram, UnixStream};
    use std::thread;
    use std::time::Duration;

    use libc::{
        AF_UNIX, IP_FREEBIND, IP_TRANSPARENT, IPPROTO_ICMP, IPPROTO_MPTCP, IPPROTO_SCTP, IPPROTO_UDPLITE,
        IPV6_TRANSPARENT, NETLINK_NETFILTER, SO_ATTACH_FILTER, SO_BINDTODEVICE, SO_REUSEPORT, SOCK_DCCP,
        SOCK_NONBLOCK, SOCK_RAW, SOCK_SEQPACKET, TCP_REPAIR, TCP_ULP, sockaddr_in, socklen_t,
    };

    use super::super::calls::forbid;
    use super::*;

    /// Linux, `linux/in.h`. Takes the first port in its lower half, the last in the upper.
    const IP_LOCAL_PORT_RANGE: i32 = 51;
    /// Linux, `linux/sctp.h`.
    const SCTP_BINDX_ADD: i32 = 100;

    /// Makes the call, which says less than zero if it failed.
    fn called(returned: i32) -> Result<i32> {
        if returned < 0 { Err(Error::last_os_error()) } else { Ok(returned) }
    }

    pub(in super::super) fn socket(family: i32, kind: i32, protocol: i32) -> Result<OwnedFd> {
        // SAFETY: no pointers are given, and what is opened is nobody else's.
        called(unsafe { libc::socket(family, kind, protocol) }).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
    }

    fn set(socket: &OwnedFd, level: i32, option: i32, value: u32) -> Result<()> {
        let size = socklen_t::try_from(size_of::<u32>()).map_err(Error::other)?;
        // SAFETY: the value has this size, and lives as long as the call.
        let set =
            unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), size) };
        called(set).map(drop)
    }

    /// Binds a socket of IPv4 to any port of any address.
    pub(in super::super) fn bind(socket: &OwnedFd) -> Result<()> {
        // SAFETY: all zeros are an address, and it lives as long as the call.
        let bound = unsafe {
            let mut address: sockaddr_in = std::mem::zeroed();
            address.sin_family = libc::sa_family_t::try_from(AF_INET).map_err(Error::other)?;
            let size = socklen_t::try_from(size_of::<sockaddr_in>()).map_err(Error::other)?;
            libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size)
        };
        called(bound).map(drop)
    }

    #[track_caller]
    fn denied<T>(result: Result<T>) {
        assert_eq!(result.map(drop).map_err(|error| error.kind()), Err(PermissionDenied));
    }

    /// Does something in a thread that is confined, as no other test is.
    fn confined(work: impl FnOnce() + Send + 'static) {
        let work = || {
            forbid().expect("a kernel with seccomp");
            work();
        };
        thread::spawn(work).join().expect("no panic");
    }

    #[test]
    fn no_option_of_a_socket_chooses_its_port() {
        confined(|| {
            for family in [AF_INET, AF_INET6] {
                for kind in [SOCK_STREAM, SOCK_DGRAM] {
                    let socket = socket(family, kind, 0).unwrap();
                    for (level, option) in [
                        (IPPROTO_IP, IP_LOCAL_PORT_RANGE),
                        (IPPROTO_IP, IP_FREEBIND),
                        (IPPROTO_IP, IP_TRANSPARENT),
                        (IPPROTO_IPV6, IPV6_TRANSPARENT),
                        (IPPROTO_TCP, TCP_REPAIR),
                        (IPPROTO_TCP, TCP_ULP),
                        (IPPROTO_SCTP, SCTP_BINDX_ADD),
                        (SOL_SOCKET, SO_REUSEPORT),
                        (SOL_SOCKET, SO_BINDTODEVICE),
                        (SOL_SOCKET, SO_ATTACH_FILTER),
                    ] {
                        denied(set(&socket, level, option, 4242 << 16 | 4242));
                    }
                }
            }
        });
    }

    #[test]
    fn there_are_no_sockets_but_those_of_tcp_and_udp_and_the_list_of_own_addresses() {
        confined(|| {
            for family in [AF_INET, AF_INET6] {
                for (kind, protocol) in [
                    (SOCK_STREAM, IPPROTO_MPTCP),
                    (SOCK_STREAM, IPPROTO_SCTP),
                    (SOCK_STREAM, IPPROTO_UDP),
                    (SOCK_SEQPACKET, IPPROTO_SCTP),
                    (SOCK_SEQPACKET | SOCK_NONBLOCK, 0),
                    (SOCK_DGRAM, IPPROTO_UDPLITE),
                    (SOCK_DGRAM, IPPROTO_ICMP),
                    (SOCK_DCCP, 0),
                    (SOCK_RAW, IPPROTO_ICMP),
                    (SOCK_RAW, IPPROTO_TCP),
                ] {
                    denied(socket(family, kind, protocol));
                }
            }
            denied(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
            denied(socket(AF_UNIX, SOCK_STREAM, 0));
            denied(UnixDatagram::unbound());
            denied(UnixDatagram::pair());
        });
    }

    #[test]
    fn what_the_host_and_name_services_do_is_left() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        confined(move || {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
            let tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP).unwrap();
            for option in [TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_NODELAY, TCP_USER_TIMEOUT] {
                set(&tcp, IPPROTO_TCP, option, 1).unwrap();
            }
            set(&tcp, SOL_SOCKET, SO_KEEPALIVE, 1).unwrap();
            let udp = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP).unwrap();
            set(&udp, IPPROTO_IP, IP_RECVERR, 1).unwrap();
            if let Ok(udp) = socket(AF_INET6, SOCK_DGRAM, 0) {
                set(&udp, IPPROTO_IPV6, IPV6_RECVERR, 1).unwrap();
                set(&udp, IPPROTO_IPV6, IPV6_V6ONLY, 0).unwrap();
            }
            socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE).unwrap();
            UnixStream::pair().unwrap();
        });
    }

    #[test]
    fn a_port_is_bound_by_name_services_of_musl_alone() {
        confined(|| {
            let [tcp, udp] = [SOCK_STREAM, SOCK_DGRAM].map(|kind| socket(AF_INET, kind, 0).unwrap());
            if cfg!(target_env = "musl") {
                // Landlock forbids it to TCP.
                bind(&udp).unwrap();
            } else {
                denied(bind(&tcp));
                denied(bind(&udp));
                denied(UdpSocket::bind("127.0.0.1:0"));
            }
        });
    }
}
