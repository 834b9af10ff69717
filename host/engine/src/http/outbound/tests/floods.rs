//! What a server sends without end, and requests to others meanwhile.

use std::io::Write as _;
use std::pin::pin;

use futures_util::future::{Either, select};

use super::*;

/// Empty settings of HTTP/2, with which a server begins.
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// A frame of HTTP/2 of an unknown type.
const UNKNOWN: &[u8] = b"\0\0\0\xbe\0\0\0\0\0";
/// The head of an answer that is not the last.
const CONTINUE: &[u8] = b"HTTP/1.1 100 \r\n\r\n";

fn endless(first: &'static [u8], again: &[u8]) -> Answer {
    let again = again.repeat(4096);
    Answer::raw(move |peer| {
        peer.write_all(first)?;
        loop {
            peer.write_all(&again)?;
        }
    })
}

#[tokio::test]
async fn a_flood_from_one_host_does_not_end_the_requests_to_another() {
    for flood in [
        Server::start(|_| endless(b"", CONTINUE)),
        Server::tls("127.0.0.1", &["h2"], |_| endless(SETTINGS, UNKNOWN)),
    ] {
        let good = server();
        let clients = HttpClients::new(&Limits::default(), flood.network());
        let instance = || {
            let allow = vec![flood.url(), good.url()];
            Setup { allow, clients: Some(clients.lease()), ..Setup::default() }.open().0
        };
        let (one, other) = (instance(), instance());
        let url = flood.at("/");
        let flooded = start(&one, get(&url), RequestOptions::default());
        let others = async {
            while flood.requests().is_empty() {
                tokio::task::yield_now().await;
            }
            // Of the instance that is flooded, and of another.
            for http in [&one, &other] {
                for _ in 0..10 {
                    assert_eq!(send(http, get(&good.at("/"))).await.unwrap().body(), "ok");
                }
            }
        };
        if let Either::Left((answer, _)) = select(pin!(flooded), pin!(others)).await {
            panic!("the flood ended: {:?}", answer.err());
        }
    }
}
