//! Finds what a request asks about: a customer, a subscription, or anything else that has lists of
//! its own.

use jiff::Timestamp;

use crate::account::Account;
use crate::blueprint::Origin;
use crate::collection::Collection;
use crate::dice::Salt;
use crate::field::lookup;
use crate::record::{coupon, customer, price_group};
use crate::resource::{Answer, Resource};
use crate::shelf::{Key, Row};

/// Where a request names what it asks about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OwnedBy {
    /// Nowhere: it asks about the account.
    Account,
    /// In the path.
    Path(Kind),
    /// In exactly one of these query parameters.
    Query(&'static [(&'static str, Kind)]),
}

/// What can own records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Account,
    Customer,
    /// A customer, named by its external identifier.
    ExternalCustomer,
    Subscription,
    Plan,
    Coupon,
    PriceGroup,
    CreditBlock,
}

/// The owner that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) kind: Kind,
    /// Empty for the account.
    pub(crate) id: String,
    /// The index from which its records derive; `None` if it was stored by hand and has none.
    pub(crate) index: Option<u64>,
    /// When it was created.
    pub(crate) at: Timestamp,
}

impl Kind {
    /// The name in Orb's error messages.
    pub(crate) fn resource(self) -> &'static str {
        match self {
            Kind::Account => "Account",
            Kind::Customer | Kind::ExternalCustomer => "Customer",
            Kind::Subscription => "Subscription",
            Kind::Plan => "Plan",
            Kind::Coupon => "Coupon",
            Kind::PriceGroup => "DimensionalPriceGroup",
            Kind::CreditBlock => "CreditBlock",
        }
    }
}

impl Owner {
    pub(crate) fn account() -> Owner {
        Owner { kind: Kind::Account, id: String::new(), index: Some(0), at: Timestamp::MIN }
    }

    /// The index from which its records derive.
    pub(crate) fn number(&self) -> u64 {
        self.index.unwrap_or(0)
    }
}

impl Account {
    /// The owner that a request names; `None` if it does not exist.
    pub(crate) fn owner(&self, kind: Kind, id: &str) -> Option<Owner> {
        let owner = |index, at| Owner { kind, id: id.to_owned(), index, at };
        let own = |collection, salt| {
            let (key, _) = self.shelf(collection).find(id)?;
            let index = self.blueprint.dice.index_of(salt, id);
            Some(owner(index.filter(|index| *index < self.next_index), key.at))
        };
        let row = |resource: &Resource, salt| {
            let (Answer::List(list), account) = (&resource.answer, Owner::account()) else { return None };
            let shelf = self.row_shelf(resource.name, list, &account);
            let place = |(key, row): (Key, &Row)| {
                let found = match row {
                    Row::Generated(index) => (list.id)(&self.blueprint, &account, *index),
                    Row::Written(text) => lookup(text, &[list.key])?,
                };
                (found == id).then(|| {
                    let index = coupon::index_of(id).or_else(|| self.blueprint.dice.index_of(salt, id));
                    owner(index.filter(|index| *index < 1 << 32), key.at)
                })
            };
            shelf.all().find_map(place)
        };
        match kind {
            Kind::Account => Some(Owner::account()),
            Kind::Customer => own(Collection::Customers, Salt::Customer),
            Kind::ExternalCustomer => {
                let named = |(_, row): &(Key, &Row)| match row {
                    Row::Generated(index) => customer::external_id(*index).as_deref() == Some(id),
                    Row::Written(text) => lookup(text, &["external_customer_id"]).as_deref() == Some(id),
                };
                let (key, row) = self.shelf(Collection::Customers).all().find(named)?;
                let text = self.text(Origin::Collection(Collection::Customers), key, row);
                self.owner(Kind::Customer, &lookup(&text, &["id"])?)
            }
            Kind::Subscription => own(Collection::Subscriptions, Salt::Subscription),
            Kind::Plan => own(Collection::Plans, Salt::Plan),
            Kind::Coupon => row(&coupon::RESOURCE, Salt::Coupon),
            Kind::PriceGroup => row(&price_group::RESOURCE, Salt::Group),
            // Found by its own endpoint, because blocks are listed by customer.
            Kind::CreditBlock => Some(owner(self.blueprint.dice.index_of(Salt::Block, id), Timestamp::MIN)),
        }
    }
}
