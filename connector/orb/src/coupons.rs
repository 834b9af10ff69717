//! Reads the subscriptions that have redeemed a coupon.

use elt_sdk::{problem::Problem, record::Record, slice::Slice};
use json_text::{Fields, Json, Object, quoted};

/// The fields of a subscription that stay. All others are in the stream `subscriptions`; a
/// subscription has some 30 kB.
const KEPT: [&str; 6] = ["id", "created_at", "status", "start_date", "end_date", "redeemed_coupon"];

/// Returns the record of a subscription.
///
/// # Errors
/// If it is not an object with an id.
pub fn subscriptions(element: Json<'_>, slice: &Slice) -> Result<Vec<Record>, Problem> {
    let subscription = Fields::of(element).ok_or("it is not an object")?;
    let id = subscription.value("id").ok_or("there is no \"id\"")?;
    let id_of = |name| subscription.object(name).and_then(|object| object.raw("id"));
    let mut record = Object::default();
    for (name, value) in subscription.iter().filter(|(name, _)| KEPT.iter().any(|kept| name.is(kept))) {
        record.carry(name, value.get());
    }
    record.push_plain("coupon_id", &quoted(slice.parent.as_deref().unwrap_or_default()));
    record.push_plain("subscription_id", id.get());
    record.push_plain("customer_id", id_of("customer").map_or("null", Json::get));
    record.push_plain("plan_id", id_of("plan").map_or("null", Json::get));
    Ok(vec![Record::new(record.finish(), None)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_joins_the_coupon_to_the_subscription() {
        let slice = Slice { parent: Some("c".into()), ..Slice::default() };
        let json = r#"{"id":"s","metadata":{},"plan":null,"customer":{"id":"x"},"status":"active",
            "redeemed_coupon":{"coupon_id":"d"}}"#;
        let records = subscriptions(Json::checked(json), &slice).unwrap();
        assert_eq!(
            records[0].json,
            r#"{"id":"s","status":"active","redeemed_coupon":{"coupon_id":"d"},"coupon_id":"c","subscription_id":"s","customer_id":"x","plan_id":null}"#
        );
        for other in ["[]", "{}", r#"{"id":null}"#] {
            assert!(subscriptions(Json::checked(other), &slice).is_err(), "{other}");
        }
    }
}
