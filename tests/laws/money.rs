//! Money that comes and goes while the order changes: what is recorded of it, however it is told and however the calls
//! end.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use qantara::domain::order::{PaymentStatus, Transaction, TransactionKind, TransactionStatus};
use qantara::domain::rules::{GatewayRule, PaymentRules};
use rust_decimal::Decimal;

use crate::history::{Act, History, Story, at, stories};
use crate::world::{World, world};

/// A movement of money, and the body that first tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    kind: TransactionKind,
    status: TransactionStatus,
    minor: i64,
    gateway: &'static str,
    body: usize,
}

fn movements() -> impl Strategy<Value = Movement> {
    use TransactionKind::{Authorization, Capture, Change, Refund, Sale, Void};
    let kind = prop_oneof![
        6 => select(vec![Sale, Capture]),
        2 => Just(Refund),
        1 => select(vec![Change, Authorization, Void]),
    ];
    let status = prop_oneof![5 => Just(TransactionStatus::Success), 1 => Just(TransactionStatus::Pending)];
    (kind, status, 1_i64..4_000, select(vec!["mada", "cash"]), 0_usize..8)
        .prop_map(|(kind, status, minor, gateway, body)| Movement { kind, status, minor, gateway, body })
}

/// A history of one merchant's own order, with its money.
pub(crate) fn funded() -> impl Strategy<Value = (Story, Vec<Movement>, bool)> {
    (stories(), vec(movements(), 0..6), any::<bool>()).prop_map(|(mut story, movements, says_paid)| {
        let added = story.acts.iter_mut().filter_map(|act| if let Act::Add(item) = act { Some(item) } else { None });
        story.items.iter_mut().chain(added).for_each(|item| item.ours = true);
        (story, movements, says_paid)
    })
}

/// The bodies of the story with these movements told in them and in all that follow.
pub(crate) fn told((story, movements, says_paid): &(Story, Vec<Movement>, bool)) -> History {
    let mut history = story.tell();
    let bodies = history.bodies.len();
    for (number, body) in history.bodies.iter_mut().enumerate() {
        // The story's own money is in another currency at times; what goods are worth does not matter here.
        body.facts.transactions.clear();
        let of_refunds = body.facts.refunds.values_mut().flat_map(|refund| refund.transactions.values_mut());
        of_refunds.for_each(|movement| movement.currency.clear());
        for (id, movement) in (1..).zip(movements).filter(|(_, movement)| movement.body % bodies <= number) {
            body.facts.transactions.insert(id, transaction(id, movement, story));
        }
        if let Some(snapshot) = &mut body.snapshot {
            snapshot.payment = if *says_paid { PaymentStatus::Paid } else { PaymentStatus::Pending };
        }
    }
    history
}

fn transaction(id: i64, movement: &Movement, story: &Story) -> Transaction {
    Transaction {
        id,
        kind: movement.kind,
        status: movement.status,
        gateway: movement.gateway.into(),
        amount: Decimal::new(movement.minor, story.currency.digits()),
        currency: String::new(),
        at: Some(at(movement.body)),
    }
}

/// A world whose merchant records payments.
pub(crate) fn till(refunds: bool) -> World {
    let rule = |method: &str| GatewayRule { method: method.into(), treasury_id: None };
    let gateways = [("mada".into(), rule("bank")), ("cash".into(), rule("cash"))].into();
    let mut world = world();
    world.merchant.rules.payments = PaymentRules { record: true, from: None, refunds, gateways };
    world
}
