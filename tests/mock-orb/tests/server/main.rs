//! Tests of the running server over plain sockets, as any client sees it.

mod changes;
mod client;
mod computed;
mod costs;
mod events;
mod faults;
mod joins;
mod limits;
mod lists;
mod mutations;
mod past_days;
mod program;
mod resources;
mod selections;
mod singles;
mod usage;
