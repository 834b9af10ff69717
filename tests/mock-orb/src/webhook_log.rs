//! Appends to the log of webhook events.

use std::fmt::{self, Display, Formatter};

use jiff::Timestamp;

use crate::account::Account;
use crate::collection::Collection;
use crate::dice::Salt;
use crate::instant::Spelling;
use crate::object::write_object;
use crate::record::{summary, webhook};

/// The form in which a webhook endpoint wants its payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum PayloadStyle {
    /// The whole object.
    #[default]
    Expanded,
    /// Summaries of invoices and subscriptions; other objects whole.
    Standard,
}

impl Display for PayloadStyle {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            PayloadStyle::Expanded => "expanded",
            PayloadStyle::Standard => "standard",
        })
    }
}

/// An event to log.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// The type, as Orb names it.
    pub(crate) kind: &'static str,
    pub(crate) subject: Subject,
    /// What else the event says, as an object.
    pub(crate) properties: String,
}

/// The object that an event is about, as it is when the event is logged.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Invoice(String),
    Subscription(String),
    /// Another object, by its name in the payload.
    Other(&'static str, String),
}

impl Event {
    pub(crate) fn new(kind: &'static str, subject: Subject) -> Event {
        Event { kind, subject, properties: "{}".to_owned() }
    }

    pub(crate) fn with(self, properties: String) -> Event {
        Event { properties, ..self }
    }
}

impl Account {
    /// Logs an event as the newest.
    pub(crate) fn log_event(&mut self, at: Timestamp, event: &Event) {
        let style = self.mutation_options.payload;
        let id = self.blueprint.dice.id(Salt::WebhookEvent, (1 << 50) + self.events_logged);
        self.events_logged += 1;
        let (name, object) = match (&event.subject, style) {
            (Subject::Invoice(text), PayloadStyle::Standard) => ("invoice", summary::of_invoice(text)),
            (Subject::Invoice(text), PayloadStyle::Expanded) => ("invoice", text.clone()),
            (Subject::Subscription(text), PayloadStyle::Standard) => {
                ("subscription", summary::of_subscription(text))
            }
            (Subject::Subscription(text), PayloadStyle::Expanded) => ("subscription", text.clone()),
            (Subject::Other(name, text), _) => (*name, text.clone()),
        };
        let mut text = String::new();
        write_object(&mut text, |entry| {
            entry.text("id", &id).text("type", event.kind).instant("created_at", at, Spelling::Offset);
            entry.flag("is_delivered", true);
            entry.object("payload", |payload| {
                payload.text("id", &id).instant("created_at", at, Spelling::Offset);
                payload.text("type", event.kind).text("payload_style", &style.to_string());
                payload.raw("properties", &event.properties).raw(name, &object);
            });
            entry.raw("delivery_attempts", "[]");
        });
        // The list exists, and the text has an identifier.
        let logged = self.insert_row(webhook::EVENTS.name, "", at, text);
        debug_assert!(logged.is_ok());
    }

    /// An event about a record as it is now.
    pub(crate) fn event_of(&self, kind: &'static str, collection: Collection, id: &str) -> Event {
        let text = self.record(collection, id).unwrap_or_else(|| "null".to_owned());
        let subject = match collection {
            Collection::Invoices => Subject::Invoice(text),
            Collection::Subscriptions => Subject::Subscription(text),
            Collection::Customers => Subject::Other("customer", text),
            Collection::Plans => Subject::Other("plan", text),
        };
        Event::new(kind, subject)
    }
}
