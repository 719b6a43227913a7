//! The laws of the core, held against generated histories: what must be true of every order, whatever the shop does, in
//! whatever order its deliveries arrive and however the calls to Daftra end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "laws/cases.rs"]
mod cases;
#[path = "laws/history.rs"]
mod history;
#[path = "laws/law.rs"]
mod law;
#[path = "common/make.rs"]
mod make;
#[path = "laws/money.rs"]
mod money;
#[path = "laws/world.rs"]
mod world;

use std::collections::BTreeMap;

use history::{History, stories};
use jiff::SignedDuration;
use law::law;
use money::{funded, till, told};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{Strategy, any};
use proptest::sample::{Index, select};
use qantara::domain::catalog::Catalog;
use qantara::domain::draft::{Draft, Fingerprint};
use qantara::domain::invoice::{Source, Totals, shop_totals};
use qantara::domain::money::Amount;
use qantara::domain::order::{
    Cancelled, Facts, Refund, RefundLine, Restock, Transaction, TransactionKind, TransactionStatus,
};
use qantara::domain::plan::Decision;
use qantara::domain::refund::Left;
use qantara::domain::rules::{LinePolicy, PricePolicy, ShippingPolicy, Trigger, Vendor, Vendors};
use rust_decimal::Decimal;
use world::Luck::{AnswerLost, DeadAfter, DeadBefore, Good, Refused, RequestLost, Unsent};
use world::{World, world};

/// The numbers of the bodies in the order in which they arrive, half of them twice. Disorder 0 is none.
fn arrivals(history: &History, disorder: u64) -> Vec<usize> {
    let all = history.bodies.len();
    if disorder == 0 {
        return (0..all).collect();
    }
    let mut chance = disorder;
    let mut next = || {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        chance >> 33
    };
    let mut times: Vec<(u64, usize)> =
        (0..all).chain((0..all).filter(|index| index % 2 == 0)).map(|i| (next(), i)).collect();
    times.sort_unstable();
    times.into_iter().map(|(_, index)| index).collect()
}

/// Delivers one after the other, working on the order after each; and lets time pass at the end.
fn work(world: &mut World, history: &History, arrivals: &[usize]) -> Decision {
    for index in arrivals {
        world.deliver(&history.bodies[*index]);
        world.rest();
        world.now += SignedDuration::from_secs(40);
    }
    let end = world.live().expect("A snapshot arrived");
    world.check_books();
    end
}

/// The end of a history in which nobody had to decide anything.
#[track_caller]
fn assert_done(world: &World, history: &History, end: &Decision) {
    match end {
        Decision::Settled => assert_same_net(world, history),
        Decision::Ignore(_) => assert!(world.remote.is_empty()),
        Decision::Hold(_) | Decision::Wait(..) | Decision::Act(_) => panic!("ends in {end:?}"),
    }
}

/// What Daftra holds is what the shop says is left.
fn assert_same_net(world: &World, history: &History) {
    let ours = world.net();
    for source in ours.keys().chain(history.left.keys()) {
        let ours = ours.get(source).copied().unwrap_or_default();
        if let Source::Money(refund) = source {
            let kindness = Left { units: -1, net: -history.kindness[refund], tax: Amount::ZERO };
            assert_eq!(ours, kindness, "money of refund {refund}");
            continue;
        }
        if matches!(source, Source::Shipping(_)) && !history.shipping_is_sure {
            continue;
        }
        let shop = history.left.get(source).copied().unwrap_or_default();
        assert_eq!(ours.units, shop.units, "units of {source:?}");
        assert!((ours.net - shop.net).abs().0 <= history.slack, "net of {source:?}: {ours:?}, the shop says {shop:?}");
        assert!((ours.tax - shop.tax).abs().0 <= history.slack, "tax of {source:?}: {ours:?}, the shop says {shop:?}");
    }
}

#[test]
fn ordinary_histories_end_without_a_person_in_the_shops_own_net_in_whatever_order_they_arrive() {
    law(600, (stories(), any::<u64>()), |(story, disorder)| {
        let history = story.tell();
        if !history.ordinary {
            return;
        }
        for disorder in [0, disorder] {
            let mut world = world();
            let end = work(&mut world, &history, &arrivals(&history, disorder));
            assert_done(&world, &history, &end);
        }
    });
}

/// Beside what ordinary histories check at every write: a merchant changes rules and catalogue between deliveries, and
/// some refunds need a person.
#[test]
fn any_history_ends_in_the_shops_own_net_or_with_a_named_hold() {
    law(800, (stories(), any::<u64>(), any::<u64>()), |(story, disorder, changes)| {
        let history = story.tell();
        let mut world = world();
        world.merchant.rules.tolerance_minor = None;
        for (time, index) in arrivals(&history, disorder).into_iter().enumerate() {
            world.deliver(&history.bodies[index]);
            world.rest();
            if changes >> time & 1 == 1 {
                move_house(&mut world);
            }
        }
        match world.live().unwrap() {
            Decision::Settled => assert_same_net(&world, &history),
            Decision::Ignore(_) => assert!(world.remote.is_empty()),
            Decision::Hold(reasons) => assert!(!reasons.is_empty()),
            end @ (Decision::Wait(..) | Decision::Act(_)) => panic!("ends in {end:?}"),
        }
        world.check_books();
    });
}

/// The merchant's next invoices look different in everything but their amounts.
fn move_house(world: &mut World) {
    let rules = &mut world.merchant.rules;
    rules.client_id += 1;
    rules.store_id += 1;
    rules.draft = !rules.draft;
    rules.taxes.iter_mut().for_each(|tax| tax.daftra_id += 10);
    world.shelf.iter_mut().for_each(|product| product.id += 100);
    world.catalog = Catalog::default();
}

#[test]
fn however_the_calls_end_every_document_exists_once_and_the_net_is_the_same() {
    let luck = [Unsent, RequestLost, AnswerLost, DeadBefore, DeadAfter, Refused, Good, Good].to_vec();
    law(800, (stories(), any::<u64>(), vec(select(luck), 0..8)), |(story, disorder, luck)| {
        let history = story.tell();
        let mut world = world();
        world.luck = luck.into();
        let end = work(&mut world, &history, &arrivals(&history, disorder));
        if history.ordinary {
            assert_done(&world, &history, &end);
        }
    });
}

/// The same Daftra, and a database that remembers nothing: what exists is found, never made again.
#[test]
fn another_life_of_the_database_makes_no_document_twice() {
    law(400, (stories(), any::<u64>()), |(story, disorder)| {
        let history = story.tell();
        let mut first = world();
        work(&mut first, &history, &arrivals(&history, disorder));
        let mut second = world();
        second.ledger.look_first_before = Some(history::at(100));
        second.remote = first.remote.clone();
        history.bodies.iter().for_each(|body| second.deliver(body));
        match second.live().unwrap() {
            // The creates themselves refuse a reference that exists.
            Decision::Settled => assert_same_net(&second, &history),
            Decision::Ignore(_) | Decision::Hold(_) => assert_eq!(second.remote, first.remote),
            end @ (Decision::Wait(..) | Decision::Act(_)) => panic!("ends in {end:?}"),
        }
    });
}

#[test]
fn a_cancelled_order_that_was_never_invoiced_plans_no_document() {
    law(300, stories(), |story| {
        let mut world = world();
        let cancelled = Some(Cancelled { at: history::at(1) });
        for mut body in story.tell().bodies {
            body.facts.cancelled = cancelled;
            world.deliver(&body);
            let decision = world.plan();
            assert!(matches!(decision, None | Some(Decision::Ignore(_))), "{decision:?}");
        }
    });
}

#[test]
fn a_change_of_rules_and_catalogue_alone_writes_nothing_on_what_exists() {
    let shipping = select(vec![ShippingPolicy::Always, ShippingPolicy::AllLines, ShippingPolicy::Never]);
    let policy = select(vec![LinePolicy::Hold, LinePolicy::Skip, LinePolicy::Line]);
    law(600, (stories(), any::<u64>(), shipping, policy), |(story, changes, shipping, policy)| {
        let history = story.tell();
        let mut world = world();
        if work(&mut world, &history, &arrivals(&history, 0)) != Decision::Settled {
            return;
        }
        let says = |bit: u32| changes >> bit & 1 == 1;
        let rules = &mut world.merchant.rules;
        (rules.shipping, rules.custom, rules.gift_card, rules.tip, rules.duty, rules.goodwill) =
            (shipping, policy, policy, policy, policy, policy);
        rules.price = PricePolicy::Zero;
        rules.ignored_tags = ["".to_owned()].into();
        rules.vendors = if says(0) { Vendors::Only([Vendor::new("other")].into()) } else { Vendors::AllBut([].into()) };
        rules.trigger = if says(1) { Trigger::Paid } else { Trigger::Fulfilled };
        rules.tolerance_minor = Some(0);
        rules.ignored_sources = ["web".to_owned()].into();
        rules.branch_id = Some(4);
        rules.sku.strip_prefixes = vec!["SKU-".into()];
        if says(2) {
            rules.taxes.clear();
        }
        world.merchant.live_from = says(3).then(|| history::at(1_000));
        move_house(&mut world);
        if says(4) {
            world.shelf.clear();
        }
        assert_eq!(world.plan(), Some(Decision::Settled));
    });
}

#[test]
fn the_invoice_of_a_whole_untouched_order_is_the_order() {
    law(500, stories(), |mut story| {
        story.acts.clear();
        story.items.iter_mut().for_each(|item| item.ours = true);
        let mut world = world();
        world.deliver(&story.tell().bodies[0]);
        assert_eq!(world.rest(), Some(Decision::Settled));
        let snapshot = story.tell().order().snapshot;
        let drafts: Vec<&Draft> = world.remote.values().collect();
        let [Draft::Invoice(invoice)] = drafts[..] else { panic!("{drafts:?}") };
        assert_eq!(shop_totals(&invoice.billed), Totals { total: snapshot.total_price, tax: snapshot.total_tax });
    });
}

fn facts() -> impl Strategy<Value = Facts> {
    let status = || {
        select(vec![
            TransactionStatus::Pending,
            TransactionStatus::Success,
            TransactionStatus::Failure,
            TransactionStatus::Error,
        ])
    };
    let kind = || select(vec![TransactionKind::Sale, TransactionKind::Refund]);
    let transactions = || {
        btree_map(1_i64..4, (status(), kind(), 1_i64..4), 0..3).prop_map(|all| {
            let one = |(id, (status, kind, amount))| {
                let (gateway, currency) = ("mada".to_owned(), "SAR".to_owned());
                (id, Transaction { id, kind, status, gateway, amount: Decimal::from(amount), currency, at: None })
            };
            all.into_iter().map(one).collect::<BTreeMap<i64, Transaction>>()
        })
    };
    let lines = vec((1_i64..3, 1_i64..3), 0..3).prop_map(|all| {
        let line = |(line_id, quantity)| RefundLine {
            line_id,
            quantity,
            restock: Restock::Return,
            subtotal: Amount(quantity * 100),
            tax: Amount::ZERO,
        };
        all.into_iter().map(line).collect::<Vec<_>>()
    });
    let refunds = btree_map(1_i64..4, (lines, transactions(), any::<bool>(), any::<bool>(), 0_usize..3), 0..3)
        .prop_map(|all| {
            let one = |(id, (lines, transactions, is_return, has_duties, created))| {
                let created_at = history::at(created);
                let (shipping, adjustments) = (Vec::new(), Vec::new());
                (id, Refund { id, created_at, lines, shipping, adjustments, has_duties, is_return, transactions })
            };
            all.into_iter().map(one).collect()
        });
    let cancelled = option::of((0_usize..3).prop_map(|step| Cancelled { at: history::at(step) }));
    (refunds, transactions(), cancelled, any::<bool>()).prop_map(|(refunds, transactions, cancelled, deleted)| Facts {
        refunds,
        transactions,
        cancelled,
        deleted,
    })
}

#[test]
fn facts_merge_in_any_order_grouping_and_number_to_the_same() {
    let merged = |parts: &[&Facts]| {
        let mut all = Facts::default();
        parts.iter().for_each(|part| all.merge((*part).clone()));
        all
    };
    law(2_000, (facts(), facts(), facts()), |(a, b, c)| {
        assert_eq!(merged(&[&a, &b]), merged(&[&b, &a]));
        assert_eq!(merged(&[&merged(&[&a, &b]), &c]), merged(&[&a, &merged(&[&b, &c])]));
        assert_eq!(merged(&[&a, &b, &a, &b]), merged(&[&a, &b]));
        assert_eq!(merged(&[&a]), a);
    });
}

#[test]
fn a_fingerprint_sees_units_net_and_tax_and_nothing_else() {
    law(400, (stories(), any::<Index>(), 0..4), |(story, pick, change)| {
        let mut world = world();
        story.tell().bodies.iter().for_each(|body| world.deliver(body));
        world.rest();
        let Some(draft) = world.remote.into_values().next() else { return };
        let billed = draft.billed().to_vec();
        let mut same = billed.clone();
        same.reverse();
        for one in &mut same {
            one.title.push_str(" (new)");
            one.sku.clear();
            one.product_id = one.product_id.map(|id| id + 1);
            one.rows.clear();
            one.taxes.iter_mut().for_each(|tax| tax.daftra_id += 1);
        }
        assert_eq!(Fingerprint::of(&same), Fingerprint::of(&billed));
        let mut other = billed.clone();
        let one = &mut other[pick.index(billed.len())];
        match change {
            0 => one.units += 1,
            1 => one.net += Amount(1),
            2 => one.tax += Amount(1),
            _ => one.source = Source::Line(77),
        }
        assert_ne!(Fingerprint::of(&other), Fingerprint::of(&billed));
        assert_ne!(Fingerprint::of(&billed[1..]), Fingerprint::of(&billed));
        assert!(!Fingerprint::of(&billed).is_foreign());
    });
    assert!(Fingerprint("0; line 1: 1 100 0".into()).is_foreign());
}

/// What is recorded is what came in, less at most what went back before it was recorded; each movement is in one
/// payment at most, which the world checks at every write.
#[test]
fn money_is_recorded_once_and_never_more_of_it_than_came_in() {
    let luck = [Unsent, RequestLost, AnswerLost, DeadBefore, DeadAfter, Good, Good, Good].to_vec();
    law(300, (funded(), any::<u64>(), vec(select(luck), 0..12)), |(story, disorder, luck)| {
        let history = told(&story);
        let mut world = till(false);
        world.luck = luck.into();
        let end = work(&mut world, &history, &arrivals(&history, disorder));
        world.check_payments(&end);
    });
}

/// The same money in the same order, told in other orders: in the end the same is open, but for what went back.
#[test]
fn money_that_goes_back_as_a_payment_leaves_what_is_kept() {
    law(250, (funded(), any::<u64>()), |(story, disorder)| {
        let history = told(&story);
        let mut world = till(true);
        let end = work(&mut world, &history, &arrivals(&history, disorder));
        world.check_payments(&end);
    });
}

/// Payments that exist are never touched by a change of rules, nor are others made for them.
#[test]
fn a_change_of_the_payment_rules_alone_writes_nothing_on_what_is_recorded() {
    law(150, (funded(), any::<bool>()), |(story, keeps_on)| {
        let history = told(&story);
        let mut world = till(false);
        if work(&mut world, &history, &arrivals(&history, 0)) != Decision::Settled {
            return;
        }
        let payments = &mut world.merchant.rules.payments;
        payments.record = keeps_on;
        payments.gateways.clear();
        assert_eq!(world.plan(), Some(Decision::Settled));
    });
}
