use super::*;

const REAL: &str = "real value 0123456789";

fn secrets() -> (Secrets, String) {
    let secret = Secret::seal(REAL).unwrap();
    let token = secret.token.clone();
    (Secrets::new(vec![secret]), token)
}

fn headers(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
}

#[test]
fn tokens_differ_and_say_nothing_of_their_value() {
    let [a, b] = [Secret::seal("value").unwrap(), Secret::seal("value").unwrap()];
    assert_ne!(a.token, b.token);
    assert_eq!(a.token.len(), PREFIX.len() + 2 * RANDOM_BYTES);
    assert_eq!(format!("{a:?}"), "Secret");
}

#[test]
fn a_value_takes_the_place_of_its_token_and_back() {
    let (secrets, token) = secrets();
    let mut headers = headers(&format!("Bearer {token}"));
    secrets.unseal(&mut headers, true).unwrap();
    assert_eq!(headers["authorization"], format!("Bearer {REAL}").as_str());
    assert!(headers["authorization"].is_sensitive());
    secrets.seal(&mut headers);
    assert_eq!(headers["authorization"], format!("Bearer {token}").as_str());
}

#[test]
fn basic_credentials_are_looked_into() {
    let (secrets, token) = secrets();
    let sealed = format!("basic {}", BASE64_STANDARD.encode(format!("user:{token}")));
    let mut headers = headers(&sealed);
    secrets.unseal(&mut headers, true).unwrap();
    assert_eq!(
        headers["authorization"],
        format!("basic {}", BASE64_STANDARD.encode(format!("user:{REAL}"))).as_str()
    );
    secrets.seal(&mut headers);
    assert_eq!(headers["authorization"], sealed.as_str());
}

#[test]
fn nothing_secret_crosses_the_network_in_the_clear() {
    let (secrets, token) = secrets();
    let mut sealed = headers(&token);
    assert_eq!(secrets.unseal(&mut sealed, false), Err(SecretProblem::Unencrypted));
    assert_eq!(sealed["authorization"], token.as_str());
    assert_eq!(secrets.unseal(&mut headers("nothing secret"), false), Ok(()));
}

#[test]
fn what_cannot_stand_in_a_header_is_not_sent() {
    let secret = Secret::seal("two\nlines").unwrap();
    let mut headers = headers(&secret.token);
    assert_eq!(Secrets::new(vec![secret]).unseal(&mut headers, true), Err(SecretProblem::Characters));
}

#[test]
fn an_exposed_secret_may_go_anywhere() {
    let secrets = Secrets::new(vec![Secret::expose(REAL)]);
    let mut headers = headers(REAL);
    assert_eq!(secrets.unseal(&mut headers, false), Ok(()));
    assert_eq!(headers["authorization"], REAL);
}

#[test]
fn what_stands_in_headers_by_chance_stays() {
    let secrets = Secrets::new(vec![Secret::seal("60").unwrap(), Secret::seal(REAL).unwrap()]);
    let mut answer = headers("60");
    secrets.seal(&mut answer);
    assert_eq!(answer["authorization"], "60");
    let mut answer = headers(REAL);
    secrets.seal(&mut answer);
    assert_eq!(answer["authorization"], secrets.list()[1].token.as_str());
}

#[test]
fn keys_are_unmistakable_and_words_numbers_names_and_dates_are_not() {
    let is_unmistakable = |value: &str| Secret::expose(value).is_unmistakable();
    for key in ["0123456789abcdef", "sk_live_51H4ndS0ffQ", "5f2b1c9e-8d7a-4e3f-9b6c-1a2d3e4f5a6b"] {
        assert!(is_unmistakable(key), "{key}");
    }
    for word in [
        "",
        "test",
        "name",
        "1234",
        "2024",
        "c-test-1",
        "0123456789abcde",
        "external_customer_id",
        "credits_ledger_entries",
        "2024-01-01T00:00:00Z",
        "12345678901234567890",
        "test-test-test-test-1",
        "xxxxxxxxxxxxxxxxxxxxxxx1",
    ] {
        assert!(!is_unmistakable(word), "{word}");
    }
}

/// The headers of a response as the connector gets them, by name.
fn sealed(secrets: &Secrets, name: &str, value: &str) -> Vec<(String, String)> {
    let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
    let mut headers = HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())]);
    secrets.seal(&mut headers);
    let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).unwrap();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

#[test]
fn headers_of_a_response_have_tokens_in_every_form_and_place() {
    const KEY: &str = "Sk/Live+0123456789&x";
    let secret = Secret::seal(KEY).unwrap();
    let token = secret.token.clone();
    let secrets = Secrets::new(vec![secret]);
    let base64 = |before: &str| BASE64_STANDARD.encode(format!("{before}{KEY}!"));
    for (value, expected) in [
        (KEY.to_owned(), token.clone()),
        (format!("key={KEY}; path=/"), format!("key={token}; path=/")),
        ("https://h/?k=Sk%2fLive%2B0123456789%26x&n=1".to_owned(), format!("https://h/?k={token}&n=1")),
        ("https://h/?k=%53%6B%252FLive%2b0123456789%26x".to_owned(), format!("https://h/?k={token}")),
        (r#"{"k":"Sk\/Live+0123456789\u0026x"}"#.to_owned(), format!(r#"{{"k":"{token}"}}"#)),
        (format!("id={};", base64("")), format!("id={token};")),
        (format!("id={};", base64("u")), format!("id={token};")),
        (format!("id={};", base64("us")), format!("id={token};")),
        (
            format!("Basic {}", base64("u:")),
            format!("Basic {}", BASE64_STANDARD.encode(format!("u:{token}!"))),
        ),
    ] {
        assert_eq!(sealed(&secrets, "x-echo", &value), [("x-echo".to_owned(), expected)], "{value}");
    }
    let name = "x-sk%2Flive+0123456789&x-y";
    assert_eq!(sealed(&secrets, name, "1"), [(format!("x-{token}-y"), "1".to_owned())]);
}

#[test]
fn of_secrets_that_begin_alike_nothing_is_left() {
    let (short, long) = ("acme-0123456789abcdef", "acme-0123456789abcdef-real");
    for pair in [[short, long], [long, short]] {
        let secrets = Secrets::new(pair.iter().map(|value| Secret::seal(value).unwrap()).collect());
        for secret in secrets.list() {
            let mut request = headers(&secret.token);
            secrets.unseal(&mut request, true).unwrap();
            assert_eq!(request["authorization"], secret.value.as_str());
            assert_eq!(sealed(&secrets, "x", &secret.value)[0].1, secret.token);
        }
    }
}
