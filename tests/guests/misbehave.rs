//! Gives two good records and a checkpoint, then does what the config's `how` says.

use std::cell::Cell;

use guests::{
    Batch, ConfiguredStream, Error, Specification, Stream, batch,
    exports::elt::connector::source::{Guest, GuestReader, Reader},
    specification, things,
};
use serde_json::Value;

struct Misbehave;

guests::export!(Misbehave);

impl Guest for Misbehave {
    type Reader = Misbehaving;

    fn spec() -> Specification {
        specification()
    }

    fn check(_: String) -> Result<(), Error> {
        Ok(())
    }

    fn discover(_: String) -> Result<Vec<Stream>, Error> {
        Ok(vec![things()])
    }

    fn read(config: String, _: ConfiguredStream, _: Option<String>) -> Result<Reader, Error> {
        let config = serde_json::from_str(&config).unwrap_or_default();
        Ok(Reader::new(Misbehaving { config, batches: Cell::new(0) }))
    }
}

struct Misbehaving {
    config: Value,
    batches: Cell<u32>,
}

impl GuestReader for Misbehaving {
    fn next_batch(&self) -> Result<Option<Batch>, Error> {
        match self.batches.replace(self.batches.get() + 1) {
            0 => Ok(Some(Batch {
                checkpoint: Some(r#"{"n":2}"#.into()),
                ..batch(&[r#"{"n":1}"#, r#"{"n":2}"#])
            })),
            1 => Ok(Some(self.misbehave())),
            _ => Ok(None),
        }
    }
}

impl Misbehaving {
    fn misbehave(&self) -> Batch {
        match self.config["how"].as_str().unwrap_or_default() {
            "panic" => panic!("on purpose"),
            "trap" => std::process::abort(),
            "newline" => batch(&["{\"n\":\n3}"]),
            "array" => batch(&["[3]"]),
            "not json" => batch(&[r#"{"n":"#]),
            "two objects" => batch(&[r#"{"n":3} {"n":4}"#]),
            "bad state" => Batch { checkpoint: Some("7".into()), ..batch(&[]) },
            "memory" => {
                let hoard: Vec<Vec<u8>> = (0..4096).map(|_| vec![1; 1 << 20]).collect();
                batch(&[&format!(r#"{{"n":{}}}"#, hoard.len())])
            }
            "look around" => look_around(),
            "call" => batch(&[&format!(
                r#"{{"answer":"{}"}}"#,
                call(self.config["url"].as_str().unwrap_or_default())
            )]),
            _ => batch(&[]),
        }
    }
}

/// What of the host can be seen: its arguments and its environment; and whether its output can be written to.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what must not be seen")]
fn look_around() -> Batch {
    println!("written by the guest");
    eprintln!("written by the guest");
    let (arguments, variables) = (std::env::args().count(), std::env::vars().count());
    batch(&[&format!(r#"{{"arguments":{arguments},"variables":{variables}}}"#)])
}

/// The status of a `GET` of a plain HTTP URL, or `denied`.
fn call(url: &str) -> String {
    use wasi::http::{
        outgoing_handler::handle,
        types::{ErrorCode, Fields, OutgoingBody, OutgoingRequest, Scheme},
    };
    let authority = url.trim_start_matches("http://").trim_end_matches('/');
    let request = OutgoingRequest::new(Fields::new());
    let parts = [
        request.set_scheme(Some(&Scheme::Http)),
        request.set_authority(Some(authority)),
        request.set_path_with_query(Some("/")),
    ];
    let (true, Ok(body)) = (parts.iter().all(Result::is_ok), request.body()) else { return "invalid".into() };
    let answer = handle(request, None).and_then(|response| {
        OutgoingBody::finish(body, None)?;
        response.subscribe().block();
        match response.get() {
            Some(Ok(answer)) => answer,
            _ => Err(ErrorCode::InternalError(None)),
        }
    });
    match answer {
        Ok(response) => response.status().to_string(),
        Err(ErrorCode::HttpRequestDenied) => "denied".into(),
        Err(code) => format!("{code:?}"),
    }
}
