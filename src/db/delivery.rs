//! Webhooks as they came in: one row per event and merchant, its sealed body, and how often it was repeated.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::convert::{at, maybe_at, ms};
use super::{Context as _, Error};

/// A webhook about to be kept.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub merchant_id: i64,
    /// `X-Shopify-Webhook-Id`, else a hash of topic and body.
    pub event_key: String,
    pub topic: String,
    /// By the sender's clock.
    pub sent_at: Option<Timestamp>,
    /// Compressed, then sealed.
    pub body: Vec<u8>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It went to its order.
    Order,
    /// A test notification of the shop: the connection works, nothing is booked.
    Sample,
    /// It is not what its topic says.
    Unreadable,
    /// About something that no invoice depends on.
    Other,
}

impl Fate {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Order, Self::Sample, Self::Unreadable, Self::Other];

    /// As it stands in the database and in addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Sample => "sample",
            Self::Unreadable => "unreadable",
            Self::Other => "other",
        }
    }

    /// The fate of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fate| fate.word() == word)
    }
}

/// Whether an event was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    New {
        id: i64,
    },
    /// It came before; so many times by now.
    Repeat {
        id: i64,
        repeats: i64,
    },
}

/// Keeps a webhook, or counts it when it is known.
pub fn keep(tx: &Transaction<'_>, delivery: &Delivery, order_id: Option<i64>, now: Timestamp) -> Result<Kept, Error> {
    const KEEP: &str = "keep a delivery";
    let known = tx
        .prepare_cached(
            "update delivery set repeats = repeats + 1 where merchant_id = ?1 and event_key = ?2 returning id, repeats",
        )
        .during(KEEP)?
        .query_row((delivery.merchant_id, &delivery.event_key), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .during(KEEP)?;
    if let Some((id, repeats)) = known {
        return Ok(Kept::Repeat { id, repeats });
    }
    tx.prepare_cached(
        "insert into delivery (merchant_id, event_key, topic, order_id, sent_at, received_at, body, fate)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .during(KEEP)?
    .execute((
        delivery.merchant_id,
        &delivery.event_key,
        &delivery.topic,
        order_id,
        delivery.sent_at.map(ms),
        ms(now),
        &delivery.body,
        delivery.fate.word(),
    ))
    .during(KEEP)?;
    Ok(Kept::New { id: tx.last_insert_rowid() })
}

/// A kept webhook as the order page shows it.
#[derive(Clone, Debug)]
pub struct Overview {
    pub id: i64,
    pub topic: String,
    pub event_key: String,
    pub sent_at: Option<Timestamp>,
    pub received_at: Timestamp,
    pub repeats: i64,
    /// Retention has not taken its body yet.
    pub has_body: bool,
}

/// The deliveries of an order, oldest first.
pub fn of_order(c: &Connection, order_id: i64) -> Result<Vec<Overview>, Error> {
    const LIST: &str = "list an order's deliveries";
    let mut statement = c
        .prepare_cached(
            "select id, topic, event_key, sent_at, received_at, repeats, body is not null from delivery
             where order_id = ?1 order by id",
        )
        .during(LIST)?;
    let rows = statement
        .query_map([order_id], |row| {
            Ok((
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(5)?, row.get(6)?),
                row.get::<_, Option<i64>>(3)?,
                row.get::<_, i64>(4)?,
            ))
        })
        .during(LIST)?;
    rows.map(|row| {
        let ((id, topic, event_key, repeats, has_body), sent_at, received_at) = row.during(LIST)?;
        let (sent_at, received_at) = (maybe_at(sent_at)?, at(received_at)?);
        Ok(Overview { id, topic, event_key, sent_at, received_at, repeats, has_body })
    })
    .collect()
}

/// The sealed body of a delivery, if retention has not taken it, and the merchant it was sealed for.
pub fn body(c: &Connection, id: i64) -> Result<(i64, Option<Vec<u8>>), Error> {
    c.query_row("select merchant_id, body from delivery where id = ?1", [id], |row| Ok((row.get(0)?, row.get(1)?)))
        .during("read a delivery's body")
}

/// One delivery, and what it was sealed for.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub merchant_id: i64,
    pub event_key: String,
    pub topic: String,
    pub order_id: Option<i64>,
    pub sent_at: Option<Timestamp>,
    pub received_at: Timestamp,
    /// None once retention has passed.
    pub body: Option<Vec<u8>>,
}

/// The delivery of an id.
pub fn get(c: &Connection, id: i64) -> Result<Sealed, Error> {
    const READ: &str = "read a delivery";
    let (sealed, sent_at, received_at) = c
        .prepare_cached(
            "select merchant_id, event_key, topic, order_id, body, sent_at, received_at from delivery where id = ?1",
        )
        .during(READ)?
        .query_row([id], |row| {
            let sealed = Sealed {
                merchant_id: row.get(0)?,
                event_key: row.get(1)?,
                topic: row.get(2)?,
                order_id: row.get(3)?,
                sent_at: None,
                received_at: Timestamp::UNIX_EPOCH,
                body: row.get(4)?,
            };
            Ok((sealed, row.get::<_, Option<i64>>(5)?, row.get::<_, i64>(6)?))
        })
        .during(READ)?;
    Ok(Sealed { sent_at: maybe_at(sent_at)?, received_at: at(received_at)?, ..sealed })
}

/// A body that could not be read when it came turned out to be about this order.
pub fn belongs_to(tx: &Transaction<'_>, id: i64, order_id: i64) -> Result<(), Error> {
    tx.execute("update delivery set order_id = ?2, fate = 'order' where id = ?1 and order_id is null", (id, order_id))
        .during("say whose a delivery is")?;
    Ok(())
}
