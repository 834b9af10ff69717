//! What is sold, and at which price.

use elt_sdk::{
    rows::{Nested, Rows},
    stream::{Absent, Answer, Carry, Ends, Parents, Partition, Parts, Place, Stream},
};

use super::{ITEM, MAY_BE_UNKNOWN, METRIC, OF_PLAN, WHOLE};
use crate::{config::Config, plans};

const CATALOG: Stream<Config> = Stream { group: "catalog", ..WHOLE };

pub(super) static ITEMS: Stream<Config> =
    Stream { name: "items", requests: "1 per 100 items", path: "items", schema: "items.json", ..CATALOG };

pub(super) static BILLABLE_METRICS: Stream<Config> = Stream {
    name: "billable_metrics",
    requests: "1 per status and 100 metrics",
    path: "metrics",
    schema: "billable_metrics.json",
    carry: Carry { hoists: &[ITEM], ..Carry::NOTHING },
    parts: Some(Parts {
        place: Place::Query("status"),
        values: |config, _| Config::parts(&config.billable_metric_statuses),
    }),
    ..CATALOG
};

pub(super) static PRICES: Stream<Config> = Stream {
    name: "prices",
    requests: "1 per 100 prices",
    path: "prices",
    schema: "prices.json",
    carry: Carry { hoists: &[ITEM, METRIC], ..Carry::NOTHING },
    ..CATALOG
};

pub(super) static PLAN_PRICES: Stream<Config> = Stream {
    name: "plan_prices",
    requests: "1 per 100 plans",
    path: "plans",
    schema: "plan_prices.json",
    primary_key: &["plan_id", "id"],
    rows: Rows::Nested(Nested { list: "prices", copied: &[("id", "plan_id"), ("version", "plan_version")] }),
    carry: Carry { hoists: &[ITEM, METRIC], ..Carry::NOTHING },
    ..CATALOG
};

pub(super) static PLAN_VERSIONS: Stream<Config> = Stream {
    name: "plan_versions",
    requests: "1 per plan version and 1 per plan",
    path: "plans/{parent}/versions/{part}",
    schema: "plan_versions.json",
    primary_key: &["plan_id", "version"],
    answer: Answer::Object,
    carry: Carry { parent_as: Some("plan_id"), ..Carry::NOTHING },
    partition: Partition::Parents(OF_PLAN),
    // Orb does not list the versions.
    parts: Some(Parts { place: Place::Path, values: plans::versions }),
    page_limit: None,
    ends: Ends { absent: Absent::EndOfParts(plans::version_after), ..Ends::USUAL },
    ..CATALOG
};

pub(super) static PLAN_MIGRATIONS: Stream<Config> = Stream {
    name: "plan_migrations",
    requests: "1 per plan",
    path: "plans/{parent}/migrations",
    schema: "plan_migrations.json",
    partition: Partition::Parents(OF_PLAN),
    ..CATALOG
};

pub(super) static COUPONS: Stream<Config> = Stream {
    name: "coupons",
    requests: "1 per 100 coupons",
    path: "coupons",
    schema: "coupons.json",
    // Orb omits archived ones by default.
    filters: &[("show_archived", "true")],
    ..CATALOG
};

pub(super) static DIMENSIONAL_PRICE_GROUPS: Stream<Config> = Stream {
    name: "dimensional_price_groups",
    requests: "1 per 100 groups",
    path: "dimensional_price_groups",
    schema: "dimensional_price_groups.json",
    ..CATALOG
};

pub(super) static DIMENSIONAL_PRICE_GROUP_PRICES: Stream<Config> = Stream {
    name: "dimensional_price_group_prices",
    requests: "1 per group and 100 prices",
    path: "dimensional_price_groups/{parent}/prices",
    schema: "dimensional_price_group_prices.json",
    primary_key: &["dimensional_price_group_id", "id"],
    carry: Carry { hoists: &[ITEM, METRIC], parent_as: Some("dimensional_price_group_id"), ..Carry::NOTHING },
    partition: Partition::Parents(Parents::by_id(&DIMENSIONAL_PRICE_GROUPS, "dimensional_price_group_id")),
    filters: &[("status", "all")],
    // It is in Orb's SDK only.
    ends: MAY_BE_UNKNOWN,
    ..CATALOG
};

pub(super) static LICENSE_TYPES: Stream<Config> = Stream {
    name: "license_types",
    requests: "1 per 100 license types",
    path: "license_types",
    schema: "license_types.json",
    ..CATALOG
};
