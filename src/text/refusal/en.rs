//! Refusals in English: `slug is "Wadi": write 1 to 40 of a-z, 0-9 and -`.

use std::borrow::Cow;

use super::field::field;
use super::{About, Form, Refusal, Why};
use crate::text::plural::Plural;
use crate::text::{Lang, Sentence};

const CHARACTERS: Plural = Plural::en("{} character", "{} characters");
const DOCUMENTS: Plural = Plural::en("{} document", "{} documents");

/// With names as the merchant file and the commands have them, or as the pages do.
pub(super) fn sentence(refusal: &Refusal, is_page: bool) -> Sentence {
    let Refusal { about, value, why } = refusal;
    let found = match value {
        Some(value) => Cow::Borrowed(value.as_str()),
        None => found(why),
    };
    Sentence { what: format!("{} is {found}", subject(about, is_page)), next_step: next_step(why).into_owned() }
}

fn subject(about: &About, is_page: bool) -> Cow<'_, str> {
    match about {
        About::Key(key) if is_page => field(Lang::En, key),
        About::Key(key) => key.into(),
        About::Line(number, key) => format!("line {number}: {key}").into(),
        About::Text(number) => format!("line {number}").into(),
        About::Merchant(slug) => format!("merchant \"{slug}\"").into(),
        About::Order(name) => format!("order {name}").into(),
        About::Delivery(id) => format!("delivery {id}").into(),
        About::Secret => "a secret".into(),
    }
}

/// What it is, where no value says it.
fn found(why: &Why) -> Cow<'static, str> {
    match why {
        Why::Missing(_) => "missing".into(),
        Why::UnknownKey(_) => "unknown".into(),
        Why::LaterKey(_) | Why::KeyAlone => "set".into(),
        Why::Json(_) => "not valid JSON".into(),
        Why::Toml(_) => "not valid TOML".into(),
        Why::MerchantClosed => "closed".into(),
        Why::MerchantPurged => "gone".into(),
        Why::TaxTwice(_) => "ambiguous".into(),
        Why::SecretsMany(count) | Why::OrdersMany(count, _) => format!("a list of {count}").into(),
        Why::NoAccount => "without an account of Daftra".into(),
        Why::NoShopApi => "not connected to the API of its shop".into(),
        Why::CutOverFirst => "not looked through for documents of others".into(),
        Why::CutOverOpen(_) => "not ready to go live".into(),
        Why::SecretEmpty => "empty".into(),
        Why::TokenShort(_) => "too short".into(),
        Why::SecretShared(_) | Why::SecretTaken(_) => "not this shop's alone".into(),
        Why::PasswordLength(length, _, _) | Why::NoteLength(length, _) => {
            format!("{} long", CHARACTERS.of(*length)).into()
        }
        Why::NotDismissed(state) | Why::NotImported(state) | Why::NothingGone(state) | Why::NothingChanged(state) => {
            state.word().into()
        }
        Why::NothingToTakeIn => "about no order".into(),
        Why::NoOrdersNamed => "no order is named".into(),
        Why::BodyUnreadable(path, problem) => format!("unreadable at {path}, {problem}").into(),
        Why::BodyPurged => "without its body".into(),
        Why::BodySealed => "sealed with another key".into(),
        Why::Form(_)
        | Why::Type(_)
        | Why::SlugTaken
        | Why::SlugReserved
        | Why::NoMerchant
        | Why::LiveFromAlone
        | Why::SharedShop(_)
        | Why::VendorOwned(_)
        | Why::ShopOwned(_)
        | Why::AllVendorsAlone
        | Why::ExceptionsAlone
        | Why::VendorNameless
        | Why::PrefixForm
        | Why::Blanks
        | Why::PaidDraft
        | Why::PaidZero
        | Why::RecordFirst
        | Why::MethodWantsMail
        | Why::GatewayTwice
        | Why::UserForm
        | Why::UserTaken
        | Why::NoUser
        | Why::UserDisabled
        | Why::LastOwner
        | Why::OwnerLimited
        | Why::Language
        | Why::TokenName(_)
        | Why::TokenTaken
        | Why::TokensMany(_)
        | Why::TokenRole(_)
        | Why::TokenDays(_)
        | Why::NoToken
        | Why::MailForm
        | Why::RecipientTaken
        | Why::RecipientsMany(_)
        | Why::NoRecipient
        | Why::UnknownPlace
        | Why::NoMail
        | Why::CodeTwice
        | Why::CodeForm
        | Why::ProductForm
        | Why::NoOrder
        | Why::OrderAmbiguous
        | Why::OrderInvoiced
        | Why::OrderEmpty
        | Why::InvoiceTaken(_)
        | Why::InvoiceNames(_)
        | Why::InvoiceForm
        | Why::LineTwice
        | Why::NoNamesake
        | Why::NoCause
        | Why::NoDelivery
        | Why::NoRequest
        | Why::RequestEnded => "not possible".into(),
    }
}

fn next_step(why: &Why) -> Cow<'_, str> {
    match why {
        Why::Form(form) | Why::Missing(Some(form)) => form_of(*form).into(),
        Why::Missing(None) => "add it".into(),
        Why::UnknownKey(known) => format!("there is no such key, {known}").into(),
        Why::LaterKey(Some(allowed)) => format!("not in this version: leave it out, or write {allowed}").into(),
        Why::LaterKey(None) => "not in this version: leave it out".into(),
        Why::Type(complaint) => complaint.into(),
        Why::Json(complaint) | Why::Toml(complaint) => format!("correct it ({complaint})").into(),

        Why::SlugTaken => "this slug is taken: choose another, or change the merchant with qantara merchant set".into(),
        Why::SlugReserved => "the page for a new merchant has this name: choose another".into(),
        Why::NoMerchant => "there is no such merchant: qantara merchant list shows them".into(),
        Why::MerchantClosed => "a closed merchant does not change: open it again first".into(),
        Why::MerchantPurged => "all that this merchant had was taken away: add a new one, under another slug".into(),
        Why::LiveFromAlone => {
            "nothing is booked in this mode: write it together with mode = \"live\", or leave it out".into()
        }
        Why::SharedShop(other) => {
            format!("merchant \"{other}\" sells in the same shop: name this merchant's own vendors").into()
        }
        Why::VendorOwned(other) => format!("merchant \"{other}\" owns this vendor: take it away there first").into(),
        Why::ShopOwned(other) => {
            format!("merchant \"{other}\" owns all lines of this shop: name its vendors there first").into()
        }
        Why::AllVendorsAlone => "\"*\" stands for all: write it alone, or leave it out".into(),
        Why::ExceptionsAlone => "it names exceptions beside vendors = [\"*\"] only: leave it out".into(),
        Why::VendorNameless => "a vendor without a name cannot be owned: leave the empty one out".into(),
        Why::PrefixForm => "write prefixes that are not empty, without blanks around them".into(),
        Why::Blanks => "write it without blanks around it".into(),
        Why::TaxTwice(first) => format!("tax[{first}] says the same title, rate and included: keep one of them").into(),

        Why::KeyAlone => "name the address it belongs to: daftra.url".into(),
        Why::SecretsMany(_) => "the current one and the previous one are enough".into(),
        Why::NoAccount => "name the account first: daftra.url and daftra.key_file, or the merchant's page about Daftra".into(),
        Why::NoShopApi => "connect it first: qantara merchant api, or the merchant's page about the API".into(),
        Why::OrdersMany(_, most) => format!("at most {most} at once: split them").into(),
        Why::SecretEmpty => "give it, or leave its key out".into(),
        Why::SecretShared(other) => format!(
            "merchant \"{other}\" of another shop has the same secret, and a delivery could not be told apart: \
             give each shop an app of its own"
        )
        .into(),

        Why::SecretTaken(other) => format!(
            "merchant \"{other}\" of another shop has the same secret by now, and a delivery could not be told apart: give a \
             new secret of this shop together with opening it"
        )
        .into(),

        Why::PaidDraft => "nothing can be paid on a draft: set orders.draft to false, or leave this out".into(),
        Why::PaidZero => {
            "documents without prices take no payments: set orders.price to \"sale\", or leave this out".into()
        }
        Why::RecordFirst => "it goes with record = true: add that, or leave this out".into(),
        Why::MethodWantsMail => {
            "Daftra wants the buyer's mail address with it: add a method of your own in Daftra and name that".into()
        }
        Why::GatewayTwice => "it stands there twice: keep one of them".into(),

        Why::UserForm => "write 1 to 64 characters without a colon, and without blanks around them".into(),
        Why::UserTaken => "this name is taken: choose another, or change the password with qantara user passwd".into(),
        Why::NoUser => "there is no such user: qantara user list shows them".into(),
        Why::UserDisabled => "a disabled user gets no token: enable the user first, on the page of users".into(),
        Why::PasswordLength(_, shortest, longest) => {
            format!("choose one of {shortest} to {}", CHARACTERS.of(*longest)).into()
        }
        Why::LastOwner => {
            "this is the last owner, and somebody must be able to do everything: make another one first".into()
        }
        Why::OwnerLimited => "an owner sees every merchant: choose another role, or all merchants".into(),
        Why::Language => "choose ar or en, or leave it to the browser".into(),

        Why::TokenName(longest) => format!("write what the token is for, in 1 to {}", CHARACTERS.of(*longest)).into(),
        Why::TokenTaken => "there is such a token: revoke it first, or choose another name".into(),
        Why::TokensMany(most) => format!("revoke one of them: {most} at most").into(),
        Why::TokenRole(role) => format!("choose {} or less: a token may do no more than its user", role.word()).into(),
        Why::TokenDays(longest) => format!("write a number from 1 to {longest}").into(),
        Why::TokenShort(shortest) => format!("send {}, random ones, or more", CHARACTERS.of(*shortest)).into(),
        Why::NoToken => "there is no such token: qantara token list shows them".into(),

        Why::MailForm => "write one mail address, for example orders@example.com".into(),
        Why::RecipientTaken => "it gets mails in this language already: change what they are about".into(),
        Why::RecipientsMany(most) => format!("remove one of them: {most} at most").into(),
        Why::NoRecipient => "nobody with this number gets mails: the page of the merchant's mails shows them".into(),
        Why::UnknownPlace => "write {order}, {invoice}, {total} or {merchant}, or no braces".into(),
        Why::NoMail => "there is nothing to send: it is on its way, or what it said is no longer kept".into(),

        Why::NoteLength(_, longest) => format!("write 1 to {}", CHARACTERS.of(*longest)).into(),
        Why::CodeTwice => "the code stands there twice: keep the line that is right".into(),
        Why::CodeForm => "write a SKU, a barcode or the id of a variant".into(),
        Why::ProductForm => "write Daftra's id of the product, a positive number".into(),

        Why::NoOrder => "there is no such order: qantara order list shows them".into(),
        Why::CutOverFirst => {
            "somebody else may have invoiced its orders of the last 30 days: look for that first, on the merchant's page \
             about going live or with qantara merchant cut-over"
                .into()
        }
        Why::CutOverOpen(waiting) => format!(
            "{waiting} in Daftra name orders of it and are not ours: adopt or dismiss each, on the merchant's page about going \
             live or with qantara order adopt and qantara order dismiss-invoice",
            waiting = DOCUMENTS.of((*waiting).try_into().unwrap_or(usize::MAX))
        )
        .into(),
        Why::OrderAmbiguous => "several orders have this name: write Shopify's id of the order".into(),
        Why::OrderInvoiced => "the order has an invoice of ours already: leave the line out".into(),
        Why::InvoiceTaken(other) => format!("this invoice is that of order {other}: look for the right one in Daftra").into(),
        Why::InvoiceNames(other) => format!(
            "this invoice names order {other}: adopt it for that one; if it does not belong there, dismiss it first and write \
             the line again"
        )
        .into(),
        Why::OrderEmpty => {
            "what the shop says of this order is no longer kept, so nothing can be compared: leave the line out".into()
        }
        Why::InvoiceForm => "write Daftra's id of the invoice, a positive number; it stands in the address of its page".into(),
        Why::LineTwice => "it stands in two lines: keep the line that is right".into(),
        Why::NoNamesake => "no such document waits for a decision: look again, it may be decided already".into(),
        Why::NoCause => "no order is held for it: qantara hold list shows the causes".into(),
        Why::NotDismissed(_) => {
            "only what is held or was given up can be dismissed: qantara order show tells what it waits for".into()
        }
        Why::NotImported(_) => {
            "only an order that the merchant's rules pass over can be imported: qantara order show tells why".into()
        }
        Why::NothingGone(_) => "none of its invoices was deleted in Daftra, so there is nothing to decide".into(),
        Why::NothingChanged(_) => "no invoice of it is known to be changed by hand, so there is nothing to write again".into(),

        Why::NoDelivery => "there is no such delivery: it may have been purged".into(),
        Why::NoRequest => "there is no such request: see qantara privacy list".into(),
        Why::RequestEnded => "this request does not wait for that: look at its kind and state".into(),
        Why::NoOrdersNamed => "name at least one order by Shopify's number".into(),
        Why::NothingToTakeIn => "there is nothing to take in".into(),
        Why::BodyUnreadable(..) => {
            "it is still not what its topic says: look at the order in the shop, and report it".into()
        }
        Why::BodyPurged => "bodies are kept for a limited time: look at the order in the shop".into(),
        Why::BodySealed => "put back the master key with which this database was sealed".into(),
    }
}

fn form_of(form: Form) -> &'static str {
    match form {
        Form::Slug => "write 1 to 40 of a-z, 0-9 and -, for example \"wadi-home\"",
        Form::Name => "write the merchant's name for people, up to 100 characters",
        Form::TimeZone => "write an IANA name, for example \"Asia/Riyadh\"",
        Form::Mode => "write \"shadow\", \"live\" or \"paused\"",
        Form::ShopSection => "add a section [shop] with domain",
        Form::ShopDomain => "write the shop's permanent domain, for example \"wadi-home.myshopify.com\"",
        Form::DaftraSection => "add a section [daftra] with url, store_id and client_id",
        Form::DaftraUrl => {
            "write scheme and host without a slash at the end, key or /api2, for example \"https://wadi.daftra.com\""
        }
        Form::LinesSection => "add a section [lines] with vendors",
        Form::Vendors => "name the vendors whose lines are the merchant's, or write [\"*\"] for all lines",
        Form::Separators => "write a list of single characters, for example [\"-\", \"_\"]",
        Form::Trigger => "write \"created\", \"paid\" or \"fulfilled\"",
        Form::Time => "write a time with its zone, for example \"2026-11-01T00:00:00+03:00\"",
        Form::Tolerance => "write a whole number of minor units from 0 to 100000",
        Form::Locked => "write \"hold\" or \"new_invoice\"",
        Form::Shipping => "write \"all_lines\", \"always\" or \"never\"",
        Form::Price => "write \"sale\" or \"zero\"",
        Form::Exchange => "write \"hold\" or \"book\"",
        Form::Line => "write \"hold\", \"skip\" or \"line\"",
        Form::Rate => "write the fraction in quotes, for example \"0.15\" for fifteen percent",
        Form::Included => "write true if prices contain the tax, else false",
        Form::Gateway => "write the gateway's name as Shopify writes it, for example \"Cash on Delivery (COD)\"",
        Form::Method => "write the word by which Daftra knows the method of payment, for example \"cash\"",
        Form::DaftraId => "write Daftra's number of it, for example 1",
    }
}
