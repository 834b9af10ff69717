//! A stateful emulator of Orb's billing API, for tests and experiments.
//!
//! An [`Account`] is generated from [`Settings`]: equal settings give equal accounts. A [`MockOrb`]
//! serves it on a port of its own as Orb documents: authentication, lists newest first, page
//! tokens, filters, limits and errors. The account also holds the [usage](Usage) of its
//! subscriptions, day by day, and the events from which ledger entries arose. Tests inject failures
//! with a [`Fault`] or a [`RateLimit`], and inspect the requests with [`MockOrb::requests`].
//!
//! The emulator follows Orb's documentation, not any one client. It rejects what is not documented,
//! so that a client's mistakes fail here first.
//!
//! Everything beyond customers, plans, subscriptions, invoices, ledgers and usage is a row of the
//! table in `resource.rs` with a file of its own, such as `record/credit_note.rs`. Tests change
//! such lists with [`Account::insert_row`], and take them away with [`Account::make_unavailable`].
//!
//! An account [mutates](Account::mutate) as its users and Orb change it, at once or at moments of a
//! read ([`MockOrb::plan`]), and logs the webhook events of that. A record that is got by its
//! identifier is always the one in the list.
//!
//! ```no_run
//! use mock_orb::{Account, Action, Fault, MockOrb, Moment, Script, Settings};
//!
//! let settings = Settings { customers: 1_000, ..Settings::default() };
//! let orb = MockOrb::start(Account::generate(&settings));
//! orb.plan(Script::default().at(Moment::Request(3), Action::PayInvoice));
//! orb.inject(Fault::status(503).on("/v1/customers").nth(2));
//! println!("{}", orb.url());
//! ```

mod account;
mod amount;
mod blueprint;
mod collection;
mod costs;
mod create;
mod delivery;
mod dice;
mod edit;
mod endpoint;
mod event;
mod event_search;
mod event_volume;
mod facet;
mod fault;
mod field;
mod filter;
mod hold;
mod instant;
mod kept_answers;
mod license_usage;
mod mutation;
mod object;
mod owner;
mod page;
mod page_token;
mod parameter;
mod plan_version;
mod problem;
mod query;
mod rate;
mod rate_class;
mod record;
mod request_log;
mod resource;
mod rows;
mod script;
mod server;
mod service;
mod settings;
mod shelf;
mod single;
mod terms;
mod time_zone;
mod timeframe;
mod timeline;
mod tls;
mod upcoming_invoice;
mod usage;
mod usage_answer;
mod usage_query;
mod usage_view;
mod webhook_log;

pub use jiff::Timestamp;
pub use jiff::civil::Date;

pub use crate::account::Account;
pub use crate::collection::Collection;
pub use crate::edit::RecordError;
pub use crate::fault::Fault;
pub use crate::hold::AccountGuard;
pub use crate::mutation::{Action, Applied, Clock, Mutation, MutationOptions};
pub use crate::rate::{RateLimit, RetryAfter};
pub use crate::rate_class::{RateClass, RateTable};
pub use crate::request_log::{Authorization, LoggedRequest};
pub use crate::rows::Unavailable;
pub use crate::script::{Moment, Script};
pub use crate::server::MockOrb;
pub use crate::settings::{DEFAULT_API_KEY, Settings};
pub use crate::usage::Usage;
pub use crate::webhook_log::PayloadStyle;
