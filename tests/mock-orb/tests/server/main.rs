//! Tests of the running server over plain sockets, as any client sees it.

mod changes;
mod client;
mod events;
mod faults;
mod limits;
mod lists;
mod program;
mod usage;
