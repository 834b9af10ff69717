//! `connector/template`: the connector template reads a library through the real host.

use scripted_server::{Answer, Request, Server};
use serde_json::{Value, json};

use crate::support::Setup;

/// Two authors on two pages, newest first, and two books by the first one.
fn library() -> Server {
    Server::start(|request: &Request| {
        if request.header("authorization") != Some("Bearer word") {
            return Answer::with("401 Unauthorized", &[], "{}");
        }
        let path = request.target().trim_start_matches("/v1/");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let body = match (path, query.contains("page=2")) {
            ("status", _) => json!({ "status": "open" }),
            ("authors", false) => {
                json!({ "items": [author("b", 2)], "next_page": "2" })
            }
            ("authors", true) => json!({ "items": [author("a", 1)], "next_page": null }),
            ("authors/a/books", _) => {
                json!({ "items": [book("a2", 4), book("a1", 3)], "next_page": null })
            }
            ("authors/b/books", _) => json!({ "items": [], "next_page": null }),
            _ => return Answer::with("404 Not Found", &[], "{}"),
        };
        Answer::ok(body.to_string())
    })
}

fn author(id: &str, day: u32) -> Value {
    json!({ "id": id, "name": id, "created_at": format!("2024-03-{day:02}T00:00:00Z") })
}

fn book(id: &str, day: u32) -> Value {
    json!({ "id": id, "title": id, "created_at": format!("2024-03-{day:02}T00:00:00Z") })
}

fn setup(server: &Server) -> Setup {
    let url = format!("{}/v1", server.url());
    let config = json!({ "api_url": url, "api_key": "word", "start_date": "2024-01-01T00:00:00Z" });
    Setup::template(config)
}

#[test]
fn the_template_reads_every_author_and_book() {
    let server = library();
    let output = setup(&server).read(&["authors", "books"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.records("authors").len(), 2);
    let books = output.records("books");
    assert_eq!(books.len(), 2);
    assert!(books.iter().all(|book| book.contains(r#""author_id":"a""#)), "{books:?}");
}

#[test]
fn the_template_continues_from_its_state() {
    let server = library();
    let output =
        setup(&server).read_from(&["authors"], r#"{"authors":{"created_at":"2024-03-02T00:00:00Z"}}"#);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(
        server.requests()[0].target().contains("created_at%5Bgte%5D=2024-03-01T23%3A59%3A00"),
        "{:?}",
        server.requests()
    );
}

#[test]
fn the_template_says_what_is_wrong_with_its_key() {
    let server = library();
    let output = setup(&server).with("api_key", "other").check();
    assert!(output.stdout.contains("check api_key"), "{}", output.stdout);
}

#[test]
fn the_template_names_the_property_that_is_wrong() {
    let server = library();
    let output = setup(&server).with("end_date", "2023-01-01T00:00:00Z").check();
    assert!(output.stdout.contains("config: end_date is before start_date"), "{}", output.stdout);
    let output = setup(&server).with("start_date", "9999-01-01T00:00:00Z").check();
    assert!(output.stdout.contains("the start date lies in the future"), "{}", output.stdout);
    assert!(server.requests().is_empty());
}
