//! English.

use super::plural::Plural;
use super::{Labels, Lang, Notice, Planned, Said, Sentence, Words, differing, money, planned, units};
use crate::db::alert::Cause;
use crate::db::class;
use crate::db::delivery::Fate;
use crate::db::log::Status;
use crate::db::merchant::{Mode, Trouble};
use crate::db::order;
use crate::db::rejection::Why;
use crate::db::user::Role;
use crate::domain::catalog::Rule;
use crate::domain::connection::Blocked;
use crate::domain::document;
use crate::domain::draft::Draft;
use crate::domain::invoice::Seen;
use crate::domain::money::{Amount, Currency};
use crate::domain::payment::MoneyState;
use crate::domain::reason::{
    Difference, DifferenceKind, Extra, Failed, Hold, Ignored, RefundPart, Refusal, Shortage, Unmoved, Waiting,
};
use crate::domain::refund::Class;
use crate::domain::rules::ShippingPolicy;
use crate::domain::ruling::Ruling;
use crate::domain::trace::Step;

pub(super) struct English;

const DECIMALS: Plural = Plural::en("{} decimal", "{} decimals");
const UNITS: Plural = Plural::en("{} unit", "{} units");
const SECONDS: Plural = Plural::en("{} second", "{} seconds");
const TRIES: Plural = Plural::en("{} try failed", "{} tries in a row failed");

fn say(what: impl Into<String>, next_step: impl Into<String>) -> Sentence {
    Sentence { what: what.into(), next_step: next_step.into() }
}

/// ASCII runs with the sentence by itself, and stays searchable without invisible marks.
fn isolated(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { super::isolated(text) }
}

fn quote(text: &str) -> String {
    format!("“{}”", isolated(text))
}

fn list(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| isolated(&item.to_string())).collect::<Vec<_>>().join(", ")
}

impl Words for English {
    fn labels(&self) -> &'static Labels {
        &LABELS
    }

    fn order_state(&self, state: order::State) -> &'static str {
        match state {
            order::State::New => "New",
            order::State::Working => "In work",
            order::State::Waiting => "Waiting",
            order::State::Settled => "Settled",
            order::State::Ignored => "Ignored",
            order::State::Shadow => "Shown only (shadow)",
            order::State::Held => "Held",
            order::State::Failed => "Failed",
        }
    }

    fn class(&self, class: class::Class) -> &'static str {
        match class {
            class::Class::Invoiced => "Invoiced",
            class::Class::Cancelled => "Cancelled",
            class::Class::Ignored => "Ignored",
            class::Class::Waiting => "Waiting",
            class::Class::Shadow => "Shadow",
            class::Class::Held => "Held",
            class::Class::InDoubt => "In doubt",
            class::Class::Failed => "Failed",
            class::Class::InWork => "In work",
        }
    }

    fn ruling(&self, ruling: Ruling) -> &'static str {
        match ruling {
            Ruling::Dismiss => "dismissed: nothing to do as the order is",
            Ruling::Import => "imported: booked although the rules pass it over",
            Ruling::NewInvoice { .. } => "a new invoice in the place of the deleted one",
            Ruling::Leave { .. } => "deleted on purpose: left as it is",
            Ruling::Rewrite { .. } => "written again as it was before it was changed by hand",
        }
    }

    fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Success => "Success",
            Status::Updated => "Updated",
            Status::Cancelled => "Cancelled",
            Status::Ignored => "Ignored",
            Status::Failed => "Failed",
            Status::Held => "Held",
            Status::Waiting => "Waiting",
            Status::InDoubt => "In doubt",
            Status::Duplicate => "Duplicate",
            Status::Test => "Test",
            Status::Paused => "Paused",
            Status::Shadow => "Shadow",
        }
    }

    fn bare(&self, status: Status) -> &'static str {
        match status {
            Status::Shadow => "Planned and shown; nothing was written to Daftra.",
            Status::Paused => "Kept; worked on when the merchant is resumed.",
            Status::Success
            | Status::Updated
            | Status::Cancelled
            | Status::Ignored
            | Status::Failed
            | Status::Held
            | Status::Waiting
            | Status::InDoubt
            | Status::Duplicate
            | Status::Test => "",
        }
    }

    fn mode(&self, mode: Mode) -> &'static str {
        match mode {
            Mode::Shadow => "Shadow: plans, writes nothing",
            Mode::Live => "Live",
            Mode::Paused => "Paused: keeps deliveries",
            Mode::Closed => "Closed",
        }
    }

    fn role(&self, role: Role) -> &'static str {
        match role {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Owner => "owner",
        }
    }

    fn document_state(&self, state: document::State) -> &'static str {
        match state {
            document::State::Planned => "planned",
            document::State::Sending => "being sent",
            document::State::InDoubt => "in doubt",
            document::State::Refused => "refused by Daftra",
            document::State::Dropped => "not wanted any more",
            document::State::Posted => "posted",
            document::State::Replacing => "being replaced",
            document::State::ReplaceInDoubt => "replacement in doubt",
            document::State::Locked => "locked in Daftra",
            document::State::Gone => "deleted in Daftra",
            document::State::Reversed => "reversed",
        }
    }

    fn document_kind(&self, draft: &Draft) -> &'static str {
        match draft {
            Draft::Invoice(_) => "Invoice",
            Draft::RefundReceipt(_) => "Refund receipt",
            Draft::Payment(_) => "Payment",
        }
    }

    fn money_state(&self, state: MoneyState) -> &'static str {
        match state {
            MoneyState::Pending => "not paid yet",
            MoneyState::Authorized => "authorized, not taken",
            MoneyState::PartiallyPaid => "partially paid",
            MoneyState::Paid => "paid",
            MoneyState::Overpaid => "overpaid",
            MoneyState::PartiallyRefunded => "partially refunded",
            MoneyState::Refunded => "refunded",
            MoneyState::Voided => "voided",
            MoneyState::Expired => "expired",
        }
    }

    fn owed(&self, unpaid: Amount, currency: Option<Currency>) -> Option<String> {
        match unpaid {
            Amount(0) => None,
            Amount(1..) => Some(format!("Unpaid: {}.", money(self, unpaid, currency))),
            too_much => Some(format!("Overpaid by {}.", money(self, -too_much, currency))),
        }
    }

    fn refund_class(&self, class: Class) -> &'static str {
        match class {
            Class::Absorbed => "taken off before the first invoice",
            Class::Edit => "an edit: the invoice is replaced",
            Class::Receipt => "a refund receipt of its own",
            Class::Covered => "already on the cancellation's receipt, or only what was paid too much",
            Class::NotOurs => "concerns nothing of this merchant",
        }
    }

    fn action<'a>(&self, word: &'a str) -> &'a str {
        match word {
            "create" => "Create",
            "replace" => "Replace",
            "look_up" => "Look up",
            "verify" => "Read back",
            "find" => "Find products",
            "site_info" => "Ask for the account",
            other => other,
        }
    }

    fn outcome<'a>(&self, word: &'a str) -> &'a str {
        match word {
            "accepted" => "accepted",
            "refused" => "refused",
            "unsent" => "not sent",
            "unknown" => "end unknown",
            "throttled" => "too fast, put off",
            "credential" => "key not accepted",
            "found" => "found",
            "absent" => "not there",
            "several" => "found several times",
            "failed" => "could not be completed",
            other => other,
        }
    }

    fn deed<'a>(&self, word: &'a str) -> &'a str {
        match word {
            "hold.release" => "looked again at held orders",
            "mapping.import" => "imported mappings",
            "mapping.set" => "mapped a code to a product",
            "merchant.add" => "added a merchant",
            "merchant.set" => "changed a merchant",
            "merchant.pause" => "paused a merchant",
            "merchant.resume" => "resumed a merchant",
            "merchant.close" => "closed a merchant",
            "merchant.open" => "opened a merchant again",
            "merchant.secret" => "replaced or forgot a webhook secret",
            "privacy.read" => "collected what is kept of a customer",
            "privacy.answer" => "answered a customer's request",
            "privacy.redact" => "had a customer forgotten",
            "shop.back" => "said that a shop is back",
            "merchant.shop_connect" => "connected a merchant to the API of its shop",
            "merchant.shop_disconnect" => "disconnected a merchant from the API of its shop",
            "merchant.catch_up" => "had orders looked for in a shop",
            "mail.recipient_add" => "added somebody who gets mails",
            "mail.recipient_set" => "changed what somebody gets mails about",
            "mail.recipient_remove" => "removed somebody who gets mails",
            "mail.words" => "changed the words of a mail",
            "mail.resend" => "sent a mail again",
            "mail.trial" => "sent a trial mail",
            "order.note" => "wrote a note about an order",
            "delivery.read" => "opened the body of a delivery",
            "delivery.replay" => "read a delivery again",
            "failed.retry" => "tried failed orders again",
            "order.retry" => "looked again at an order",
            "order.rule" => "decided about an order",
            "user.add" => "added a user",
            "user.rights" => "changed a user's rights",
            "user.disable" => "disabled a user",
            "user.enable" => "enabled a user",
            "user.language" => "chose a language",
            "token.add" => "made a token for the API",
            "token.revoke" => "revoked a token",
            "user.passwd" => "changed a password",
            "database.restore" => "put a backup back",
            "vault.rekey" => "replaced the master key",
            other => other,
        }
    }

    fn alert(&self, cause: Cause) -> Sentence {
        match cause {
            Cause::Trouble => say(
                "A merchant's key or address does not work",
                "Give the key again on the merchant's page, under Daftra; nothing is lost meanwhile.",
            ),
            Cause::Expired => say(
                "Daftra says that the plan of a merchant's account has ended",
                "Renew it in Daftra; what Daftra refuses until then waits here and goes on by itself.",
            ),
            Cause::Outage => say(
                "A Daftra account does not answer",
                "It is asked again by itself. If it goes on: see whether Daftra opens in a browser.",
            ),
            Cause::Failed => {
                say("An order was given up", "Read its reason under what needs attention, and try it again.")
            }
            Cause::Unreadable => say(
                "A delivery could not be read",
                "Nothing is lost: it is kept. Update Qantara, then read the delivery again.",
            ),
            Cause::Payments => say(
                "A method of payment or treasury that a merchant's file names is not active in Daftra",
                "Switch it on in Daftra, or name another one for the merchant's payments.",
            ),
            Cause::InDoubt => say(
                "It has been unknown for long whether Daftra has a document",
                "Daftra is asked by itself. If it does not answer the question: look for the reference there yourself, and \
                 decide under what needs attention.",
            ),
            Cause::Holds => say(
                "Orders have been held for long",
                "Decide about them under what needs attention: they are not in Daftra until then.",
            ),
            Cause::Signatures => say(
                "More deliveries than before prove nothing",
                "The page of the deliveries says what is likely wrong, mostly a secret that was changed in the shop.",
            ),
            Cause::Queue => say(
                "Orders have been due for long",
                "Daftra is slow, or there are more orders than one call at a time can do: see daftra.calls_at_once and pace_ms.",
            ),
            Cause::Disk => say(
                "The disk is nearly full: webhooks are put off and no order is begun",
                "Make room on the disk of data.folder. Everything goes on by itself; Shopify sends again for some hours.",
            ),
            Cause::Clock => say(
                "The server's clock differs from Daftra's, or was set back",
                "Switch time synchronisation on (timedatectl set-ntp true): documents carry the date of this clock.",
            ),
            Cause::Backup => say(
                "The last backup was not made, or is no good",
                "See the log for why, and whether its folder has room; make one by hand meanwhile: qantara backup FILE.",
            ),
            Cause::Certificate => say(
                "The certificate ends soon, or could not be renewed",
                "See the log for why. Shopify delivers to nobody without a good certificate.",
            ),
            Cause::Privacy => say(
                "What a shop asked for in a customer's name is due soon",
                "Open Privacy and do what is asked there: Shopify gives 30 days.",
            ),
            Cause::Uninstalled => say(
                "The shop removed the app",
                "The books stay and the shop is not called any more. If it left, close the merchant; if not, say on Privacy that it is back.",
            ),
            Cause::ShopApi => say(
                "The API of a merchant's shop does not open",
                "The merchant's page about the API says why and what to click. Webhooks are taken in as before.",
            ),
            Cause::Messages => say(
                "Messages do not get out",
                "Mails and alerts each say on their page why. Nothing is lost: what waits is sent again by itself.",
            ),
            Cause::Unread => say(
                "A shop lists orders that its API does not give",
                "All others go on, and these are tried again each time the shop is looked through; the merchant's page about the API \
                 names them. If it lasts, open such an order in Shopify, or book it by hand.",
            ),
            Cause::SecondConnector => say(
                "Documents in Daftra name orders of this merchant and are not ours: another program, or a person, writes them, too",
                "Switch the other program off. Then adopt or dismiss each document on the merchant's page about going live: until \
                 then an order may be invoiced twice.",
            ),
            Cause::Gaps => say(
                "Numbers of orders are missing that nobody told of, for more than an hour",
                "Look in the shop whether these orders exist. If they do, open one and save it, so that its webhook comes; with the \
                 shop's API connected they are looked for by themselves.",
            ),
            Cause::Silence => say(
                "A shop that is usually busy has told of no order for much longer than ever in the last four weeks",
                "Look whether the shop sells, and whether its webhooks still lead here: the merchant's page about webhooks tells \
                 when the last one came.",
            ),
            Cause::Subscriptions => say(
                "A shop had stopped telling of something; the subscriptions were mended",
                "Nothing to do: what was missed meanwhile is being looked for. If it happens often, see whether this server can be \
                 reached from outside at all times.",
            ),
        }
    }

    fn ignored(&self, why: &Ignored) -> Sentence {
        const UNLESS: &str = "Nothing to do, unless the order changes.";
        match why {
            Ignored::NoOwnLines { vendors } if vendors.is_empty() => {
                say("The order has no line of this merchant.", "If it should: correct the merchant's vendors.")
            }
            Ignored::NoOwnLines { vendors } => say(
                format!("No line belongs to this merchant; the order's vendors are {}.", list(vendors)),
                "If one of them is the merchant's: add it to the merchant's vendors.",
            ),
            Ignored::BeforeGoLive { placed_at, live_from } => say(
                format!("Placed {placed_at:.0}, before the merchant went live ({live_from:.0})."),
                "Nothing to do: orders of that time were booked by hand.",
            ),
            Ignored::TestOrder => say("A test order: no money moved.", UNLESS),
            Ignored::Sample => {
                say("Shopify's sample notification: the connection works.", "Nothing to do: nobody bought it.")
            }
            Ignored::Source { source } => say(
                format!("The merchant ignores orders of the sales channel {}.", quote(source)),
                "If that is wrong: take the channel off the merchant's ignored sources.",
            ),
            Ignored::Tag { tag } => say(
                format!("The merchant ignores orders with the tag {}.", quote(tag)),
                "If that is wrong: take the tag off orders.ignored_tags in the merchant's file.",
            ),
            Ignored::Dismissed => say(
                "A person dismissed it: there is nothing to do as the order is.",
                "When the shop changes the order it is looked at again; to do so now, try again.",
            ),
            Ignored::InvoiceDeleted { reference } => say(
                format!("{} was deleted in Daftra, and a person says that it was meant so.", isolated(reference)),
                "When the shop changes the order a person is asked again; to be asked now, try again.",
            ),
            Ignored::CancelledBeforeInvoice => say("Cancelled before there was an invoice.", UNLESS),
            Ignored::DeletedBeforeInvoice => say("Deleted in the shop before there was an invoice.", UNLESS),
            Ignored::NothingToBill => {
                say("Nothing is left to bill: everything was removed, refunded or left out by the rules.", UNLESS)
            }
        }
    }

    fn waiting(&self, why: &Waiting) -> Sentence {
        match why {
            Waiting::Settling { reference } => say(
                format!("The answer for {} was lost, so Daftra may hold it or not.", isolated(reference)),
                "It is looked for by itself when a late call can no longer be executed; it is never sent blindly.",
            ),
            Waiting::LookingAgain { reference } => say(
                format!("{} was looked for in Daftra and not found.", isolated(reference)),
                "It is looked for once more by itself before it is sent again.",
            ),
            Waiting::CancelRecord => say(
                "Cancelled, and the shop's refund record may still come.",
                "It goes on by itself when the record comes, or in a quarter of an hour.",
            ),
            Waiting::NotPaid => say("Not paid yet.", "It goes on by itself when the shop says that it is paid."),
            Waiting::BodyRemoved => say(
                "Something new is known of this order, and what the shop had said of the order itself was removed after its time.",
                "It goes on by itself when the shop sends the order again. If it does not within minutes: save the order once \
                 in Shopify, for example with a tag.",
            ),
            Waiting::OrderBehind { refund } => say(
                format!("Refund {refund} came before the newer order that explains it."),
                "It goes on by itself when the shop sends the newer order.",
            ),
            Waiting::StockPending { reference, why } => say(
                format!(
                    "{} is invoiced; its stock has not moved yet: {}.",
                    isolated(reference),
                    why.iter().map(unmoved).collect::<Vec<_>>().join("; ")
                ),
                "See to it in Daftra. It is asked again by itself, hourly for a day and then daily.",
            ),
            Waiting::MoneyUnderWay { refund } => say(
                format!("The money of refund {refund} is on its way, and goods alone do not explain it."),
                "It goes on by itself when the shop says that the money arrived.",
            ),
            Waiting::NotFulfilled => {
                say("Not shipped yet.", "It goes on by itself when the shop says that it is fulfilled.")
            }
        }
    }

    fn hold(&self, why: &Hold, currency: Option<Currency>) -> Sentence {
        let sum = |amount: Amount| money(self, amount, currency);
        match why {
            Hold::UnknownProduct { line, codes } if codes.is_empty() => say(
                format!("{} has neither SKU nor barcode, so no product can be found for it.", quote(line)),
                "Give the variant a SKU in the shop, or map its id to a product; then try again.",
            ),
            Hold::UnknownProduct { line, codes } => say(
                format!(
                    "Daftra has no product for {}; looked for {}.",
                    quote(line),
                    list(codes.iter().map(|code| code.as_str()))
                ),
                "Add the product with this code in Daftra, or map the code to a product; then try again.",
            ),
            Hold::AmbiguousProduct { line, sku, products } => say(
                format!("Several products fit {} ({}): {}.", quote(line), isolated(sku.as_str()), list(products)),
                "Map the code to the right one, or correct the codes in Daftra; then try again.",
            ),
            Hold::UnknownTax { line, title, rate, included } => say(
                format!(
                    "No Daftra tax is known for {} at rate {rate} ({}) on {}.",
                    quote(title),
                    if *included { "inside the price" } else { "on top of the price" },
                    quote(line)
                ),
                "Add a row for it to the merchant's tax map; then try again.",
            ),
            Hold::SeveralTaxes { line, title, rate, included } => say(
                format!(
                    "{} carries several taxes, {}, {rate} together ({}), and how Daftra adds a second tax to the first \
                     is not certain.",
                    quote(line),
                    quote(title),
                    if *included { "inside the price" } else { "on top of the price" },
                ),
                "Make one tax of that rate in Daftra, and a row with that title and rate in the merchant's tax map; then \
                 try again.",
            ),
            Hold::CustomLine { line } => say(
                format!("{} is a custom item, and the rules leave it to a person.", quote(line)),
                "In the merchant's file, set lines.custom to \"line\" or \"skip\"; then try again.",
            ),
            Hold::GiftCard { line } => say(
                format!("{} is a gift card, and the rules leave it to a person.", quote(line)),
                "In the merchant's file, set lines.gift_card to \"line\" or \"skip\"; then try again.",
            ),
            Hold::Tip { line } => say(
                format!("{} is a tip, and the rules leave it to a person.", quote(line)),
                "In the merchant's file, set lines.tip to \"line\" or \"skip\"; then try again.",
            ),
            Hold::ExtraAmount { what, amount } => say(
                format!("The order carries {} of {} beside its lines.", extra(*what), sum(*amount)),
                extra_step(*what),
            ),
            Hold::AmountsDoNotAddUp { expected, found } => say(
                format!("The order's own sums differ: {} expected, {} stated.", sum(*expected), sum(*found)),
                "Look at the order in the shop; if it is right there, book it by hand and report this.",
            ),
            Hold::TotalsDiffer { order, daftra, tax_order, tax_daftra, tolerance, lines } => say(
                format!(
                    "Daftra would compute {} with {} tax, the order says {} with {} tax; {} may differ.{}",
                    sum(*daftra),
                    sum(*tax_daftra),
                    sum(*order),
                    sum(*tax_order),
                    sum(*tolerance),
                    differing(lines, |one| format!(
                        "{}: {} with {} tax instead of {} with {}",
                        quote(&one.line),
                        sum(one.daftra),
                        sum(one.tax_daftra),
                        sum(one.order),
                        sum(one.tax_order)
                    ))
                ),
                "Check the tax map and whether prices contain the tax; or raise the merchant's tolerance. Then try again.",
            ),
            Hold::AccountTooCoarse { currency, decimals } => say(
                format!("The Daftra account keeps {}, {currency} needs {}.", DECIMALS.of(*decimals), currency.digits()),
                "Raise the number of decimals in Daftra's settings; then try again.",
            ),
            Hold::OtherAccount { reference } => say(
                format!("{} lies in another Daftra account than the merchant's of today.", isolated(reference)),
                "Put the old address back until the order is settled, or finish it by hand in the old account.",
            ),
            Hold::QuantitiesDiffer { line, ours, shop } => say(
                format!("Of {} our books have {} left, the shop says {shop}.", quote(line), UNITS.of(*ours)),
                "Compare the order's refunds in the shop with its documents below; then try again.",
            ),
            Hold::CancelledButPaid => say(
                "Cancelled although paid, and no refund record explains the money.",
                "Refund the order in the shop, or book the refund receipt by hand.",
            ),
            Hold::CancelledAfterShipping => say(
                "Cancelled after goods were shipped: nobody says whether they came back.",
                "Record the return in the shop, or book the refund receipt by hand.",
            ),
            Hold::Exchange { back, given } => say(
                format!(
                    "Goods were exchanged: {} came back, {} went out for it.",
                    units(back, quote),
                    units(given, quote)
                ),
                "Compare both sides with the shop; in the merchant's file, set orders.exchange to \"book\"; then try again.",
            ),
            Hold::RefundPart { refund, part } => say(
                format!("Refund {refund} has a part that cannot be booked by itself: {}.", refund_part(*part)),
                match part {
                    RefundPart::Adjustment | RefundPart::MoneyOnly => {
                        "Book this part by hand in Daftra; or set lines.goodwill in the merchant's file, then try again."
                    }
                    RefundPart::Duties | RefundPart::Shipping | RefundPart::Line | RefundPart::TooMuch => {
                        "Book this part by hand in Daftra."
                    }
                },
            ),
            Hold::RefundExceeds { refund, line, left, refunded } => say(
                format!("Refund {refund} takes back {refunded} of {}, the invoice still holds {left}.", quote(line)),
                "Compare the refunds in the shop with the receipts below and correct them by hand.",
            ),
            Hold::Overdrawn { line, units, net, tax } => say(
                format!(
                    "More was given back of {} than is billed. What is left: {}, {} and {} tax.",
                    quote(line),
                    UNITS.of(*units),
                    money(self, *net, currency),
                    money(self, *tax, currency)
                ),
                "Compare the refunds in the shop with the receipts below and correct them by hand.",
            ),
            Hold::UnmappedGateway { gateways } if gateways.is_empty() => say(
                "The order is paid, and the shop does not say in which way.",
                "Book this payment by hand, or let the shop send order_transactions/create and pay by a named gateway.",
            ),
            Hold::UnmappedGateway { gateways } if gateways.len() > 1 => say(
                format!("Paid in several ways that are not booked alike, or not at all: {}.", list(gateways)),
                "Name each under payments.gateway in the merchant's file, and let the shop send order_transactions/create.",
            ),
            Hold::UnmappedGateway { gateways } => say(
                format!("Nobody said how money paid by {} is booked.", list(gateways)),
                "Name it under payments.gateway in the merchant's file, with Daftra's method for it.",
            ),
            Hold::ForeignPayment { transaction, amount, currency } => say(
                format!(
                    "Transaction {transaction} is {}, which is no amount in the shop's currency.",
                    isolated(&format!("{amount} {currency}"))
                ),
                "Book this payment by hand in Daftra.",
            ),
            Hold::PayBackByHand { refund, amount } => say(
                format!("Refund {refund} gave back {} that had been paid too much.", sum(*amount)),
                "Book the money that went back by hand in Daftra, or set payments.refunds in the merchant's file.",
            ),
            Hold::Refused { reference, refusal } => say(
                format!("Daftra refused {}: {}.", isolated(reference), words_of(refusal)),
                "Correct what Daftra complains about; then try again.",
            ),
            Hold::NotEnoughStock { reference, shortages } => say(
                format!(
                    "Daftra refused {}, and too little is in stock: {}.",
                    isolated(reference),
                    shortages.iter().map(shortage).collect::<Vec<_>>().join("; ")
                ),
                "Bring the stock in, or correct it in Daftra. It is tried again by itself every hour.",
            ),
            Hold::Locked { reference, refusal, payments } if payments.is_empty() => say(
                format!("{} exists, and Daftra refuses to change it: {}.", isolated(reference), words_of(refusal)),
                "Unlock it in Daftra and try again, or correct it there by hand.",
            ),
            Hold::Locked { reference, refusal, payments } => say(
                format!(
                    "{} exists, and Daftra refuses to change it: {}. Payments that are not ours are on it ({}), so no new invoice takes its place.",
                    isolated(reference),
                    words_of(refusal),
                    list(payments)
                ),
                "Take the payments off it in Daftra and try again, or correct the invoice there by hand.",
            ),
            Hold::Gone { reference } => say(
                format!("Somebody deleted {} in Daftra.", isolated(reference)),
                "On the order's page, say whether it stays so or gets a new invoice (qantara hold leave, qantara hold new-invoice); or restore it in Daftra and try again.",
            ),
            Hold::ChangedByHand { reference, differences } => say(
                format!(
                    "{} in Daftra is not what we wrote: {}.",
                    isolated(reference),
                    differences.iter().map(difference).collect::<Vec<_>>().join("; ")
                ),
                "Put it right in Daftra and try again; an invoice can also be written again as it was (on the order's page, or qantara hold rewrite). Nothing is overwritten until then.",
            ),
            Hold::SeveralFound { reference, ids } => say(
                format!("Several documents in Daftra carry the reference {}: {}.", isolated(reference), list(ids)),
                "Delete the ones too many in Daftra; then try again.",
            ),
            Hold::LookUpFails { reference } => say(
                format!("{} could not be looked up, time after time.", isolated(reference)),
                "Check that Daftra answers and shows all invoices to this key; then try again.",
            ),
            Hold::TooManyUnknownSends { reference } => say(
                format!("{} was sent so often without an answer that it is not sent again.", isolated(reference)),
                "Look in Daftra whether it exists and what keeps it from answering; then try again.",
            ),
        }
    }

    fn failed(&self, why: &Failed) -> Sentence {
        match why {
            Failed::Unreadable { topic, path, problem } => say(
                format!(
                    "A delivery {} could not be read at {}: {}.",
                    isolated(topic),
                    isolated(path),
                    isolated(problem)
                ),
                "Report this text; the delivery is kept, and a newer one of the order may be readable.",
            ),
            Failed::TooManyFailures { failures, last } => say(
                format!("{}; the last one: {}.", TRIES.of(*failures), quote(last)),
                "Check the merchant's key and address and that Daftra answers; then try again.",
            ),
            Failed::NoEnd => say(
                "Working on this order came to no end: a fault of this program.",
                "Report it with this page, and try again after an update.",
            ),
            Failed::Panicked { text } => say(
                format!("A fault of this program: {}.", isolated(text)),
                "Report this text, and try again after an update.",
            ),
        }
    }

    fn trouble(&self, trouble: &Trouble) -> Sentence {
        match trouble {
            Trouble::Credential { text } => say(
                format!("Daftra does not accept the key: {}.", quote(text)),
                "Make a new API key in Daftra and give it to the merchant; the orders then go on by themselves.",
            ),
            Trouble::Redirect => say(
                "Daftra's address answers with a redirect; the key is not sent on.",
                "Give the merchant the final address of the account.",
            ),
            Trouble::Html => say(
                "Daftra's address answers with a page instead of data.",
                "Check the address, and whether the account is suspended or under maintenance.",
            ),
            Trouble::OtherSite { known, found } => say(
                format!("Another account answers at this address: {} instead of {}.", isolated(found), isolated(known)),
                "Give the merchant the address and key of its own account.",
            ),
        }
    }

    fn blocked(&self, blocked: &Blocked) -> Sentence {
        match blocked {
            Blocked::Token => say(
                "The shop does not accept the token (401): it was revoked, has ended, or is another shop's.",
                "In Shopify: Settings, Apps, the app, API credentials. Make or copy its token and connect the shop again.",
            ),
            Blocked::Client { text } => say(
                format!("The shop gives no token for this client id and secret: {}.", quote(text)),
                "Compare both with the Dev Dashboard: the app, Settings. The app must be installed in this shop, and both must be in \
                 the same organisation. Then connect the shop again.",
            ),
            Blocked::Unpaid => say(
                "The shop is closed to programs, because its plan is not paid (402).",
                "Pay the plan in Shopify: Settings, Plan. Everything goes on by itself.",
            ),
            Blocked::Forbidden => say(
                "The shop does not let this app in (403).",
                "See in Shopify under Settings, Apps, whether the app is still installed; install it again and connect the shop again.",
            ),
            Blocked::NoShop => say(
                "Shopify knows no such shop (404).",
                "Compare the merchant's shop domain with Shopify: Settings, Domains, the one that ends in myshopify.com.",
            ),
            Blocked::Locked => say(
                "Shopify has locked the shop (423).",
                "Only Shopify's support can unlock it. Everything goes on by itself then.",
            ),
            Blocked::Scopes { missing } => say(
                format!("The app may not do what is needed; these scopes are missing: {}.", list(missing)),
                "In the app's configuration tick them under Admin API access scopes, save, and confirm the update in the shop; then \
                 connect the shop again.",
            ),
            Blocked::Protected => say(
                "The app is not approved for protected customer data, so it may not see orders.",
                "In the Dev Dashboard: the app, API access, Protected customer data access. Request it for orders, and for name, \
                 address, phone and email; development shops need no review.",
            ),
            Blocked::Sealed => say(
                "What is stored for the API does not open: the merchant has another shop now, or the master key is another one.",
                "Connect the shop again.",
            ),
        }
    }

    fn rejection(&self, why: Why, shop: &str) -> Sentence {
        match why {
            Why::NoSignature => say(
                "They carry no signature, so Shopify did not send them like this.",
                "Nothing to do for a few: strangers try every address. If the shop's own deliveries are missing, something in \
                 front of this server takes away the header X-Shopify-Hmac-Sha256: let it through.",
            ),
            Why::BrokenSignature => say(
                "What they carry as a signature is cut or garbled.",
                "Something in front of this server changes the header X-Shopify-Hmac-Sha256: let it through as it is.",
            ),
            Why::EmptyBody => say(
                "They came without a body.",
                "A redirect loses it. Give Shopify the final webhook address, with https and without a detour.",
            ),
            Why::UnknownAddress => say(
                "They went to a webhook address that no merchant has.",
                "Compare the address in Shopify with the one on the merchant's page, letter by letter.",
            ),
            Why::UnknownShop if shop.is_empty() => say(
                "They name no shop, or none that is known here.",
                "Nothing to do, unless deliveries of a shop are missing: then give Shopify the merchant's own webhook address.",
            ),
            Why::UnknownShop => say(
                format!("No merchant has the shop {shop}."),
                "If the shop is yours, add a merchant with this domain; if not, there is nothing to do.",
            ),
            Why::Closed => say(
                "This merchant is closed, and its shop goes on sending.",
                "Delete the webhooks in Shopify, or open the merchant again.",
            ),
            Why::OtherShop if shop.is_empty() => say(
                "They do not name this merchant's shop.",
                "Nothing to do for a few: strangers try every address. If the shop's own deliveries are missing, something in \
                 front of this server takes away the header X-Shopify-Shop-Domain: let it through.",
            ),
            Why::OtherShop => say(
                format!("They name another shop: {shop}."),
                "If that is this merchant's shop, correct its permanent domain. If not, a webhook of that shop has this \
                 merchant's address: delete it there.",
            ),
            Why::ForgottenSecret => say(
                "They are signed with this merchant's secret of before.",
                "Shopify still uses the secret that was replaced or forgotten here. Give it again, and forget it only when the \
                 new one is in use.",
            ),
            Why::ChangedBody => say(
                "The secret is right, but the text was changed on its way here.",
                "Something between Shopify and this server rewrites what passes (a proxy, a firewall, an automation): let \
                 webhooks through untouched.",
            ),
            Why::OtherSecret => say(
                "They are signed with another secret than the one that is stored.",
                "Webhooks made under Settings → Notifications are signed with the key that stands below their list there; those \
                 of an app with the app's client secret. Give the one that belongs to these webhooks.",
            ),
            Why::Unexamined => say(
                "Too many came at once to look at each of them, or they were too large.",
                "The other reasons tell what is wrong. Without any, a stranger tries the door: nothing gets in.",
            ),
        }
    }

    fn fate(&self, fate: Fate) -> &'static str {
        match fate {
            Fate::Order => "Went to its order",
            Fate::Sample => "Test notification",
            Fate::Unreadable => "Could not be read",
            Fate::Other => "About no order",
        }
    }

    fn step(&self, step: &Step, currency: Option<Currency>) -> String {
        let sum = |amount: Amount| money(self, amount, currency);
        match step {
            Step::Ownership { title, vendor, seen, .. } => {
                let verdict = match seen {
                    Seen::Billed => "the merchant's, billed",
                    Seen::NotOurs => "not the merchant's",
                    Seen::Skipped => "the merchant's, left out by the rules",
                };
                format!("{} of vendor {}: {verdict}.", quote(title), quote(vendor))
            }
            Step::Product { title, rule, code, product_id, .. } => {
                let rule = match rule {
                    Rule::Mapping => "by a person's mapping of",
                    Rule::Barcode => "by barcode",
                    Rule::BarcodeTwin => "by barcode but for a leading zero,",
                    Rule::Code => "by product code",
                    Rule::SkuPrefix => "by the beginning of the SKU,",
                };
                format!("{}: product {product_id}, found {rule} {}.", quote(title), isolated(code.as_str()))
            }
            Step::Shipping { policy, billed } => {
                let policy = match policy {
                    ShippingPolicy::AllLines => "only when the whole order is the merchant's",
                    ShippingPolicy::Always => "always",
                    ShippingPolicy::Never => "never",
                };
                format!("Shipping is {}billed (rule: {policy}).", if *billed { "" } else { "not " })
            }
            Step::Totals { shop, daftra } => format!(
                "The order says {} with {} tax, Daftra computes {} with {}.",
                sum(shop.total),
                sum(shop.tax),
                sum(daftra.total),
                sum(daftra.tax)
            ),
            Step::Refund { id, class } => format!("Refund {id}: {}.", self.refund_class(*class)),
            Step::Money(money) => {
                let owed = self.owed(money.unpaid(), currency).map_or_else(String::new, |owed| format!(" {owed}"));
                format!(
                    "Money: {}. The order costs {} now, {} came in and {} went back.{owed}",
                    self.money_state(money.state),
                    sum(money.total),
                    sum(money.received),
                    sum(money.given_back)
                )
            }
            Step::InStep { reference } => format!("{} is as it should be.", isolated(reference)),
            Step::WouldDo { operation } => match planned(operation) {
                Planned::Create(draft) => {
                    let total = sum(draft.total());
                    format!("Not done in shadow mode: create {} of {total}.", self.document_kind(draft).to_lowercase())
                }
                Planned::Replace(draft) => {
                    let total = sum(draft.total());
                    format!(
                        "Not done in shadow mode: change the {} to {total}.",
                        self.document_kind(draft).to_lowercase()
                    )
                }
                Planned::OwnBooks => "Not done in shadow mode: a note in our own books.".to_owned(),
            },
            Step::DeletedInShop => "The shop deleted the order; the books stay.".to_owned(),
            Step::Trimmed { at, days, known: _ } => format!(
                "What the shop said of the order, its buyer and the decisions were removed {} ({at:.0}).",
                Lang::En.shell().after_days.of(*days)
            ),
        }
    }

    fn document(&self, reference: &str, number: Option<&str>, state: document::State) -> String {
        let name = number.map_or_else(String::new, |number| format!("No. {}, ", isolated(number)));
        format!("{name}{}: {}", isolated(reference), self.document_state(state))
    }

    fn said(&self, said: Said) -> &'static str {
        match said {
            Said::LooksAgain => "The order is looked at again.",
            Said::Saved => "Saved.",
            Said::Mapped => "Kept. Every order that waited for a product is looked at again.",
            Said::UserAdded => "The user is added and may sign in.",
            Said::PasswordChanged => "The password is another one now. Tokens stay as they were.",
            Said::TokensEnded => "The password is another one now, and all tokens have ended.",
            Said::Noted => "The note is kept with the order.",
            Said::Dismissed => "The order is dismissed, until the shop changes it.",
            Said::Imported => "The order is booked now.",
            Said::Decided => "Your decision is kept, and the order is looked at with it.",
            Said::Replayed => "The delivery was read again, and the order is looked at.",
            Said::FileTaken => "The file is taken in. Every order that waited for a product is looked at again.",
            Said::Forgetting => "The customer is being forgotten: within a minute it is done.",
        }
    }

    fn notice(&self, notice: Notice) -> Sentence {
        match notice {
            Notice::SignIn => say("You are not signed in.", "Load the page again and give your name and password."),
            Notice::TooManyTries { seconds } => {
                say("Too many wrong passwords.", format!("Wait {} and load the page again.", SECONDS.of(seconds)))
            }
            Notice::Forbidden => {
                say("Your role does not allow this.", "Ask an owner to do it, or to give you another role.")
            }
            Notice::TokenNeeded => say(
                "Scripts change things with a token only.",
                "Make a token on your own page, and send it with the request.",
            ),
            Notice::CrossSite => {
                say("This did not come from one of our own pages.", "Open the page here and press the button there.")
            }
            Notice::StaleForm => say(
                "The form is too old, or was sent without its mark.",
                "Nothing was changed. Go back to the page of the form and do it again there.",
            ),
            Notice::NotFound => say(
                "There is nothing at this address.",
                "It may be mistyped, or belong to a merchant whom you do not see. Go on from the page below.",
            ),
            Notice::Refused => say("This cannot be done", "Correct it and try again."),
            Notice::WrongMethod => say(
                "This address is no page.",
                "It only takes what a button or a form sends. Go to the page below and press it there.",
            ),
            Notice::TooLarge => say(
                "What was sent is too large.",
                "Nothing was changed. Send less at once, for example a file in several parts.",
            ),
            Notice::TooSlow => {
                say("What was sent did not arrive in time.", "Nothing was changed. Go back and send it again.")
            }
            Notice::Unsupported => {
                say("The request is in a form that is not read.", "Send it uncompressed, as a form.")
            }
            Notice::Busy => say("The service is busy.", "Load the page again in a moment."),
            Notice::Fault => say("Something went wrong here.", "Try again; the log has the details."),
        }
    }

    fn minor_units(&self, amount: Amount) -> String {
        format!("{} (in the currency's smallest unit)", amount.0)
    }

    fn isolate(&self, text: &str) -> String {
        isolated(text)
    }
}

fn extra(what: Extra) -> &'static str {
    match what {
        Extra::Tip => "a tip",
        Extra::Duties => "duties",
        Extra::Fees => "fees",
        Extra::CashRounding => "a cash rounding",
    }
}

fn extra_step(what: Extra) -> &'static str {
    match what {
        Extra::Tip => "In the merchant's file, set lines.tip to \"line\" or \"skip\"; then try again.",
        Extra::Duties | Extra::Fees => {
            "In the merchant's file, set lines.duty to \"line\" or \"skip\"; then try again."
        }
        Extra::CashRounding => "Daftra has no sure row for it: book this order by hand.",
    }
}

fn refund_part(part: RefundPart) -> &'static str {
    match part {
        RefundPart::Adjustment => "money that neither goods nor shipping explain",
        RefundPart::MoneyOnly => "money without goods",
        RefundPart::Duties => "duties",
        RefundPart::Shipping => "shipping that is not what the invoice carries",
        RefundPart::Line => "a line that never was on the invoice",
        RefundPart::TooMuch => "more money than the documents still hold",
    }
}

fn unmoved(why: &Unmoved) -> String {
    match why {
        Unmoved::Draft => "the invoice is a draft that nobody issued".to_owned(),
        Unmoved::Requisition => "the warehouse has not confirmed the requisition".to_owned(),
        Unmoved::Untracked(product) => format!("Daftra keeps no stock of product {product}"),
    }
}

fn shortage(one: &Shortage) -> String {
    let Shortage { product_id, title, store_id, wanted, available } = one;
    let available = available.normalize();
    format!("{wanted} of {} (product {product_id}) wanted, {available} in warehouse {store_id}", quote(title))
}

fn difference(one: &Difference) -> String {
    let what = match one.what {
        DifferenceKind::Row => "row",
        DifferenceKind::Total => "total",
        DifferenceKind::Store => "warehouse",
        DifferenceKind::Draft => "draft",
        DifferenceKind::Client => "client",
        DifferenceKind::Currency => "currency",
        DifferenceKind::Date => "date",
        DifferenceKind::Refunded => "refunded",
        DifferenceKind::Paid => "paid by others before our change, and after it",
        DifferenceKind::Amount => "amount",
        DifferenceKind::Method => "method of payment",
    };
    format!("{what} {} there, {} here", quote(&one.daftra), quote(&one.ours))
}

fn words_of(refusal: &Refusal) -> String {
    let fields =
        refusal.fields.iter().map(|(field, complaint)| format!("; {}: {}", isolated(field), isolated(complaint)));
    format!("{} (status {}){}", quote(&refusal.message), refusal.status, fields.collect::<String>())
}

static LABELS: Labels = Labels {
    alerts: "Open alerts",
    merchants: "Merchants",
    log: "Sync log",
    merchant: "Merchant",
    shop: "Shop",
    mode: "Mode",
    orders: "Orders",
    cause: "Cause",
    subject: "About",
    count: "Times",
    since: "Since",
    time: "Time",
    order: "Order",
    status: "Status",
    what: "What happened",
    all: "All",
    show: "Show",
    older: "Older rows",
    next_step: "Next step",
    placed: "Placed",
    shop_number: "Shopify's number",
    next_look: "Looked at next",
    failures: "Failures in a row",
    try_again: "Try again",
    documents: "Documents in Daftra",
    no_documents: "No document yet.",
    kind: "Kind",
    number: "Number",
    state: "State",
    total: "Total",
    remote_id: "Daftra id",
    reference: "Reference",
    verified: "Read back",
    content: "What is on it",
    line: "Line",
    sku: "SKU",
    product: "Product",
    units: "Units",
    net: "Amount",
    method: "Method of payment",
    gateway: "Paid by",
    treasury: "Treasury",
    money: "Money",
    tax: "Tax",
    decisions: "How it was decided",
    no_decisions: "Not planned yet.",
    deliveries: "Deliveries from the shop",
    no_deliveries: "No delivery is kept.",
    topic: "Topic",
    received: "Received",
    sent: "Sent",
    repeats: "Repeats",
    event: "Event",
    calls: "Calls to Daftra",
    no_calls: "Daftra was not called for this order.",
    no_end: "no end known",
    duration: "Took",
    request: "Request",
    answer: "Answer",
    unreadable: "(cannot be unpacked)",
    times_in: "Times in",
};
