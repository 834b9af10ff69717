//! Connections are shared, kept and replaced.

use super::*;

#[tokio::test]
async fn requests_share_a_connection() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    for _ in 0..5 {
        let answer = send(&http.clone(), get(&server.at("/"))).await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, &b"ok"[..]));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_is_held_of_an_exchange_ends_with_it() {
    let server = server();
    let host_memory = ANSWER + 64 * 1024;
    let limited = || server.http(Limits { host_memory, ..Limits::default() });
    let (http, _events) = limited();
    let request = || Request::post(server.at("/packed")).body(body(vec![b'x'; 1_000])).unwrap();
    for _ in 0..3 {
        // There is no room for what decompresses the body.
        assert!(send(&http, request()).await.is_err());
    }
    let (http, _events) = limited();
    for _ in 0..3 {
        assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    }
    assert_eq!(exceeded(&http), None);
    let _unread = unread(&http, &server.at("/")).await.unwrap();
    assert!(unread(&http, &server.at("/")).await.is_err());
    assert_eq!(exceeded(&http), Some(Limit::HostMemory));
}

#[tokio::test]
async fn instances_do_not_share_connections_but_one_follows_on_another() {
    let server = server();
    let clients = HttpClients::new(&Limits::default(), Network::default());
    let instance =
        || Setup { allow: vec![server.url()], clients: Some(clients.lease()), ..Setup::default() }.open().0;
    let one = instance();
    assert_eq!(send(&one, get(&server.at("/"))).await.unwrap().body(), "ok");
    let other = instance();
    assert_eq!(send(&other, get(&server.at("/"))).await.unwrap().body(), "ok");
    assert_eq!(server.connections(), 2);
    drop(one);
    assert_eq!(send(&instance(), get(&server.at("/"))).await.unwrap().body(), "ok");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn connections_are_kept_to_few_hosts() {
    let servers: Vec<_> = (0..9).map(|_| server()).collect();
    let allow = servers.iter().map(Server::url).collect();
    let (http, _events) = Setup { allow, ..Setup::default() }.open();
    for server in servers[..8].iter().chain(&servers[..1]).chain(&servers[8..]).chain(&servers[..1]) {
        assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    }
    // The ninth host was one too many, so all connections were let go.
    assert_eq!((servers[0].connections(), servers[1].connections()), (2, 1));
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    for ended in 1..=20 {
        assert_eq!(send(&http, get(&server.at("/last"))).await.unwrap().body(), "ok");
        server.wait_closed(ended);
        // The end has arrived; the task of the client's connection reads it in its next turns.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            send(&http, Request::post(server.at("/")).body(body("a")).unwrap()).await.unwrap().body(),
            "ok"
        );
    }
    assert_eq!(server.requests().len(), 40);
}

#[tokio::test]
async fn a_request_that_arrived_is_sent_once_even_if_its_connection_dies() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    // On a new connection, and on one that was used before.
    for already in [0, 2] {
        let error = send(&http, get(&server.at("/dies"))).await.unwrap_err();
        assert!(matches!(error, Error::HttpResponseIncomplete | Error::ConnectionTerminated), "{error:?}");
        assert_eq!(server.requests().len(), already + 1);
        assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    }
    assert_eq!(server.requests().len(), 4);
}
