//! `wasi:io`.

use wasmtime::component::{ComponentType, Lower, Resource, ResourceType};

use super::{Caller, Instance, enter, resources};
use crate::server::Flow;
use crate::world::{Pollable, World};

/// An error of a stream, and what it says.
pub(super) struct IoError(String);

/// An input stream: the body of the answer of an exchange.
pub(super) struct Input(pub(super) usize);

/// An output stream: the body of a request.
pub(super) struct Output(pub(super) u32);

#[derive(ComponentType, Lower)]
#[component(variant)]
pub(super) enum StreamError {
    #[component(name = "last-operation-failed")]
    Failed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

resources! {
    "error" => IoError,
    "io-error" => IoError,
    "pollable" => Pollable,
    "input-stream" => Input,
    "output-stream" => Output,
}

pub(super) fn error(instance: &mut Instance<'_>) -> wasmtime::Result<()> {
    instance.func_wrap(
        "[method]error.to-debug-string",
        |mut caller: Caller<'_>, (error,): (Resource<IoError>,)| {
            Ok((enter(&mut caller)?.table.get(&error)?.0.clone(),))
        },
    )
}

pub(super) fn poll(instance: &mut Instance<'_>) -> wasmtime::Result<()> {
    instance.func_wrap(
        "[method]pollable.ready",
        |mut caller: Caller<'_>, (pollable,): (Resource<Pollable>,)| {
            let world = enter(&mut caller)?;
            Ok((world.is_ready(*world.table.get(&pollable)?),))
        },
    )?;
    instance.func_wrap(
        "[method]pollable.block",
        |mut caller: Caller<'_>, (pollable,): (Resource<Pollable>,)| {
            let world = enter(&mut caller)?;
            let pollable = *world.table.get(&pollable)?;
            world.wait(&[pollable]).map(drop)
        },
    )?;
    instance.func_wrap("poll", |mut caller: Caller<'_>, (pollables,): (Vec<Resource<Pollable>>,)| {
        let world = enter(&mut caller)?;
        let pollables = pollables.iter().map(|pollable| Ok(*world.table.get(pollable)?));
        let pollables: Vec<Pollable> = pollables.collect::<wasmtime::Result<_>>()?;
        Ok((world.wait(&pollables)?,))
    })
}

pub(super) fn streams(instance: &mut Instance<'_>) -> wasmtime::Result<()> {
    instance.func_wrap(
        "[method]input-stream.read",
        |mut caller: Caller<'_>, (stream, most): (Resource<Input>, u64)| {
            let world = enter(&mut caller)?;
            let Input(index) = *world.table.get(&stream)?;
            let now = world.now;
            let exchange = &mut world.exchanges[index];
            let Some(answer) = &exchange.answer else { return Ok((Err(StreamError::Closed),)) };
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            Ok((match answer.read(exchange.head_at, exchange.read, most, now) {
                Flow::Bytes(bytes) => {
                    exchange.read += bytes.len();
                    Ok(bytes.to_vec())
                }
                Flow::Ended => Err(StreamError::Closed),
                Flow::Cut => {
                    Err(StreamError::Failed(world.table.push(IoError("connection reset".to_owned()))?))
                }
            },))
        },
    )?;
    instance.func_wrap(
        "[method]input-stream.subscribe",
        |mut caller: Caller<'_>, (stream,): (Resource<Input>,)| {
            let world = enter(&mut caller)?;
            let Input(index) = *world.table.get(&stream)?;
            Ok((world.table.push(Pollable::Body(index))?,))
        },
    )?;
    instance.func_wrap("[method]output-stream.check-write", |_: Caller<'_>, (_,): (Resource<Output>,)| {
        Ok((Ok::<u64, StreamError>(4096),))
    })?;
    for name in ["write", "blocking-write-and-flush"] {
        let write = |mut caller: Caller<'_>, (stream, bytes): (Resource<Output>, Vec<u8>)| {
            let world = enter(&mut caller)?;
            let Output(body) = *world.table.get(&stream)?;
            let body = Resource::new_borrow(body);
            let body: &mut super::http::OutgoingBody = world.table.get_mut(&body)?;
            let index = body.exchange;
            match index {
                Some(index) => world.exchanges[index].request.body.extend_from_slice(&bytes),
                None => body.early.extend_from_slice(&bytes),
            }
            Ok((Ok::<(), StreamError>(()),))
        };
        instance.func_wrap(&format!("[method]output-stream.{name}"), write)?;
    }
    for name in ["flush", "blocking-flush"] {
        instance.func_wrap(
            &format!("[method]output-stream.{name}"),
            |_: Caller<'_>, (_,): (Resource<Output>,)| Ok((Ok::<(), StreamError>(()),)),
        )?;
    }
    instance.func_wrap(
        "[method]output-stream.subscribe",
        |mut caller: Caller<'_>, (_,): (Resource<Output>,)| {
            Ok((enter(&mut caller)?.table.push(Pollable::At(0))?,))
        },
    )
}
