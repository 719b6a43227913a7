//! Daily statements: every order of a day in one class, as it stood in the night after.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::class::{self, Class};
use super::convert::{at, ms, to_json, word};
use super::sight::Sight;
use super::{Context as _, Error, order};
use crate::domain::sequence::{Gap, gaps};

/// Gaps that a statement names; whoever counts otherwise has too many to name.
const GAPS: usize = 50;

/// What is known of the orders of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub merchant_id: i64,
    /// Of the merchant's own calendar.
    pub day: Date,
    pub begins_at: Timestamp,
    pub ends_at: Timestamp,
    /// By our own id.
    pub orders: BTreeMap<i64, Class>,
    /// Numbers of orders that nobody told us of, between those of this day and the last one before.
    pub missing: Vec<Gap>,
}

/// A statement as lists show it.
#[derive(Clone, Debug)]
pub struct Statement {
    pub id: i64,
    pub merchant_id: i64,
    pub day: Date,
    /// When it was last found to be so, or made so.
    pub drawn_at: Timestamp,
    pub missing: Vec<Gap>,
    /// How many orders are in which class; classes without any are not there.
    pub counts: BTreeMap<Class, i64>,
}

impl Statement {
    /// All orders of the day.
    #[must_use]
    pub fn orders(&self) -> i64 {
        self.counts.values().sum()
    }
}

/// An order on a statement.
#[derive(Clone, Debug)]
pub struct Line {
    pub order_id: i64,
    /// The shop's name for it; `None` when it is not known any more.
    pub name: Option<String>,
    /// Where it stood when the statement was drawn up.
    pub class: Class,
}

/// The account of a day as it is now. An order without a body belongs to the day on which it was first heard of.
pub fn account(c: &Connection, merchant_id: i64, day: Date, zone: &TimeZone) -> Result<Account, Error> {
    const READ: &str = "read the orders of a day";
    let begins_at = begin(day, zone);
    let ends_at = day.tomorrow().map_or(begins_at, |next| begin(next, zone));
    let mut statement = c
        .prepare_cached(
            "select id from orders
             where merchant_id = ?1 and coalesce(placed_at, created_at) >= ?2 and coalesce(placed_at, created_at) < ?3",
        )
        .during(READ)?;
    let rows = statement.query_map((merchant_id, ms(begins_at), ms(ends_at)), |row| row.get(0)).during(READ)?;
    let ids = rows.collect::<Result<Vec<i64>, _>>().during(READ)?;
    let mut orders = BTreeMap::new();
    let mut names = Vec::new();
    for id in ids {
        let order = order::get(c, id)?;
        orders.insert(id, class::of(c, &order)?);
        names.push(order.name);
    }
    let before: Option<String> = c
        .prepare_cached(
            "select name from orders where merchant_id = ?1 and coalesce(placed_at, created_at) < ?2
             order by coalesce(placed_at, created_at) desc limit 1",
        )
        .during(READ)?
        .query_row((merchant_id, ms(begins_at)), |row| row.get(0))
        .optional()
        .during(READ)?;
    let mut missing = gaps(before.as_deref(), names.iter().map(String::as_str));
    missing.truncate(GAPS);
    Ok(Account { merchant_id, day, begins_at, ends_at, orders, missing })
}

/// The days of the orders that were first heard of since a time; of many the newest.
pub fn days_heard_of(
    c: &Connection,
    merchant_id: i64,
    since: Timestamp,
    zone: &TimeZone,
) -> Result<BTreeSet<Date>, Error> {
    const MOST: u32 = 50_000;
    const READ: &str = "read which days were heard of";
    let mut statement = c
        .prepare_cached(
            "select created_at, coalesce(placed_at, created_at) from orders where merchant_id = ?1 order by id desc limit ?2",
        )
        .during(READ)?;
    let mut rows = statement.query((merchant_id, MOST)).during(READ)?;
    let mut days = BTreeSet::new();
    while let Some(row) = rows.next().during(READ)? {
        let created: i64 = row.get(0).during(READ)?;
        if created < ms(since) {
            break;
        }
        days.insert(at(row.get(1).during(READ)?)?.to_zoned(zone.clone()).date());
    }
    Ok(days)
}

fn begin(day: Date, zone: &TimeZone) -> Timestamp {
    let midnight = zone.to_ambiguous_zoned(day.at(0, 0, 0, 0)).compatible();
    midnight.map_or(Timestamp::UNIX_EPOCH, |midnight| midnight.timestamp())
}

/// Whether the statement of the day says just this already.
pub fn is_told(c: &Connection, account: &Account) -> Result<bool, Error> {
    let Some(known) = of_day(c, account.merchant_id, account.day)? else { return Ok(false) };
    let lines = lines(c, known.id)?.into_iter().map(|line| (line.order_id, line.class)).collect::<BTreeMap<_, _>>();
    Ok(known.missing == account.missing && lines == account.orders)
}

/// Draws the statement of a day up, or up anew.
pub fn draw(tx: &Transaction<'_>, account: &Account, now: Timestamp) -> Result<(), Error> {
    const DRAW: &str = "draw a statement up";
    let Account { merchant_id, day, begins_at, ends_at, orders, missing } = account;
    let id: i64 = tx
        .prepare_cached(
            "insert into statement (merchant_id, day, begins_at, ends_at, drawn_at, missing) values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (merchant_id, day) do update set
               begins_at = excluded.begins_at, ends_at = excluded.ends_at, drawn_at = excluded.drawn_at,
               missing = excluded.missing
             returning id",
        )
        .during(DRAW)?
        .query_row((merchant_id, day.to_string(), ms(*begins_at), ms(*ends_at), ms(now), to_json(missing)), |row| {
            row.get(0)
        })
        .during(DRAW)?;
    tx.prepare_cached("delete from accounted where statement_id = ?1").during(DRAW)?.execute([id]).during(DRAW)?;
    let mut add =
        tx.prepare_cached("insert into accounted (statement_id, order_id, class) values (?1, ?2, ?3)").during(DRAW)?;
    for (order_id, class) in orders {
        add.execute((id, order_id, class.word())).during(DRAW)?;
    }
    Ok(())
}

const COLUMNS: &str = "id, merchant_id, day, drawn_at, missing";

type Columns = (i64, i64, String, i64, String);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn statement(c: &Connection, (id, merchant_id, day, drawn_at, missing): Columns) -> Result<Statement, Error> {
    const READ: &str = "read a statement";
    let day = word(READ, &day, day.parse().ok())?;
    let missing = word(READ, &missing, serde_json::from_str(&missing).ok())?;
    let mut counted = c
        .prepare_cached("select class, count(*) from accounted where statement_id = ?1 group by class")
        .during(READ)?;
    let rows = counted.query_map([id], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).during(READ)?;
    let counts = rows.map(|row| {
        let (class, count) = row.during(READ)?;
        Ok((word(READ, &class, Class::parse(&class))?, count))
    });
    let counts = counts.collect::<Result<_, Error>>()?;
    Ok(Statement { id, merchant_id, day, drawn_at: at(drawn_at)?, missing, counts })
}

/// The statement of a merchant's day, if there is one.
pub fn of_day(c: &Connection, merchant_id: i64, day: Date) -> Result<Option<Statement>, Error> {
    const FIND: &str = "find a statement";
    let sql = format!("select {COLUMNS} from statement where merchant_id = ?1 and day = ?2");
    let found = c.prepare_cached(&sql).during(FIND)?.query_row((merchant_id, day.to_string()), columns);
    found.optional().during(FIND)?.map(|found| statement(c, found)).transpose()
}

/// The orders of a statement, the oldest first.
fn lines(c: &Connection, statement_id: i64) -> Result<Vec<Line>, Error> {
    const READ: &str = "read the orders of a statement";
    let mut statement = c
        .prepare_cached(
            "select a.order_id, o.name, a.class from accounted a left join orders o on o.id = a.order_id
             where a.statement_id = ?1 order by a.order_id",
        )
        .during(READ)?;
    let rows = statement
        .query_map([statement_id], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
        .during(READ)?;
    rows.map(|row| {
        let (order_id, name, class) = row.during(READ)?;
        Ok(Line { order_id, name, class: word(READ, &class, Class::parse(&class))? })
    })
    .collect()
}

impl Sight<'_> {
    /// Statements of one merchant, or of all, the newest day first, from before a day on.
    pub fn statements(
        &self,
        merchant_id: Option<i64>,
        before: Option<Date>,
        limit: u32,
    ) -> Result<Vec<Statement>, Error> {
        const LIST: &str = "list statements";
        if let Some(id) = merchant_id {
            self.allow(id)?;
        }
        let c = self.connection();
        let before = before.unwrap_or(Date::MAX).to_string();
        let mut found = Vec::new();
        for merchant in self.each(merchant_id) {
            let narrow = if merchant.is_some() { "merchant_id = ?1" } else { "?1 is null" };
            let sql = format!(
                "select {COLUMNS} from statement where {narrow} and day < ?2 order by day desc, merchant_id limit ?3"
            );
            let mut query = c.prepare_cached(&sql).during(LIST)?;
            let rows = query.query_map((merchant, &before, limit), columns).during(LIST)?;
            for row in rows {
                found.push(statement(c, row.during(LIST)?)?);
            }
        }
        found.sort_by_key(|one| (std::cmp::Reverse(one.day), one.merchant_id));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// Whether the shop itself was looked through from before a statement's day to its last page after it, and gave every
    /// order that it listed: then it has no orders of that day that are not known.
    pub fn is_proven(&self, statement: &Statement) -> Result<bool, Error> {
        self.allow(statement.merchant_id)?;
        const ASK: &str = "ask whether the shop was looked through";
        self.connection()
            .prepare_cached(
                "select exists (select 1 from statement s join shop_api a on a.merchant_id = s.merchant_id
                                where s.id = ?1 and a.looked_from <= s.begins_at and a.caught_up_at > s.ends_at
                                  and a.unread = '[]')",
            )
            .during(ASK)?
            .query_row([statement.id], |row| row.get(0))
            .during(ASK)
    }

    /// The statement of a merchant's day with its orders.
    pub fn statement(&self, merchant_id: i64, day: Date) -> Result<(Statement, Vec<Line>), Error> {
        self.allow(merchant_id)?;
        let c = self.connection();
        let found = of_day(c, merchant_id, day)?.ok_or(Error::NotFound { context: "find a statement" })?;
        let lines = lines(c, found.id)?;
        Ok((found, lines))
    }
}
