//! The texts of records: as little as the connector and the account need.

use jiff::Timestamp;

pub(super) fn metadata(version: usize) -> String {
    format!("{{\"version\":\"v{version}\"}}")
}

/// A customer or a plan.
pub(super) fn plain(id: &str, at: Timestamp, version: usize) -> String {
    let metadata = metadata(version);
    format!("{{\"id\":\"{id}\",\"created_at\":\"{at}\",\"name\":\"One\",\"metadata\":{metadata}}}")
}

pub(super) fn subscription(
    id: &str,
    at: Timestamp,
    start: Timestamp,
    (zone, customer): (&str, &str),
    version: usize,
) -> String {
    let metric = super::METRIC;
    let metadata = metadata(version);
    format!(
        "{{\"id\":\"{id}\",\"created_at\":\"{at}\",\"start_date\":\"{start}\",\"end_date\":null,\"status\":\"active\",\
         \"customer\":{{\"id\":\"{customer}\",\"external_customer_id\":null,\"timezone\":\"{zone}\"}},\
         \"plan\":{{\"id\":\"p1\",\"name\":\"Plan\",\"version\":1,\"external_plan_id\":null,\"prices\":[\
         {{\"name\":\"Price\",\"billable_metric\":{{\"id\":\"{metric}\",\"name\":\"Metric\"}}}}]}},\
         \"price_intervals\":[],\"metadata\":{metadata}}}"
    )
}

pub(super) fn invoice(id: &str, at: Timestamp, status: &str, version: usize) -> String {
    let fields = invoice_fields(id, status, version);
    let fields: Vec<String> = fields.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect();
    format!(
        "{{\"id\":\"{id}\",\"invoice_date\":\"{at}\",\"created_at\":\"{at}\",\"currency\":\"USD\",\
         \"customer\":{{\"id\":\"c1\",\"external_customer_id\":null}},\"subscription\":null,\"total\":\"1.00\",{}}}",
        fields.join(",")
    )
}

/// The fields of an invoice that change.
pub(super) fn invoice_fields(id: &str, status: &str, version: usize) -> Vec<(&'static str, String)> {
    let nested = |kind: &str| format!("[{{\"id\":\"{id}-{kind}\",\"name\":\"v{version}\"}}]");
    vec![
        ("status", format!("\"{status}\"")),
        ("line_items", nested("line")),
        ("payment_attempts", nested("attempt")),
        ("metadata", metadata(version)),
    ]
}

pub(super) fn entry(
    id: &str,
    at: Timestamp,
    customer: &str,
    number: u32,
    is_committed: bool,
    version: usize,
) -> String {
    let fields = entry_fields(is_committed, version);
    let fields: Vec<String> = fields.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect();
    format!(
        "{{\"id\":\"{id}\",\"created_at\":\"{at}\",\"ledger_sequence_number\":{number},\
         \"entry_type\":\"decrement\",\"customer\":{{\"id\":\"{customer}\",\"external_customer_id\":null}},\
         \"currency\":\"credits\",\"amount\":1.10,\"credit_block\":null,{}}}",
        fields.join(",")
    )
}

/// The fields of a ledger entry that change.
pub(super) fn entry_fields(is_committed: bool, version: usize) -> Vec<(&'static str, String)> {
    let status = if is_committed { "\"committed\"" } else { "\"pending\"" };
    vec![("entry_status", status.to_owned()), ("metadata", metadata(version))]
}
