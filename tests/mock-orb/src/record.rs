//! Generates records as Orb's API documents them, from a blueprint and an index.

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
