//! Makes the host hold more and more, of the kind that its config names, and lets nothing go.

use std::mem;

use guests::{Hostile, Next, Value, error, http, json, number, once, text};
use wasi::clocks::monotonic_clock::subscribe_duration;
use wasi::http::outgoing_handler::handle;
use wasi::http::types::{Fields, IncomingResponse, Method, OutgoingRequest, Scheme};
use wasi::io::poll::poll;

struct Hoarder;

guests::hostile!(Hoarder);

impl Hostile for Hoarder {
    fn misbehave(config: &Value, turn: u64) -> Next {
        if turn > 0 {
            return Ok(None);
        }
        let mut hoard = hoard(config).map_err(error)?;
        for _ in 0..number(config, "count") {
            hoard().map_err(error)?;
        }
        once(turn, || json!({ "hoarded": number(config, "count") }))
    }
}

type Hoard<'c> = Box<dyn FnMut() -> Result<(), String> + 'c>;

/// What makes the host hold one thing more.
fn hoard(config: &Value) -> Result<Hoard<'_>, String> {
    let size = number(config, "bytes");
    let long = "x".repeat(size);
    let request = || OutgoingRequest::new(Fields::new());
    let wrong = |()| "it is not accepted".to_owned();
    let call = json!({ "url": text(config, "api_url"), "method": "POST" });
    Ok(match text(config, "kind") {
        "bodies" => Box::new(move || {
            let (request, body) = http::prepare(&call)?;
            write(&body, size)?;
            mem::forget((request, body));
            Ok(())
        }),
        "sent bodies" => Box::new(move || {
            let (request, body) = http::prepare(&call)?;
            let response = handle(request, None).map_err(|code| format!("{code:?}"))?;
            let stream = body.write().map_err(wrong)?;
            for chunk in long.as_bytes().chunks(4096) {
                stream.blocking_write_and_flush(chunk).map_err(|error| format!("{error:?}"))?;
            }
            mem::forget((response, stream, body));
            Ok(())
        }),
        "large fields" => Box::new(move || {
            let fields = Fields::new();
            fields.append("x", long.as_bytes()).map_err(|error| format!("{error:?}"))?;
            mem::forget(fields);
            Ok(())
        }),
        "many fields" => Box::new(move || {
            let fields = Fields::new();
            for at in 0..size {
                fields.append(&format!("x{at}"), b"").map_err(|error| format!("{error:?}"))?;
            }
            mem::forget(fields);
            Ok(())
        }),
        "clones" => {
            let fields = Fields::new();
            fields.append("x", long.as_bytes()).map_err(|error| format!("{error:?}"))?;
            Box::new(move || {
                let clone = fields.clone();
                clone.append("y", b"y").map_err(|error| format!("{error:?}"))?;
                mem::forget(clone);
                Ok(())
            })
        }
        "authorities" => Box::new(move || {
            let request = request();
            request.set_authority(Some(&long)).map_err(wrong)?;
            mem::forget(request);
            Ok(())
        }),
        "paths" => Box::new(move || {
            let request = request();
            request.set_path_with_query(Some(&format!("/{long}"))).map_err(wrong)?;
            mem::forget(request);
            Ok(())
        }),
        "methods" => Box::new(move || {
            let request = request();
            request.set_method(&Method::Other(long.clone())).map_err(wrong)?;
            mem::forget(request);
            Ok(())
        }),
        "schemes" => Box::new(move || {
            let request = request();
            request.set_scheme(Some(&Scheme::Other("s".repeat(size.min(60))))).map_err(wrong)?;
            mem::forget(request);
            Ok(())
        }),
        "unread answers" => Box::new(move || {
            mem::forget(head(&call)?);
            Ok(())
        }),
        "begun answers" => Box::new(move || {
            let answer = head(&call)?;
            let body = answer.consume().map_err(wrong)?;
            let stream = body.stream().map_err(wrong)?;
            stream.blocking_read(1).map_err(|error| format!("{error:?}"))?;
            mem::forget((answer, body, stream));
            Ok(())
        }),
        "kept heads" => Box::new(move || {
            let answer = head(&call)?;
            let body = answer.consume().map_err(wrong)?;
            drop(body);
            mem::forget(answer);
            Ok(())
        }),
        "polled" => Box::new(move || {
            let pollables: Vec<_> = (0..size).map(|_| subscribe_duration(u64::MAX)).collect();
            let first = subscribe_duration(0);
            poll(&pollables.iter().chain([&first]).collect::<Vec<_>>());
            mem::forget(pollables);
            Ok(())
        }),
        other => return Err(format!("{other} is nothing to hoard")),
    })
}

/// Fills the buffer of a body that nobody reads.
fn write(body: &wasi::http::types::OutgoingBody, size: usize) -> Result<(), String> {
    let stream = body.write().map_err(|()| "the body cannot be written")?;
    let mut left = size;
    while left > 0 {
        let room = usize::try_from(stream.check_write().map_err(|error| format!("{error:?}"))?);
        let room = room.unwrap_or_default().min(left);
        if room == 0 {
            break;
        }
        stream.write(&vec![b'x'; room]).map_err(|error| format!("{error:?}"))?;
        left -= room;
    }
    mem::forget(stream);
    Ok(())
}

/// Waits for the head of an answer.
fn head(call: &Value) -> Result<IncomingResponse, String> {
    let response = http::send(call)?;
    loop {
        match response.get() {
            Some(Ok(answer)) => return answer.map_err(|code| format!("{code:?}")),
            Some(Err(())) => return Err("taken twice".into()),
            None => response.subscribe().block(),
        }
    }
}
