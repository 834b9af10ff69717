//! The part of WASI that connectors import, over the virtual [`World`].

mod http;
mod io;

use wasmtime::StoreContextMut;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance};

use crate::world::World;

/// Offers everything that `component` imports. What is not listed here traps when it is called.
pub(crate) fn add_to_linker(linker: &mut Linker<World>, component: &Component) -> wasmtime::Result<()> {
    let engine = component.engine().clone();
    for (name, import) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else { continue };
        let define: fn(&mut Instance<'_>) -> wasmtime::Result<()> = match name.split('@').next() {
            Some("wasi:io/error") => io::error,
            Some("wasi:io/poll") => io::poll,
            Some("wasi:io/streams") => io::streams,
            Some("wasi:clocks/monotonic-clock") => monotonic_clock,
            Some("wasi:clocks/wall-clock") => wall_clock,
            Some("wasi:http/types") => http::types,
            Some("wasi:http/outgoing-handler") => http::outgoing_handler,
            _ => continue,
        };
        let mut instance = linker.instance(name)?;
        // An interface repeats the resources of others that it uses.
        for (resource, item) in interface.exports(&engine) {
            if let ComponentItem::Resource(_) = item.ty
                && !(io::resource(&mut instance, resource)? || http::resource(&mut instance, resource)?)
            {
                return Err(wasmtime::format_err!("{name} has an unknown resource {resource}"));
            }
        }
        define(&mut instance)?;
    }
    linker.define_unknown_imports_as_traps(component)
}

/// Defines resources whose handles are entries of the table, by name. Says whether it is one of
/// them.
macro_rules! resources {
    ($($name:literal => $type:ty,)+) => {
        pub(super) fn resource(instance: &mut Instance<'_>, name: &str) -> wasmtime::Result<bool> {
            match name {
                $($name => instance.resource(name, ResourceType::host::<$type>(), |mut caller, handle| {
                    let world: &mut World = caller.data_mut();
                    world.table.delete(Resource::<$type>::new_own(handle))?;
                    Ok(())
                })?,)+
                _ => return Ok(false),
            }
            Ok(true)
        }
    };
}

use resources;

type Instance<'a> = LinkerInstance<'a, World>;
type Caller<'a> = StoreContextMut<'a, World>;

/// The world of a call, after counting the call.
fn enter<'a>(caller: &'a mut Caller<'_>) -> wasmtime::Result<&'a mut World> {
    let world = caller.data_mut();
    world.tick()?;
    Ok(world)
}

fn monotonic_clock(instance: &mut Instance<'_>) -> wasmtime::Result<()> {
    use crate::world::{Pollable, Time};
    let unsigned = |time: Time| u64::try_from(time).unwrap_or(0);
    instance
        .func_wrap("now", move |mut caller: Caller<'_>, (): ()| Ok((unsigned(enter(&mut caller)?.now),)))?;
    instance.func_wrap("resolution", |_: Caller<'_>, (): ()| Ok((1_u64,)))?;
    instance.func_wrap("subscribe-duration", |mut caller: Caller<'_>, (wait,): (u64,)| {
        let world = enter(&mut caller)?;
        let at = world.now.saturating_add_unsigned(wait);
        Ok((world.table.push(Pollable::At(at))?,))
    })?;
    instance.func_wrap("subscribe-instant", |mut caller: Caller<'_>, (at,): (u64,)| {
        let world = enter(&mut caller)?;
        Ok((world.table.push(Pollable::At(Time::try_from(at).unwrap_or(Time::MAX)))?,))
    })
}

fn wall_clock(instance: &mut Instance<'_>) -> wasmtime::Result<()> {
    #[derive(wasmtime::component::ComponentType, wasmtime::component::Lower)]
    #[component(record)]
    struct Datetime {
        seconds: u64,
        nanoseconds: u32,
    }
    instance.func_wrap("now", |mut caller: Caller<'_>, (): ()| {
        let now = u64::try_from(enter(&mut caller)?.wall_clock()).unwrap_or(0);
        let nanoseconds = u32::try_from(now % 1_000_000_000).unwrap_or(0);
        Ok((Datetime { seconds: now / 1_000_000_000, nanoseconds },))
    })?;
    instance.func_wrap("resolution", |_: Caller<'_>, (): ()| Ok((Datetime { seconds: 0, nanoseconds: 1 },)))
}
