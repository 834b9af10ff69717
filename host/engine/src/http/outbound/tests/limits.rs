//! How long, how large and how many requests and responses may be.

use super::*;

#[tokio::test]
async fn a_body_may_be_compressed_twice_and_not_any_number_of_times() {
    // `ok`, by gzip, stored as it is in another gzip.
    let stored = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 22, 0, 0xe9, 0xff][..], &GZIP].concat();
    let mut checksum = flate2::Crc::new();
    checksum.update(&GZIP);
    let twice = [&stored[..], &checksum.sum().to_le_bytes(), &22_u32.to_le_bytes()].concat();
    let server = Server::start(move |request| {
        let coding = match request.target() {
            "/list" => "content-encoding: gzip, gzip\r\n".to_owned(),
            "/fields" => "content-encoding: gzip\r\ncontent-encoding: gzip\r\n".to_owned(),
            _ => format!("content-encoding: {}gzip\r\n", "gzip, ".repeat(99)),
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{coding}\r\n", twice.len());
        Answer::keep([head.as_bytes(), &twice].concat())
    });
    let (http, _events) = server.http(Limits::default());
    for path in ["/list", "/fields"] {
        let answer = send(&http, get(&server.at(path))).await.unwrap();
        assert_eq!(answer.body(), "ok", "{path}");
        assert!(!answer.headers().contains_key(CONTENT_ENCODING));
    }
    let error = send(&http, get(&server.at("/often"))).await.unwrap_err();
    assert!(matches!(&error, Error::InternalError(Some(told)) if told.contains("100 times")), "{error:?}");
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let server = server();
    let short = Duration::from_millis(20);
    let (http, _events) =
        server.http(patient(Timeouts { connect: short, first_byte: short, ..Timeouts::default() }));
    let error = send(&http, get(&server.at("/silent"))).await.unwrap_err();
    assert!(matches!(error, Error::HttpResponseTimeout), "{error:?}");
    let (http, _events) = server.http(patient(Timeouts { between_bytes: short, ..Timeouts::default() }));
    let error = send(&http, get(&server.at("/stuck"))).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error:?}");
}

#[tokio::test]
async fn a_guest_may_be_less_patient_but_not_more() {
    assert_eq!(shorter(None, Duration::from_secs(60)), Duration::from_secs(60));
    assert_eq!(shorter(Some(Duration::from_secs(1)), Duration::from_secs(60)), Duration::from_secs(1));
    assert_eq!(shorter(Some(Duration::MAX), Duration::from_secs(60)), Duration::from_secs(60));
}

#[tokio::test]
async fn no_time_at_all_and_all_the_time_there_is_are_fine() {
    let server = server();
    let eternal =
        patient(Timeouts { connect: Duration::MAX, first_byte: Duration::MAX, between_bytes: Duration::MAX });
    let (http, _events) = server.http(eternal);
    let options = |time| RequestOptions {
        connect_timeout: Some(time),
        first_byte_timeout: Some(time),
        between_bytes_timeout: Some(time),
    };
    let answer = start(&http, get(&server.at("/")), options(Duration::MAX)).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
    let error = start(&http, get(&server.at("/silent")), options(Duration::ZERO)).await.unwrap_err();
    assert!(matches!(error, Error::HttpResponseTimeout), "{error:?}");
}

#[tokio::test]
async fn headers_have_a_limit_in_both_directions() {
    let server = server();
    let limits = || Limits { headers: 4_096, ..Limits::default() };
    let (http, _events) = server.http(limits());
    assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    assert_eq!(exceeded(&http), None);
    let mut request = get(&server.at("/"));
    request.headers_mut().insert("a", "b".repeat(4_096).parse().unwrap());
    let error = send(&http, request).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestHeaderSectionSize(Some(size)) if size > 4_129), "{error:?}");
    assert_eq!(exceeded(&http), Some(Limit::Headers));
    for path in ["/large", "/many"] {
        let (http, _events) = server.http(limits());
        let error = send(&http, get(&server.at(path))).await.unwrap_err();
        assert!(matches!(error, Error::HttpResponseHeaderSectionSize(_)), "{path}: {error:?}");
        assert_eq!(exceeded(&http), Some(Limit::Headers), "{path}");
    }
}

#[tokio::test]
async fn many_headers_that_are_small_pass() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    let answer = send(&http, get(&server.at("/many"))).await.unwrap();
    assert_eq!(answer.headers().get_all("a").iter().count(), 300);
}

#[tokio::test]
async fn only_so_many_requests_are_in_flight_at_once() {
    let server = server();
    let limited = || server.http(Limits { requests: 1, ..Limits::default() });
    let (http, _events) = limited();
    for _ in 0..3 {
        assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    }
    let url = server.at("/silent");
    let mut waiting = std::pin::pin!(unread(&http, &url));
    assert!(std::future::poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await);
    assert!(matches!(unread(&http, &server.at("/")).await, Err(Error::ConnectionLimitReached)));
    assert_eq!(exceeded(&http), Some(Limit::Requests));

    // Also while nobody reads the body of the response.
    let (http, _events) = limited();
    let answer = unread(&http, &server.at("/")).await.unwrap();
    drop(answer);
    let _answer = unread(&http, &server.at("/")).await.unwrap();
    assert_eq!(exceeded(&http), None);
    assert!(matches!(unread(&http, &server.at("/")).await, Err(Error::ConnectionLimitReached)));
    assert_eq!(exceeded(&http), Some(Limit::Requests));
}

#[tokio::test]
async fn a_response_without_a_body_is_not_in_flight_even_if_it_is_kept() {
    let server = server();
    let (http, _events) = server.http(Limits { requests: 1, ..Limits::default() });
    let _kept = unread(&http, &server.at("/elsewhere")).await.unwrap();
    assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    assert_eq!(exceeded(&http), None);
}

#[tokio::test]
async fn the_head_of_a_request_is_measured_with_what_is_sent() {
    let server = server();
    let limits = || Limits { headers: 4_096, ..Limits::default() };
    let (http, _events) = server.http(limits());
    assert!(send(&http, get(&server.at(&format!("/{}", "x".repeat(5_000))))).await.is_err());
    assert_eq!(exceeded(&http), Some(Limit::Headers));

    let secret = Secret::seal(&"s".repeat(1_000)).unwrap();
    for (times, limit) in [(1, None), (5, Some(Limit::Headers))] {
        for basic in [false, true] {
            let mut request = get(&server.at("/"));
            let tokens = secret.token.repeat(times);
            let value = if basic { format!("Basic {}", BASE64_STANDARD.encode(tokens)) } else { tokens };
            request.headers_mut().insert("authorization", value.parse().unwrap());
            let setup = Setup { limits: limits(), secret: Some(secret.clone()), ..Setup::default() };
            let (http, _events) = Setup { allow: vec![server.url()], ..setup }.open();
            assert_eq!(send(&http, request).await.is_err(), limit.is_some(), "{times} {basic}");
            assert_eq!(exceeded(&http), limit, "{times} {basic}");
        }
    }
}

#[tokio::test]
async fn a_request_body_has_a_limit() {
    let server = server();
    let (http, _events) = server.http(Limits { request_body: 3, ..Limits::default() });
    let error = send(&http, Request::post(server.at("/")).body(body("abcd")).unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestBodySize(Some(4))), "{error:?}");
    assert_eq!((exceeded(&http), server.connections()), (Some(Limit::RequestBody), 0));
}

#[tokio::test]
async fn a_response_has_a_limit() {
    let server = server();
    let (http, _events) = server.http(Limits { response: 1, ..Limits::default() });
    for path in ["/", "/packed"] {
        let error = send(&http, get(&server.at(path))).await.unwrap_err();
        assert!(matches!(error, Error::HttpResponseBodySize(None)), "{error:?}");
        assert_eq!(exceeded(&http), Some(Limit::Response));
    }
}
