//! Headings, columns, buttons and hints, by the page they stand on: a struct of words, and one of it per language side by
//! side, so that neither can be forgotten.

pub mod alerts;
pub mod attention;
pub mod codes;
pub mod coverage;
pub mod cut_over;
pub mod deliveries;
pub mod home;
pub mod log;
pub mod mail;
pub mod mapping;
pub mod me;
pub mod merchants;
pub mod order;
pub mod policies;
pub mod privacy;
pub mod server;
pub mod shell;
pub mod shop_api;
pub mod statements;
pub mod telling;
pub mod tokens;
pub mod users;

use super::Lang;

impl Lang {
    /// What stands around every page.
    #[must_use]
    pub fn shell(self) -> &'static shell::Shell {
        self.pick(&shell::EN, &shell::AR)
    }

    /// The overview.
    #[must_use]
    pub fn home(self) -> &'static home::Home {
        self.pick(&home::EN, &home::AR)
    }

    /// The page of whoever reads it.
    #[must_use]
    pub fn me(self) -> &'static me::Me {
        self.pick(&me::EN, &me::AR)
    }

    /// For which variants a product is found.
    #[must_use]
    pub fn coverage(self) -> &'static coverage::Coverage {
        self.pick(&coverage::EN, &coverage::AR)
    }

    /// Documents of others that name our orders.
    #[must_use]
    pub fn cut_over(self) -> &'static cut_over::CutOver {
        self.pick(&cut_over::EN, &cut_over::AR)
    }

    /// The tokens of whoever reads it.
    #[must_use]
    pub fn tokens(self) -> &'static tokens::Tokens {
        self.pick(&tokens::EN, &tokens::AR)
    }

    /// The users.
    #[must_use]
    pub fn users(self) -> &'static users::Users {
        self.pick(&users::EN, &users::AR)
    }

    /// What people did.
    #[must_use]
    pub fn audit(self) -> &'static users::Audit {
        self.pick(&users::AUDIT_EN, &users::AUDIT_AR)
    }

    /// What shops ask for in the name of their customers.
    #[must_use]
    pub fn privacy(self) -> &'static privacy::Privacy {
        self.pick(&privacy::EN, &privacy::AR)
    }

    /// The alerts.
    #[must_use]
    pub fn alerts(self) -> &'static alerts::Alerts {
        self.pick(&alerts::EN, &alerts::AR)
    }

    /// What is told of alerts outside the pages.
    #[must_use]
    pub fn telling(self) -> &'static telling::Telling {
        self.pick(&telling::EN, &telling::AR)
    }

    /// The daily statements.
    #[must_use]
    pub fn statements(self) -> &'static statements::Statements {
        self.pick(&statements::EN, &statements::AR)
    }

    /// The server itself.
    #[must_use]
    pub fn server(self) -> &'static server::Server {
        self.pick(&server::EN, &server::AR)
    }

    /// What needs a person.
    #[must_use]
    pub fn attention(self) -> &'static attention::Attention {
        self.pick(&attention::EN, &attention::AR)
    }

    /// The pages of the merchants.
    #[must_use]
    pub fn merchants(self) -> &'static merchants::Merchants {
        self.pick(&merchants::EN, &merchants::AR)
    }

    /// A merchant's way to the API of its shop.
    #[must_use]
    pub fn shop_api(self) -> &'static shop_api::ShopApi {
        self.pick(&shop_api::EN, &shop_api::AR)
    }

    /// The sync log.
    #[must_use]
    pub fn log(self) -> &'static log::Log {
        self.pick(&log::EN, &log::AR)
    }

    /// Mails, and the pages about them.
    #[must_use]
    pub fn mail(self) -> &'static mail::Mail {
        self.pick(&mail::EN, &mail::AR)
    }

    /// One order.
    #[must_use]
    pub fn order(self) -> &'static order::Order {
        self.pick(&order::EN, &order::AR)
    }

    /// What a merchant's rules mean.
    #[must_use]
    pub fn policies(self) -> &'static policies::Policies {
        self.pick(&policies::EN, &policies::AR)
    }

    /// Which product a code is.
    #[must_use]
    pub fn mapping(self) -> &'static mapping::Mapping {
        self.pick(&mapping::EN, &mapping::AR)
    }

    /// The deliveries.
    #[must_use]
    pub fn deliveries(self) -> &'static deliveries::Deliveries {
        self.pick(&deliveries::EN, &deliveries::AR)
    }

    /// How SKUs become codes.
    #[must_use]
    pub fn codes(self) -> &'static codes::Codes {
        self.pick(&codes::EN, &codes::AR)
    }

    fn pick<T>(self, english: &'static T, arabic: &'static T) -> &'static T {
        match self {
            Self::En => english,
            Self::Ar => arabic,
        }
    }
}
