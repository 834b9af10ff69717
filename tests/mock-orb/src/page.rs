//! Writes one page of a list, joined from the records' own text.

use crate::account::{Account, Listing};
use crate::facet::Facet;
use crate::filter::Filter;
use crate::object::write_object;
use crate::page_token::write_token;
use crate::resource::{Call, List, Resource, View};
use crate::shelf::{Key, Row};

/// Writes the page that a filter selects. With `repeat_token` the list never ends: the next page's
/// token is the one that was sent, or a new one for the first page.
pub(crate) fn write_page(
    account: &Account,
    listing: &Listing<'_>,
    filter: &Filter,
    repeat_token: bool,
) -> String {
    let rows = listing.shelf.newest_first(filter.oldest, filter.newest);
    let rows = rows.filter(|(key, row)| meets(account, listing, filter, *key, row));
    write_rows(rows, filter, repeat_token, |key, row, out| account.write(listing.origin, key, row, out))
}

/// Writes the page that a filter selects of a resource's records.
pub(crate) fn write_list(resource: &Resource, list: &List, call: &Call<'_>) -> String {
    let shelf = call.account.row_shelf(resource.name, list, call.owner);
    let rows = shelf.newest_first(call.filter.oldest, call.filter.newest);
    let selected = |(key, row)| Some((key, call.account.selected_row(list, call, key, row)?));
    write_rows(rows.filter_map(selected), call.filter, call.repeat_token, |_, text, out| out.push_str(&text))
}

/// Writes the page that a filter selects of a collection's records in another form.
pub(crate) fn write_view(view: &View, call: &Call<'_>) -> String {
    let (account, filter) = (call.account, call.filter);
    let listing = account.listing(view.of);
    let rows = listing.shelf.newest_first(filter.oldest, filter.newest).filter(|(key, row)| {
        (view.keep)(account, call.owner, row) && meets(account, &listing, filter, *key, row)
    });
    write_rows(rows, filter, call.repeat_token, |key, row, out| {
        out.push_str(&(view.form)(&account.text(listing.origin, key, row)));
    })
}

/// Writes the first rows, as many as the filter allows, and the token for the others.
pub(crate) fn write_rows<T>(
    mut rows: impl Iterator<Item = (Key, T)>,
    filter: &Filter,
    repeat_token: bool,
    mut write: impl FnMut(Key, T, &mut String),
) -> String {
    let mut body = String::from("{\"data\":[");
    let mut last = None;
    for (key, row) in rows.by_ref().take(filter.limit) {
        if last.is_some() {
            body.push(',');
        }
        write(key, row, &mut body);
        last = Some(key);
    }
    body.push_str("],\"pagination_metadata\":");
    let token = if repeat_token {
        let after = last.unwrap_or(Key::OLDEST);
        Some(filter.token.clone().unwrap_or_else(|| write_token(after, filter.scope)))
    } else {
        last.filter(|_| rows.next().is_some()).map(|key| write_token(key, filter.scope))
    };
    write_metadata(&mut body, token.as_deref());
    body.push('}');
    body
}

/// Writes the answer's pagination metadata.
pub(crate) fn write_metadata(out: &mut String, token: Option<&str>) {
    write_object(out, |metadata| {
        metadata.flag("has_more", token.is_some()).optional_text("next_cursor", token);
    });
}

fn meets(account: &Account, listing: &Listing<'_>, filter: &Filter, key: Key, row: &Row) -> bool {
    let value = |facet: Facet| match row {
        Row::Generated(index) => account.blueprint.facet(listing.origin, *index, key.at, facet),
        Row::Written(text) => facet.read(text),
    };
    filter.tests.iter().all(|test| value(test.facet()).is_some_and(|value| test.accepts(&value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::Collection;
    use crate::field::lookup;
    use crate::parameter::Parameters;
    use crate::query::decode_query;
    use crate::settings::Settings;

    fn account() -> Account {
        Account::generate(&Settings { invoices: 90, ..Settings::default() })
    }

    fn page(account: &Account, collection: Collection, query: &str) -> (Vec<String>, Option<String>) {
        let now = account.settings().last;
        let filter =
            Filter::parse("/list", &decode_query(query), Parameters::of_list(collection), now).unwrap();
        let body = write_page(account, &account.listing(collection), &filter, false);
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        let ids = value["data"].as_array().unwrap();
        let ids = ids.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect();
        let metadata = &value["pagination_metadata"];
        assert_eq!(metadata["has_more"].as_bool(), Some(!metadata["next_cursor"].is_null()));
        (ids, metadata["next_cursor"].as_str().map(str::to_owned))
    }

    fn encoded(token: &str) -> String {
        token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
    }

    #[test]
    fn pages_give_every_record_once_while_others_arrive() {
        let mut account = account();
        let expected = account.ids(Collection::Customers);
        let (mut ids, mut token) = page(&account, Collection::Customers, "limit=7");
        while let Some(next) = token {
            account.create_customer(account.settings().last);
            let (more, after) =
                page(&account, Collection::Customers, &format!("limit=7&cursor={}", encoded(&next)));
            ids.extend(more);
            token = after;
        }
        assert_eq!(ids, expected);
    }

    #[test]
    fn a_page_that_ends_with_the_list_has_no_token() {
        let account = account();
        let customers = account.len(Collection::Customers);
        assert!(page(&account, Collection::Customers, &format!("limit={customers}")).1.is_none());
        assert!(page(&account, Collection::Customers, &format!("limit={}", customers - 1)).1.is_some());
    }

    /// Filters must give the same result for generated and for stored records.
    #[test]
    fn facets_of_generated_records_are_those_of_their_text() {
        use Facet::{
            Amount, Currency, CustomerId, DueDate, EntryStatus, EntryType, ExternalCustomerId,
            ExternalPlanId, InvoiceSource, PlanId, Status, SubscriptionId, Total,
        };
        let account = account();
        let mut listings: Vec<(Listing<'_>, &[Facet])> = vec![
            (account.listing(Collection::Plans), &[Status]),
            (
                account.listing(Collection::Subscriptions),
                &[Status, CustomerId, ExternalCustomerId, PlanId, ExternalPlanId],
            ),
            (
                account.listing(Collection::Invoices),
                &[Status, CustomerId, ExternalCustomerId, SubscriptionId, InvoiceSource, DueDate, Total],
            ),
        ];
        for customer in account.customer_ids() {
            let ledger = account.ledger_listing(&customer).unwrap();
            listings.push((ledger, &[Amount, Currency, EntryStatus, EntryType]));
        }
        let mut compared = 0;
        for (listing, facets) in &listings {
            for (key, row) in listing.shelf.all() {
                let Row::Generated(index) = row else { panic!("a written record") };
                let text = account.text(listing.origin, key, row);
                for &facet in *facets {
                    let generated = account.blueprint.facet(listing.origin, *index, key.at, facet);
                    assert_eq!(generated, lookup(&text, facet.path()), "{facet:?} of {text}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 500);
    }

    #[test]
    fn date_filters_compare_instants() {
        let account = account();
        let all = account.ids(Collection::Customers);
        let at = lookup(&account.records(Collection::Customers)[5], &["created_at"]).unwrap();
        let at: jiff::Timestamp = at.parse().unwrap();
        let shifted = format!("{}", at.display_with_offset(jiff::tz::offset(-5))).replace('+', "%2B");
        let newer = page(&account, Collection::Customers, &format!("limit=100&created_at[gt]={shifted}")).0;
        let not_newer =
            page(&account, Collection::Customers, &format!("limit=100&created_at[lte]={shifted}")).0;
        assert_eq!([newer.clone(), not_newer].concat(), all);
        let from = page(&account, Collection::Customers, &format!("limit=100&created_at[gte]={shifted}")).0;
        let older = page(&account, Collection::Customers, &format!("limit=100&created_at[lt]={shifted}")).0;
        assert_eq!([from.clone(), older].concat(), all);
        assert!(from.len() > newer.len());
    }
}
