//! What every connector uses: `use elt_sdk::prelude::*;`.

pub use crate::{
    api::Api,
    cursor::TimeRange,
    error::{Error, Result},
    http::{Request, Response},
    list::ListFields,
    page::Page,
    problem::Problem,
    properties::Properties,
    request::{PageParameters, PageRequest},
    secret::Secret,
    server::{Server, Verdict},
    source::{Check, Settings, Source, Specification},
    stream::{Carry, Parents, Partition, Stream, TimeFilter},
};
