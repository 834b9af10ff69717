//! `wasi:http`: takes requests, and gives out the answers of the [`crate::server::Server`].

use wasmtime::component::{Resource, ResourceType};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, HeaderError, Method, Scheme};

use super::io::{Input, Output};
use super::{Caller, Instance, enter, resources};
use crate::server::{Outcome, Request};
use crate::world::{Pollable, World};

type Entries = Vec<(String, Vec<u8>)>;

struct Fields(Entries);

#[derive(Default)]
struct OutgoingRequest {
    request: Request,
    body: Option<u32>,
}

/// The body of a request. It may be written before or after the request is handed over.
#[derive(Default)]
pub(super) struct OutgoingBody {
    pub(super) exchange: Option<usize>,
    pub(super) early: Vec<u8>,
}

struct Options;
struct FutureResponse(usize);
struct Response(usize);
struct IncomingBody(usize);
struct Trailers;
struct Unused;

resources! {
    "fields" => Fields,
    "headers" => Fields,
    "trailers" => Fields,
    "outgoing-request" => OutgoingRequest,
    "outgoing-body" => OutgoingBody,
    "request-options" => Options,
    "future-incoming-response" => FutureResponse,
    "incoming-response" => Response,
    "incoming-body" => IncomingBody,
    "future-trailers" => Trailers,
    // What only a server has.
    "incoming-request" => Unused,
    "response-outparam" => Unused,
    "outgoing-response" => Unused,
}

pub(super) fn types(instance: &mut Instance<'_>) -> wasmtime::Result<()> {
    requests(instance)?;
    responses(instance)
}

fn requests(instance: &mut Instance<'_>) -> wasmtime::Result<()> {
    instance.func_wrap("[static]fields.from-list", |mut caller: Caller<'_>, (entries,): (Entries,)| {
        Ok((Ok::<_, HeaderError>(enter(&mut caller)?.table.push(Fields(entries))?),))
    })?;
    instance.func_wrap(
        "[method]fields.entries",
        |mut caller: Caller<'_>, (fields,): (Resource<Fields>,)| {
            Ok((enter(&mut caller)?.table.get(&fields)?.0.clone(),))
        },
    )?;
    instance.func_wrap(
        "[constructor]outgoing-request",
        |mut caller: Caller<'_>, (headers,): (Resource<Fields>,)| {
            let world = enter(&mut caller)?;
            let Fields(headers) = world.table.delete(headers)?;
            let text =
                |(name, value): (String, Vec<u8>)| (name, String::from_utf8_lossy(&value).into_owned());
            let headers = headers.into_iter().map(text).collect();
            let request = Request { headers, method: "GET".to_owned(), ..Request::default() };
            Ok((world.table.push(OutgoingRequest { request, body: None })?,))
        },
    )?;
    instance.func_wrap(
        "[method]outgoing-request.set-method",
        |mut caller: Caller<'_>, (request, method): (Resource<OutgoingRequest>, Method)| {
            let request = enter(&mut caller)?.table.get_mut(&request)?;
            request.request.method = match method {
                Method::Get => "GET".to_owned(),
                Method::Post => "POST".to_owned(),
                other => format!("{other:?}"),
            };
            Ok((Ok::<(), ()>(()),))
        },
    )?;
    instance.func_wrap(
        "[method]outgoing-request.set-scheme",
        |mut caller: Caller<'_>, (request, scheme): (Resource<OutgoingRequest>, Option<Scheme>)| {
            let request = enter(&mut caller)?.table.get_mut(&request)?;
            request.request.is_https = matches!(scheme, Some(Scheme::Https));
            Ok((Ok::<(), ()>(()),))
        },
    )?;
    instance.func_wrap(
        "[method]outgoing-request.set-authority",
        |mut caller: Caller<'_>, (request, authority): (Resource<OutgoingRequest>, Option<String>)| {
            enter(&mut caller)?.table.get_mut(&request)?.request.authority = authority.unwrap_or_default();
            Ok((Ok::<(), ()>(()),))
        },
    )?;
    instance.func_wrap(
        "[method]outgoing-request.set-path-with-query",
        |mut caller: Caller<'_>, (request, target): (Resource<OutgoingRequest>, Option<String>)| {
            enter(&mut caller)?.table.get_mut(&request)?.request.target = target.unwrap_or_default();
            Ok((Ok::<(), ()>(()),))
        },
    )?;
    instance.func_wrap(
        "[method]outgoing-request.body",
        |mut caller: Caller<'_>, (request,): (Resource<OutgoingRequest>,)| {
            let world = enter(&mut caller)?;
            let body = world.table.push(OutgoingBody::default())?;
            world.table.get_mut(&request)?.body = Some(body.rep());
            Ok((Ok::<_, ()>(body),))
        },
    )?;
    instance.func_wrap(
        "[method]outgoing-body.write",
        |mut caller: Caller<'_>, (body,): (Resource<OutgoingBody>,)| {
            Ok((Ok::<_, ()>(enter(&mut caller)?.table.push(Output(body.rep()))?),))
        },
    )?;
    instance.func_wrap(
        "[static]outgoing-body.finish",
        |mut caller: Caller<'_>, (body, _): (Resource<OutgoingBody>, Option<Resource<Fields>>)| {
            enter(&mut caller)?.table.delete(body)?;
            Ok((Ok::<(), ErrorCode>(()),))
        },
    )
}

fn responses(instance: &mut Instance<'_>) -> wasmtime::Result<()> {
    instance.func_wrap(
        "[method]future-incoming-response.subscribe",
        |mut caller: Caller<'_>, (future,): (Resource<FutureResponse>,)| {
            let world = enter(&mut caller)?;
            let index = world.table.get(&future)?.0;
            Ok((world.table.push(Pollable::Head(index))?,))
        },
    )?;
    instance.func_wrap(
        "[method]future-incoming-response.get",
        |mut caller: Caller<'_>, (future,): (Resource<FutureResponse>,)| {
            let world = enter(&mut caller)?;
            let index = world.table.get(&future)?.0;
            if !world.is_ready(Pollable::Head(index)) {
                return Ok((None::<Result<Result<Resource<Response>, ErrorCode>, ()>>,));
            }
            let answer = world.exchanges[index].answer.as_ref();
            Ok((Some(Ok(match answer.map(|answer| &answer.outcome) {
                Some(Outcome::Failed(code)) => Err(code.code()),
                _ => Ok(world.table.push(Response(index))?),
            })),))
        },
    )?;
    instance.func_wrap(
        "[method]incoming-response.status",
        |mut caller: Caller<'_>, (response,): (Resource<Response>,)| {
            let world = enter(&mut caller)?;
            let index = world.table.get(&response)?.0;
            Ok((world.exchanges[index].answer.as_ref().map_or(0, |answer| answer.status),))
        },
    )?;
    instance.func_wrap(
        "[method]incoming-response.headers",
        |mut caller: Caller<'_>, (response,): (Resource<Response>,)| {
            let world = enter(&mut caller)?;
            let index = world.table.get(&response)?.0;
            let headers = world.exchanges[index].answer.as_ref().map(|answer| answer.headers.clone());
            let bytes = |(name, value): (String, String)| (name, value.into_bytes());
            let headers = headers.unwrap_or_default().into_iter().map(bytes).collect();
            Ok((world.table.push(Fields(headers))?,))
        },
    )?;
    instance.func_wrap(
        "[method]incoming-response.consume",
        |mut caller: Caller<'_>, (response,): (Resource<Response>,)| {
            let world = enter(&mut caller)?;
            let index = world.table.get(&response)?.0;
            Ok((Ok::<_, ()>(world.table.push(IncomingBody(index))?),))
        },
    )?;
    instance.func_wrap(
        "[method]incoming-body.stream",
        |mut caller: Caller<'_>, (body,): (Resource<IncomingBody>,)| {
            let world = enter(&mut caller)?;
            let index = world.table.get(&body)?.0;
            Ok((Ok::<_, ()>(world.table.push(Input(index))?),))
        },
    )?;
    instance.func_wrap(
        "[static]incoming-body.finish",
        |mut caller: Caller<'_>, (body,): (Resource<IncomingBody>,)| {
            let world = enter(&mut caller)?;
            world.table.delete(body)?;
            Ok((world.table.push(Trailers)?,))
        },
    )
}

pub(super) fn outgoing_handler(instance: &mut Instance<'_>) -> wasmtime::Result<()> {
    instance.func_wrap(
        "handle",
        |mut caller: Caller<'_>, (request, _): (Resource<OutgoingRequest>, Option<Resource<Options>>)| {
            let world = enter(&mut caller)?;
            let OutgoingRequest { mut request, body } = world.table.delete(request)?;
            let body = body.map(Resource::<OutgoingBody>::new_borrow);
            if let Some(body) = &body {
                request.body = std::mem::take(&mut world.table.get_mut(body)?.early);
            }
            let index = world.send(request);
            if let Some(body) = &body {
                world.table.get_mut(body)?.exchange = Some(index);
            }
            Ok((Ok::<_, ErrorCode>(world.table.push(FutureResponse(index))?),))
        },
    )
}
