//! The endpoints: an account, a path and a query in, Orb's answer out.

use crate::account::Account;
use crate::collection::Collection;
use crate::filter::Filter;
use crate::page::write_page;
use crate::parameter::Parameters;
use crate::problem::Problem;
use crate::query::decode;

/// The first segment of every path, the only version there is.
const VERSION: &str = "v1";

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Ping,
    List(Collection),
    Record(Collection, String),
    Ledger(String),
}

impl Endpoint {
    pub(crate) fn parse(path: &str) -> Option<Endpoint> {
        let rest = path.strip_prefix('/')?.strip_prefix(VERSION)?.strip_prefix('/')?;
        let segments: Vec<String> = rest.split('/').map(decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let ["ping"] = segments[..] {
            return Some(Endpoint::Ping);
        }
        if let ["customers", id, "credits", "ledger"] = segments[..] {
            return Some(Endpoint::Ledger(id.to_owned()));
        }
        let collection = Collection::ALL.into_iter().find(|it| it.segment() == segments[0])?;
        match segments[1..] {
            [] => Some(Endpoint::List(collection)),
            [id] if !id.is_empty() => Some(Endpoint::Record(collection, id.to_owned())),
            _ => None,
        }
    }

    /// The body of a successful answer.
    pub(crate) fn answer(
        &self,
        account: &Account,
        path: &str,
        query: &[(String, String)],
        repeat_token: bool,
    ) -> Result<String, Problem> {
        let filter = |parameters: Parameters| Filter::parse(path, query, parameters, account.settings().last);
        match self {
            Endpoint::Ping => {
                filter(Parameters::none())?;
                Ok("{\"response\":\"Orb API says hello!\"}".to_owned())
            }
            Endpoint::List(collection) => {
                let filter = filter(Parameters::of_list(*collection))?;
                Ok(write_page(account, &account.listing(*collection), &filter, repeat_token))
            }
            Endpoint::Record(collection, id) => {
                filter(Parameters::of_record(*collection))?;
                let missing = || Problem::resource_not_found(collection.resource(), id);
                account.record(*collection, id).ok_or_else(missing)
            }
            Endpoint::Ledger(customer_id) => {
                let filter = filter(Parameters::of_ledger())?;
                let missing = || Problem::resource_not_found(Collection::Customers.resource(), customer_id);
                let listing = account.ledger_listing(customer_id).ok_or_else(missing)?;
                Ok(write_page(account, &listing, &filter, repeat_token))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_paths_are_known_and_no_others() {
        assert_eq!(Endpoint::parse("/v1/ping"), Some(Endpoint::Ping));
        assert_eq!(Endpoint::parse("/v1/plans"), Some(Endpoint::List(Collection::Plans)));
        let record = Endpoint::Record(Collection::Invoices, "a/b".to_owned());
        assert_eq!(Endpoint::parse("/v1/invoices/a%2Fb"), Some(record));
        assert_eq!(Endpoint::parse("/v1/customers/x/credits/ledger"), Some(Endpoint::Ledger("x".to_owned())));
        for path in [
            "/",
            "/v1",
            "/v1/",
            "/v2/ping",
            "/ping",
            "/v1/plans/",
            "/v1/plans/x/y",
            "/v1//plans",
            "/v1/items",
        ] {
            assert_eq!(Endpoint::parse(path), None, "{path}");
        }
    }
}
