//! An HTTP interface for source connectors: `GET /spec`, `POST /check`, `POST /discover` and `POST
//! /read`. The answers are JSON; that of `/read` is JSON lines, streamed.

mod bindings {
    #![allow(missing_docs, clippy::all, unsafe_code, unreachable_pub, reason = "generated code")]
    #![allow(clippy::doc_markdown, reason = "generated code")]

    wit_bindgen::generate!({
        inline: "
            package edge:handler;
            world handler { import elt:connector/source@0.3.0; }
        ",
        path: "../../../wit",
        generate_all,
    });
}

mod answer;
mod budget;
mod question;
mod read;

use bindings::elt::connector::source;
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, Method, ResponseOutparam};

use answer::Answer;
use question::Question;

struct Handler;

wasi::http::proxy::export!(Handler);

impl Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        let answer = match (request.method(), path) {
            (Method::Get, "/spec") => answer::specification(&source::spec()),
            (Method::Post, "/check") => Question::read(&request)
                .map_or_else(|refused| refused, |question| answer::checked(source::check(&question.config))),
            (Method::Post, "/discover") => Question::read(&request).map_or_else(
                |refused| refused,
                |question| answer::discovered(source::discover(&question.config)),
            ),
            (Method::Post, "/read") => match Question::read(&request) {
                Ok(question) => return read::read(&question, out),
                Err(refused) => refused,
            },
            (_, "/spec") => Answer::not_allowed("GET"),
            (_, "/check" | "/discover" | "/read") => Answer::not_allowed("POST"),
            _ => Answer::problem(404, "the paths are /spec, /check, /discover and /read"),
        };
        answer.send(out);
    }
}
