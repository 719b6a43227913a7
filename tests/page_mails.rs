//! The pages about mails: who may see and change what, what the forms wish for, and the mail as it will look.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use qantara::db::user::Role;
use serde_json::json;
use web_world::{PASSWORD, World, basic};

fn world() -> World {
    let world = World::new();
    world.add_order();
    world.add_user("olga", Role::Owner);
    world.sql(
        "insert into mail_recipient (merchant_id, address, language, kinds, created_at)
         values (1, x'00', 'ar', json_array('held'), 0);
         insert into mail (dedupe_key, kind, merchant_id, order_id, recipient, content, message_id, due_at, failures, doubts,
           problem, created_at, state_at)
         values ('held/1', 'held', 1, 1, x'00', x'00', 'a', 1795165260000, 2, 1,
           json_object('problem', 'later', 'code', 451, 'words', 'come <b>again</b>'), 1795165200000, 1795165200000);
         insert into mail (dedupe_key, kind, merchant_id, order_id, recipient, content, message_id, state, created_at, state_at)
         values ('created/1', 'created', 1, 1, x'00', null, 'b', 'sent', 1795165200000, 1795165200000)",
    );
    world
}

#[test]
fn each_mail_is_shown_with_its_state_and_one_that_is_kept_can_be_sent_again() {
    let world = world();
    let page = world.get("/merchants/noon/mails", "omar").body;
    for told in [
        "Mails are off",
        "Order held",
        "waiting",
        "451 come &lt;b&gt;again&lt;/b&gt;",
        "2 tries failed",
        "may have arrived twice",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    // No key opens the blobs of this test.
    assert!(page.contains("Not readable with this master key"));
    assert!(!page.contains("/recipients") && !page.contains("/words/"), "an operator changes nothing of it");
    assert!(!page.contains("/mails/2/again"), "what it said is not kept any more");
    assert_eq!(world.press("omar", "/merchants/noon/mails", "/merchants/noon/mails/1/again", "").status, 303);
    assert_eq!(world.desk.last().1, json!({"mail_resend": {"slug": "noon", "mail_id": 1}}));
    let order = world.get("/orders/1", "vera").body;
    assert!(order.contains("id=\"mails\"") && order.contains("Invoice created"), "{order}");
    world.sql("update user set language = 'ar' where name = 'omar'");
    let page = world.get("/merchants/noon/mails", "omar").body;
    assert!(page.contains("الرسائل الصادرة") && page.contains("الرسائل متوقفة"), "{page}");
}

#[test]
fn a_mail_to_those_who_run_the_server_is_sent_again_by_whoever_sees_all() {
    let world = world();
    world.sql(
        "insert into mail (dedupe_key, kind, recipient, content, message_id, state, created_at, state_at)
         values ('alert/1', 'alert', x'00', x'00', 'c', 'sent', 1795165200000, 1795165200000)",
    );
    assert!(!world.get("/alerts", "vera").body.contains("/again"), "a viewer sends nothing");
    assert_eq!(world.press("omar", "/alerts", "/alerts/mails/3/again", "").status, 303);
    assert_eq!(world.desk.last().1, json!({"mail_resend": {"slug": null, "mail_id": 3}}));
    let again = |mail: i64| {
        let action = format!("/alerts/mails/{mail}/again");
        let headers = [("Authorization", &*basic("omar", PASSWORD)), ("Sec-Fetch-Site", "same-origin")];
        world.send(&format!("POST {action}"), &headers, &format!("token={}", world.form_token("omar", &action))).status
    };
    assert_eq!(again(1), 404, "a merchant's mail is sent again on the merchant's page");
    assert_eq!(again(4), 404);
    world.limit("omar", &[1]);
    assert!(!world.get("/alerts", "omar").body.contains("/again"));
    assert_eq!(again(3), 404);
    assert_eq!(world.desk.wishes().len(), 1);
}

#[test]
fn owners_choose_who_gets_what() {
    let world = world();
    let here = "/merchants/noon/mails";
    let fields = "address=a%40b.example&language=ar&kind=created&kind=held&kind=more&kind=nonsense";
    assert_eq!(world.press("olga", here, "/merchants/noon/recipients", fields).status, 303);
    let wish =
        json!({"slug": "noon", "address": "a@b.example", "language": "ar", "kinds": ["created", "held", "more"]});
    assert_eq!(world.desk.last().1, json!({ "mail_recipient_add": wish }));
    assert_eq!(world.press("olga", here, "/merchants/noon/recipients/1", "language=en&kind=failed").status, 303);
    let wish = json!({"slug": "noon", "recipient_id": 1, "language": "en", "kinds": ["failed"]});
    assert_eq!(world.desk.last().1, json!({ "mail_recipient_set": wish }));
    assert_eq!(world.press("olga", here, "/merchants/noon/recipients/1/remove", "").status, 303);
    assert_eq!(world.desk.last().1, json!({"mail_recipient_remove": {"slug": "noon", "recipient_id": 1}}));
}

#[test]
fn words_are_shown_with_a_real_order_and_can_be_tried() {
    let world = world();
    let here = "/merchants/noon/words/created/ar";
    let page = world.get(here, "olga").body;
    assert!(page.contains("الفاتورة {invoice} للطلب {order}") && page.contains("INV-000042"), "{page}");
    assert!(!page.contains("/reset\""), "these are ours");
    let shown = world.get(&format!("{here}/preview"), "olga");
    let policy = shown.header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("style-src 'sha256-") && policy.contains("default-src 'none'"), "{policy}");
    assert!(
        shown.body.contains("<html lang=\"ar\" dir=\"rtl\">") && shown.body.contains("11.500 KWD"),
        "{}",
        shown.body
    );
    assert!(!shown.body.contains("<script>"), "somebody's words are no markup: {}", shown.body);

    assert_eq!(world.press("olga", here, here, "subject=S+%7Border%7D&greeting=G&closing=C").status, 303);
    let own = json!({"subject": "S {order}", "greeting": "G", "closing": "C"});
    let wish = json!({"slug": "noon", "kind": "created", "language": "ar", "own": own});
    assert_eq!(world.desk.last().1, json!({ "mail_words": wish }));
    world.sql("insert into mail_wording values (1, 'created', 'ar', 'Mine {order}', 'G', 'C')");
    let page = world.get(here, "olga").body;
    assert!(page.contains("value=\"Mine {order}\"") && page.contains("Mine "), "{page}");
    assert_eq!(world.press("olga", here, &format!("{here}/reset"), "").status, 303);
    let wish = json!({"slug": "noon", "kind": "created", "language": "ar", "own": null});
    assert_eq!(world.desk.last().1, json!({ "mail_words": wish }));
    assert_eq!(world.press("olga", here, &format!("{here}/trial"), "recipient=1").status, 303);
    assert_eq!(world.desk.last().1["mail_trial"]["recipient_id"], 1);
    for nothing in
        ["/merchants/noon/words/more/ar", "/merchants/noon/words/created/xx", "/merchants/x/words/created/ar"]
    {
        assert_eq!(world.get(nothing, "olga").status, 404, "{nothing}");
    }
}
