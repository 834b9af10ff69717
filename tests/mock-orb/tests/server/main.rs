//! The running server, spoken to over plain sockets: what a client of any kind would see.

mod changes;
mod client;
mod events;
mod faults;
mod limits;
mod lists;
mod program;
mod usage;
