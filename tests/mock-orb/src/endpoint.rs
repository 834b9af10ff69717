//! Routes requests to endpoints and answers them from the account.

use hyper::Method;

use crate::account::Account;
use crate::collection::Collection;
use crate::event_search::EventSearch;
use crate::filter::Filter;
use crate::owner::{OwnedBy, Owner};
use crate::page::{write_list, write_page, write_view};
use crate::parameter::Parameters;
use crate::problem::Problem;
use crate::query::decode;
use crate::resource::{Answer, Call, RESOURCES, Resource};
use crate::rows::Unavailable;
use crate::single::Single;
use crate::usage_answer::write_usage;
use crate::usage_query::UsageQuery;

/// The first segment of every path: the only API version.
const VERSION: &str = "v1";

/// The endpoint that a method and a path select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Ping,
    List(Collection),
    Record(Collection, String),
    Ledger(String),
    Usage(String),
    EventSearch,
    /// A resource, and the segments of the path that the request chose.
    Resource(&'static Resource, Vec<String>),
    /// One record of a resource.
    Single(&'static Single, Vec<String>),
}

/// The parts of a request that endpoints use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    /// The path as sent.
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(String, String)],
    /// `None` if the body was too large; empty if there was none.
    pub(crate) body: Option<&'a [u8]>,
    /// Whether a fault makes lists endless.
    pub(crate) repeat_token: bool,
}

impl Endpoint {
    pub(crate) fn parse(method: &Method, path: &str) -> Option<Endpoint> {
        let rest = path.strip_prefix('/')?.strip_prefix(VERSION)?.strip_prefix('/')?;
        let segments: Vec<String> = rest.split('/').map(decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments[..] {
            ["events", "search"] => return (*method == Method::POST).then_some(Endpoint::EventSearch),
            _ if *method != Method::GET => return None,
            ["ping"] => return Some(Endpoint::Ping),
            ["customers", id, "credits", "ledger"] => return Some(Endpoint::Ledger(id.to_owned())),
            ["subscriptions", id, "usage"] => return Some(Endpoint::Usage(id.to_owned())),
            _ => {}
        }
        let resources = RESOURCES.iter().copied();
        let found = resources.filter_map(|resource| Some((resource, resource.matches(&segments)?))).next();
        if let Some((resource, chosen)) = found {
            return Some(Endpoint::Resource(resource, chosen));
        }
        if let Some((single, chosen)) = Single::parse(&segments) {
            return Some(Endpoint::Single(single, chosen));
        }
        let collection = Collection::ALL.into_iter().find(|it| it.segment() == segments[0])?;
        match segments[1..] {
            [] => Some(Endpoint::List(collection)),
            [id] if !id.is_empty() => Some(Endpoint::Record(collection, id.to_owned())),
            _ => None,
        }
    }

    /// The name of the resource, as [`Account::make_unavailable`] takes it.
    fn name(&self) -> &'static str {
        match self {
            Endpoint::Ping => "ping",
            Endpoint::List(collection) | Endpoint::Record(collection, _) => collection.segment(),
            Endpoint::Ledger(_) => "credits_ledger_entries",
            Endpoint::Usage(_) => "subscription_usage",
            Endpoint::EventSearch => "event_search",
            Endpoint::Resource(resource, _) => resource.name,
            Endpoint::Single(single, _) => single.list.name,
        }
    }

    /// The body of a successful answer.
    pub(crate) fn answer(&self, account: &Account, asked: Asked<'_>) -> Result<String, Problem> {
        match account.unavailable.get(self.name()) {
            Some(Unavailable::UrlNotFound) => return Err(Problem::url_not_found()),
            Some(Unavailable::FeatureNotAvailable) => return Err(Problem::feature_not_available()),
            None => {}
        }
        let now = account.settings().last;
        let Asked { path, query, body, repeat_token, .. } = asked;
        let filter = |parameters: Parameters| Filter::parse(path, query, parameters, now);
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
                let listing =
                    account.ledger_listing(customer_id).filter(|_| !account.is_deleted(customer_id));
                let listing = listing.ok_or_else(missing)?;
                Ok(write_page(account, &listing, &filter, repeat_token))
            }
            Endpoint::Usage(subscription_id) => {
                write_usage(account, subscription_id, &UsageQuery::parse(query)?, repeat_token)
            }
            Endpoint::EventSearch => {
                filter(Parameters::none())?;
                let body = body.ok_or_else(Problem::request_too_large)?;
                Ok(EventSearch::parse(body, now)?.answer(account))
            }
            Endpoint::Single(single, segments) => {
                filter(Parameters::none())?;
                let id = segments.last().map_or("", String::as_str);
                let missing = || Problem::resource_not_found(single.name, id);
                single.find(account, segments).ok_or_else(missing)
            }
            Endpoint::Resource(resource, segments) => {
                let filter = &filter(resource.parameters)?;
                let owner = &find_owner(account, resource.owner, segments, query)?;
                let call = Call { account, owner, filter, segments, query, repeat_token };
                match &resource.answer {
                    Answer::List(list) => Ok(write_list(resource, list, &call)),
                    Answer::View(view) => Ok(write_view(view, &call)),
                    Answer::Body(body) => body(&call),
                }
            }
        }
    }
}

/// The owner that a request names, in its path or in exactly one of some parameters.
fn find_owner(
    account: &Account,
    owned_by: OwnedBy,
    segments: &[String],
    query: &[(String, String)],
) -> Result<Owner, Problem> {
    let (kind, id) = match owned_by {
        OwnedBy::Account => return Ok(Owner::account()),
        OwnedBy::Path(kind) => (kind, segments.first().map_or("", String::as_str)),
        OwnedBy::Query(kinds) => {
            let kind = |name: &str| kinds.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
            let mut given = query.iter().filter_map(|(name, value)| Some((kind(name)?, value.as_str())));
            match (given.next(), given.next()) {
                (Some(only), None) => only,
                _ => {
                    let names: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
                    let error = format!("exactly one of {} must be given", names.join(", "));
                    return Err(Problem::validation(vec![error]));
                }
            }
        }
    };
    // What belongs to a customer under deletion cannot be read any more.
    let owner = account.owner(kind, id).filter(|owner| !account.is_deleted(&owner.id));
    owner.ok_or_else(|| Problem::resource_not_found(kind.resource(), id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Option<Endpoint> {
        Endpoint::parse(&Method::GET, path)
    }

    #[test]
    fn documented_paths_are_known_and_no_others() {
        assert_eq!(get("/v1/ping"), Some(Endpoint::Ping));
        assert_eq!(get("/v1/plans"), Some(Endpoint::List(Collection::Plans)));
        let record = Endpoint::Record(Collection::Invoices, "a/b".to_owned());
        assert_eq!(get("/v1/invoices/a%2Fb"), Some(record));
        assert_eq!(get("/v1/customers/x/credits/ledger"), Some(Endpoint::Ledger("x".to_owned())));
        assert_eq!(get("/v1/subscriptions/x/usage"), Some(Endpoint::Usage("x".to_owned())));
        for path in [
            "/",
            "/v1",
            "/v1/",
            "/v2/ping",
            "/ping",
            "/v1/plans/",
            "/v1/plans/x/y",
            "/v1//plans",
            "/v1/payments",
            "/v1/items/x/y",
            "/v1/items/",
            "/v1/plans/x/usage",
        ] {
            assert_eq!(get(path), None, "{path}");
        }
    }

    #[test]
    fn events_are_posted_for_and_all_else_is_got() {
        assert_eq!(Endpoint::parse(&Method::POST, "/v1/events/search"), Some(Endpoint::EventSearch));
        assert_eq!(get("/v1/events/search"), None);
        for path in ["/v1/ping", "/v1/customers", "/v1/subscriptions/x/usage", "/v1/events"] {
            assert_eq!(Endpoint::parse(&Method::POST, path), None, "{path}");
        }
    }
}
