//! The running server, spoken to over plain sockets: what a client of any kind would see.

mod changes;
mod client;
mod faults;
mod lists;
mod program;
