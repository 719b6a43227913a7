//! The desk inside a running server: the same wishes, and after each of them the engine and the intake are told.

use std::sync::Arc;

use serde_json::Value;

use super::account::{Accounts, Choices, Silence, Site, Trail};
use super::{Desk, Error, Person, Secret, Wish, account};
use crate::db;
use crate::domain::catalog::Product;
use crate::domain::offer::{Tax, WaysOfPaying};
use crate::engine::Engine;
use crate::engine::intake::Intake;

/// Takes wishes while the server works.
pub struct Office {
    engine: Arc<Engine>,
    intake: Arc<Intake>,
}

impl Office {
    /// The desk of this engine and its door.
    #[must_use]
    pub fn new(engine: Arc<Engine>, intake: Arc<Intake>) -> Self {
        Self { engine, intake }
    }

    /// Makes a wish come true and sees to it that it shows at once.
    pub fn perform(&self, wish: Wish, by: Person) -> Result<Value, Error> {
        let done = self.desk().perform(wish, self.engine.clock.now(), by)?;
        if done.effects.doors_changed {
            self.intake.reload()?;
        }
        if done.effects.orders_asked {
            // Possibly many: no worker sleeps on.
            (0..self.engine.settings.workers).for_each(|_| self.engine.wake());
        }
        if done.effects.chores_asked {
            self.engine.wake_chores();
        }
        if done.effects.mails_asked {
            self.engine.wake_mails();
        }
        Ok(done.answer)
    }

    /// Opens the body of a delivery for a person.
    pub fn body(&self, delivery_id: i64, by: Person) -> Result<String, Error> {
        self.desk().body(delivery_id, self.engine.clock.now(), by)
    }

    fn desk(&self) -> Desk<'_> {
        let Engine { db, vault, settings, .. } = self.engine.as_ref();
        Desk { db, vault, policy: settings.policy }
    }
}

impl Accounts for Office {
    fn meet(&self, address: &str, key: &Secret) -> Result<Site, Silence> {
        account::meet(&self.engine, address, key)
    }

    fn choices(&self, merchant_id: i64, client: &str, chosen: i64) -> Result<Result<Choices, Silence>, db::Error> {
        account::choices(&self.engine, merchant_id, client, chosen)
    }

    fn taxes(&self, merchant_id: i64) -> Result<Result<Vec<Tax>, Silence>, db::Error> {
        account::taxes(&self.engine, merchant_id)
    }

    fn ways_of_paying(&self, merchant_id: i64) -> Result<Result<WaysOfPaying, Silence>, db::Error> {
        account::ways_of_paying(&self.engine, merchant_id)
    }

    fn products(&self, merchant_id: i64, text: &str) -> Result<Result<Vec<Product>, Silence>, db::Error> {
        account::products(&self.engine, merchant_id, text)
    }

    fn secrets(&self, merchant_id: i64) -> Result<Vec<Trail>, db::Error> {
        account::secrets(&self.engine, merchant_id)
    }
}
