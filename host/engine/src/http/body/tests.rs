mod codings;

use http_body_util::Collected;

use super::*;
use crate::http::testing::{account, body};
use crate::limits::Timeouts;
use crate::redaction::Redaction;

fn limits(request_body: usize) -> Limits {
    let timeouts = Timeouts { between_bytes: Duration::from_millis(1), ..Timeouts::default() };
    Limits { request_body, timeouts, ..Limits::default() }
}

/// A response whose body comes in parts of this size.
fn response_body(bytes: &[u8], part: usize, codings: impl IntoIterator<Item = Coding>) -> ResponseBody {
    let parts: Vec<_> =
        bytes.chunks(part).map(|part| Ok::<_, io::Error>(Frame::data(part.to_vec().into()))).collect();
    ResponseBody {
        body: reqwest::Body::wrap(StreamBody::<_>::new(
            stream::iter(parts).map_ok(|frame: Frame<Bytes>| frame),
        )),
        codings: codings.into_iter().collect(),
        patience: Duration::from_secs(60),
        encoded: usize::MAX,
        size: usize::MAX,
        target: "GET /".to_owned(),
        exceeded: ExceededLimit::default(),
        reporter: Reporter::new(std::sync::Arc::new(()), Redaction::default()),
        account: account(usize::MAX),
        exchange: None,
    }
}

/// What a guest reads, and which limit was broken.
async fn read(response_body: ResponseBody) -> (Result<Bytes>, Option<Limit>) {
    let exceeded = response_body.exceeded.clone();
    (response_body.open().collect().await.map(Collected::to_bytes), exceeded.first())
}

/// The error for a body that could not be decompressed.
fn problem(answer: Result<Bytes>) -> String {
    match answer {
        Err(Error::InternalError(Some(words))) => words,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_body_is_read_up_to_the_limit() {
    let exceeded = ExceededLimit::default();
    assert_eq!(
        read_request(body("abc"), &limits(3), &exceeded, &mut account(usize::MAX).open()).await.unwrap(),
        "abc"
    );
    assert_eq!(exceeded.first(), None);
    let error =
        read_request(body("abcd"), &limits(3), &exceeded, &mut account(usize::MAX).open()).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestBodySize(Some(4))));
    assert_eq!(exceeded.first(), Some(Limit::RequestBody));
}

#[tokio::test]
async fn a_request_body_that_never_ends_is_given_up() {
    let endless = StreamBody::new(stream::pending()).boxed_unsync();
    let error = read_request(endless, &limits(3), &ExceededLimit::default(), &mut account(usize::MAX).open())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ConnectionWriteTimeout));
}

#[tokio::test]
async fn a_response_body_passes_up_to_the_limit() {
    let (answer, exceeded_limit) = read(ResponseBody { size: 3, ..response_body(b"abc", 1, None) }).await;
    assert_eq!((answer.unwrap(), exceeded_limit), (Bytes::from("abc"), None));
    let (answer, exceeded_limit) = read(ResponseBody { size: 3, ..response_body(b"abcd", 1, None) }).await;
    assert!(matches!(answer, Err(Error::HttpResponseBodySize(None))));
    assert_eq!(exceeded_limit, Some(Limit::Response));
}

#[tokio::test]
async fn a_body_that_only_drips_is_given_up() {
    let drip = stream::iter([Ok::<_, io::Error>(Frame::data(Bytes::from("a")))]).chain(stream::pending());
    let body = reqwest::Body::wrap(StreamBody::new(drip));
    let drips = ResponseBody { body, patience: Duration::from_millis(1), ..response_body(b"", 1, None) };
    assert!(matches!(read(drips).await.0, Err(Error::ConnectionReadTimeout)));
}
