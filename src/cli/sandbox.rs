//! `sandbox`: a fake Daftra on a port of this machine, with one account and a small catalogue, and fake shops beside it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Ended, Session, serve};
use crate::clock::Clock;
use crate::sandbox::daftra::{Account, AccountSetup, Client, Product, Store, Tax};
use crate::sandbox::{World, open_shop};

#[derive(clap::Args)]
pub(super) struct Sandbox {
    /// Where to listen. Its books begin empty each time: a database of another time does not fit them
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8901")]
    listen: SocketAddr,
    /// What this Daftra is like, as GET /control/unknowns names it: requisitions=true
    #[arg(long, value_name = "KEY=VALUE", value_parser = wish)]
    set: Vec<(String, Value)>,
    /// Open a shop whose API can be asked, such as wadi.myshopify.com; as many as are given. More can be opened later, and what
    /// happens in them is said at /control
    #[arg(long, value_name = "DOMAIN")]
    shop: Vec<String>,
}

/// Enough of everything that stock is no obstacle.
const STOCK: i64 = 1_000;

/// Code, barcode, name and price: what the SKUs of the fake shop lead to, by code, by prefix and by barcode.
pub(super) const CATALOGUE: [(&str, &str, &str, i64); 7] = [
    ("WH-1001", "", "Linen cushion", 12_995),
    ("WH-2040", "", "مصباح طاولة خشبي", 34_900),
    ("WH-3300", "", "Coffee & date tray", 1_575),
    ("OUD-50", "6281000000014", "عود & عنبر", 18_700),
    ("NJ-OUD-100", "", "دهن عود كمبودي", 42_050),
    ("NJ-BKH-1", "", "بخور معمول", 4_333),
    ("NJ-BOOK", "", "كتاب العطور", 6_000),
];

/// The ids a merchant file needs.
pub(super) struct Ids {
    client: u64,
    store: u64,
    tax: u64,
}

impl Sandbox {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let clock = Clock::real();
        let impossible = |why| anyhow::anyhow!("The account cannot be like this: {why}");
        let setup = AccountSetup::default().with(self.set.into_iter().collect()).map_err(impossible)?;
        let (name, key) = (setup.name.clone(), setup.keys.first().map(|key| key.key.clone()).unwrap_or_default());
        let (account, ids) = sample(setup, &clock).map_err(impossible)?;
        let mut world = World::new(1);
        world.add(account);
        let opened: Result<Vec<Value>, String> =
            self.shop.iter().map(|domain| open_shop(&mut world, domain, "SAR")).collect();
        let shops = opened.map_err(|why| anyhow::anyhow!("The shop cannot be opened: {why}"))?;

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let stop = serve::Stop::catch()?;
            let listener =
                TcpListener::bind(self.listen).await.with_context(|| format!("Cannot listen on {}", self.listen))?;
            let address = listener.local_addr()?;
            let (daftra, control) =
                (format!("http://{address}/acct/{name}"), format!("http://{address}/control/acct/{name}"));
            let help = format!("http://{address}/control");
            let about = json!({
                "listening": address, "daftra": daftra, "key": key, "control": control, "help": help,
                "client_id": ids.client, "store_id": ids.store, "tax_id": ids.tax, "shops": shops,
            });
            session.out.say(&about, || {
                let shops: String = shops.iter().map(|shop| words(shop, address)).collect();
                format!(
                    "A fake Daftra listens on {address} until you press Ctrl-C.\n\
                     For the merchant file:\n\
                     \x20 [daftra]\n  url = \"{daftra}\"\n  store_id = {}\n  client_id = {}\n\
                     \x20 [[tax]]\n  title = \"VAT\"\n  rate = \"0.15\"\n  included = true\n  daftra_id = {}\n\
                     Its API key: {key}\n\
                     Its books: {control}/books\n\
                     Its bad days, and edits by hand: {help} explains them\n\
                     The server's configuration must allow it: [outgoing] allow = [\"{address}\"]{shops}",
                    ids.store, ids.client, ids.tax
                )
            })?;
            let now = move || clock.now();
            crate::sandbox::serve(listener, Arc::new(Mutex::new(world)), now, stop.wait()).await;
            anyhow::Ok(())
        })?;
        Ok(Ended::Fine)
    }
}

/// How a merchant is connected to a shop of the sandbox.
fn words(shop: &Value, address: SocketAddr) -> String {
    let text = |name: &str| shop[name].as_str().unwrap_or_default();
    format!(
        "\nA shop, {}: its API token is {}\n\
         \x20 Connect it: qantara merchant api SLUG --token-file FILE, and start the server with --shops-at {address}\n\
         \x20 Buy there: POST http://{address}/control/shop/{}/buy",
        text("domain"),
        text("token"),
        text("domain"),
    )
}

/// One wish for the account. A value that is no JSON is a text: `language=ar`.
fn wish(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, such as requisitions=true")?;
    let wish = (key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into()));
    AccountSetup::default().with([wish.clone()].into_iter().collect())?;
    Ok(wish)
}

/// The code of a product of the sample account, whose ids are given in the order of the catalogue.
pub(super) fn code_of(product: u64) -> Option<&'static str> {
    let at = usize::try_from(product.checked_sub(1)?).ok()?;
    CATALOGUE.get(at).map(|(code, ..)| *code)
}

/// An account with the sample catalogue, plenty of stock, one client, one store and one tax.
pub(super) fn sample(setup: AccountSetup, clock: &Clock) -> Result<(Account, Ids), String> {
    let mut account = Account::new(setup)?;
    let client = account.add_client(Client { business_name: "Online shop".to_owned(), ..Client::default() });
    let store = account.add_store(Store { name: "Main warehouse".to_owned(), primary: true, ..Store::default() });
    let vat = Tax { name: "VAT".to_owned(), value: Decimal::from(15), included: true, ..Tax::default() };
    let tax = account.add_tax(vat);
    for (code, barcode, name, price) in CATALOGUE {
        let product = account.add_product(Product {
            name: name.to_owned(),
            product_code: code.to_owned(),
            barcode: barcode.to_owned(),
            unit_price: Decimal::new(price, 2),
            tax1: Some(tax),
            ..Product::default()
        });
        account.add_stock(product, store, Decimal::from(STOCK), clock.now());
    }
    Ok((account, Ids { client, store, tax }))
}
