//! Lists what can happen to an account: each action with its target and its effect.

use super::target::Target;
use super::{Change, Outcome, backfill, billing, catalog, credit_note, deletion, invoice};
use crate::account::Account;
use crate::edit::RecordError;
use crate::field::lookup;

type Apply = fn(&mut Account, &Change<'_>) -> Result<Outcome, RecordError>;

/// One row of the table of actions.
#[derive(Debug)]
pub(super) struct Rule {
    name: &'static str,
    pub(super) target: Target,
    pub(super) apply: Apply,
    /// The types of the events that are logged, as Orb names them.
    events: &'static [&'static str],
    value: &'static str,
}

macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $action:ident = $name:literal, $target:expr, $apply:path,
        $events:expr, $value:literal;)+) => {
        /// What can happen to an account.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[doc = $doc])+ $action,)+
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Action] = &[$(Action::$action),+];

            pub(super) fn rule(self) -> &'static Rule {
                match self {
                    $(Action::$action => {
                        static RULE: Rule = Rule {
                            name: $name, target: $target, apply: $apply, events: &$events, value: $value,
                        };
                        &RULE
                    })+
                }
            }
        }
    };
}

impl Action {
    /// The name in scripts, such as `pay_invoice`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.rule().name
    }

    /// The action with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Action> {
        Action::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// The types of the webhook events that tell of it; none if Orb has none.
    #[must_use]
    pub fn events(self) -> &'static [&'static str] {
        self.rule().events
    }

    /// What a value would be; empty if it takes none.
    #[must_use]
    pub fn value(self) -> &'static str {
        self.rule().value
    }
}

const OPEN: Target = Target::Invoice(&["issued", "synced"]);
const DRAFT: Target = Target::Invoice(&["draft"]);
const BILLED: Target = Target::Invoice(&["issued", "synced", "paid"]);

actions! {
    /// A customer pays an issued or synced invoice through the payment provider.
    PayInvoice = "pay_invoice", OPEN, invoice::pay, ["invoice.payment_succeeded"], "";
    /// An issued or synced invoice is marked as paid by hand.
    MarkInvoicePaid = "mark_invoice_paid", OPEN, invoice::mark_paid, ["invoice.manually_marked_as_paid"], "";
    /// A paid invoice is issued again.
    UndoPayment = "undo_payment", Target::Invoice(&["paid"]), invoice::undo_payment,
        ["invoice.undo_mark_as_paid"], "";
    /// A payment of an issued or synced invoice fails; the attempt is recorded.
    FailPayment = "fail_payment", OPEN, invoice::fail_payment, ["invoice.payment_failed"], "";
    /// An issued invoice is voided.
    VoidInvoice = "void_invoice", Target::Invoice(&["issued"]), invoice::void,
        ["invoice.manually_marked_as_void"], "";
    /// A draft is issued late: its `invoice_date` does not change.
    IssueInvoice = "issue_invoice", DRAFT, invoice::issue, ["invoice.issued"], "";
    /// An issued invoice is pushed to an external provider.
    SyncInvoice = "sync_invoice", Target::Invoice(&["issued"]), invoice::sync,
        ["invoice.sync_succeeded"], "";
    /// The `invoice_date` of a draft moves, backwards or forwards.
    MoveInvoiceDate = "move_invoice_date", DRAFT, invoice::move_date, ["invoice.edited"], "INSTANT";
    /// A draft gets another line item, and its totals grow.
    AddLineItem = "add_line_item", DRAFT, invoice::add_line_item, ["invoice.edited"], "";
    /// The metadata and the memo of an invoice in any state are edited.
    EditInvoice = "edit_invoice", Target::Invoice(&[]), invoice::edit, ["invoice.edited"], "";
    /// A draft is deleted, and gone.
    DeleteInvoice = "delete_invoice", DRAFT, deletion::delete_invoice, ["invoice.edited"], "";
    /// A customer is created.
    CreateCustomer = "create_customer", Target::Account, billing::create_customer,
        ["customer.created"], "";
    /// The name and the metadata of a customer are edited.
    EditCustomer = "edit_customer", Target::Customer, billing::edit_customer, ["customer.edited"], "";
    /// A customer is deleted: it is a stub from now on, and its subscriptions and drafts are gone.
    /// Issued invoices stay, although Orb itself refuses to delete a customer that has any.
    DeleteCustomer = "delete_customer", Target::Customer, deletion::delete_customer,
        ["customer.edited", "subscription.ended", "invoice.edited"], "";
    /// The deletion of a customer is completed: its stub is gone.
    EraseCustomer = "erase_customer", Target::DeletedCustomer, deletion::erase_customer, [], "";
    /// A customer gets another subscription.
    CreateSubscription = "create_subscription", Target::Customer, billing::create_subscription,
        ["subscription.created"], "";
    /// The metadata and the net terms of a subscription are edited.
    EditSubscription = "edit_subscription", Target::Subscription(&[]), billing::edit_subscription,
        ["subscription.edited"], "";
    /// An active or upcoming subscription ends now.
    EndSubscription = "end_subscription", Target::Subscription(&["active", "upcoming"]),
        billing::end_subscription, ["subscription.ended"], "";
    /// The next billing period of an active subscription begins. Orb has no event for that.
    RenewSubscription = "renew_subscription", Target::Subscription(&["active"]),
        billing::renew_subscription, [], "";
    /// An active subscription changes to another plan. Its usage and costs so far do not change.
    ChangePlan = "change_plan", Target::Subscription(&["active"]), billing::change_plan,
        ["subscription.plan_changed"], "PLAN_ID";
    /// An alert of a subscription is disabled.
    DisableAlert = "disable_alert", Target::Alert, billing::disable_alert,
        ["subscription.alert_disabled"], "";
    /// The description and the metadata of a plan are edited.
    EditPlan = "edit_plan", Target::Plan, catalog::edit_plan, ["plan.edited"], "";
    /// A plan gets a new version, which becomes its default.
    AddPlanVersion = "add_plan_version", Target::Plan, catalog::add_plan_version,
        ["plan.version_created", "plan.default_version_set"], "";
    /// The metadata of a listed price is edited.
    EditPrice = "edit_price", Target::Row("prices", |_, _| true), catalog::edit_price,
        ["price.edited"], "";
    /// The metadata of a metric is edited.
    EditMetric = "edit_metric", Target::Row("billable_metrics", |_, _| true), catalog::edit_metric,
        ["billable_metric.edited"], "";
    /// The name of an item is edited. Orb has no event for that.
    EditItem = "edit_item", Target::Row("items", |_, _| true), catalog::edit_item, [], "";
    /// A coupon is archived. Orb has no event for that.
    ArchiveCoupon = "archive_coupon",
        Target::Row("coupons", |_, coupon| lookup(coupon, &["archived_at"]).is_none()),
        catalog::archive_coupon, [], "";
    /// An invoice that is not a draft is credited; the target is the invoice.
    IssueCreditNote = "issue_credit_note", BILLED, credit_note::issue, ["credit_note.issued"], "";
    /// A credit note is voided.
    VoidCreditNote = "void_credit_note",
        Target::Row("credit_notes", |_, note| lookup(note, &["voided_at"]).is_none()),
        credit_note::void, ["credit_note.marked_as_void"], "";
    /// A backfill of past days begins, for a customer or for `all`. It changes nothing yet.
    StartBackfill = "start_backfill", Target::Backfilled, backfill::start, [], "START/END";
    /// A pending backfill is reflected: the usage, costs and volumes of its days change.
    ReflectBackfill = "reflect_backfill",
        Target::Row("event_backfills", |_, row| lookup(row, &["status"]).as_deref() == Some("pending")),
        backfill::reflect, ["backfill.reflected"], "";
    /// Somebody asks to revert a backfill that a mutation reflected. It changes nothing yet.
    BeginRevert = "begin_revert",
        Target::Row("event_backfills", |account, row| {
            backfill::is_reflected(account, row) && lookup(row, &["status"]).as_deref() == Some("reflected")
        }),
        backfill::begin_revert, [], "";
    /// A backfill that a mutation reflected is reverted: its days are again as they were.
    RevertBackfill = "revert_backfill", Target::Row("event_backfills", backfill::is_reflected),
        backfill::revert, ["backfill.reverted"], "";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for action in Action::ALL {
            assert_eq!(Action::named(action.name()), Some(*action));
        }
    }
}
