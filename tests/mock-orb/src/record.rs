//! The records as Orb's API documents them: a blueprint and an index in, JSON text out.

pub(crate) mod customer;
pub(crate) mod event;
pub(crate) mod invoice;
pub(crate) mod ledger_entry;
pub(crate) mod ledger_step;
pub(crate) mod line_item;
pub(crate) mod plan;
pub(crate) mod price;
pub(crate) mod subscription;
pub(crate) mod usage_point;
