//! `demo`: orders come in until somebody presses Ctrl-C.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::super::{Ended, Session, out, serve};
use super::once::{found, place, say, travel};
use super::scenario::STORIES;
use super::stage::{MERCHANTS, Stage};

/// Orders come in until somebody presses Ctrl-C.
pub(super) fn open(session: &Session) -> anyhow::Result<Ended> {
    let mut stage = Stage::new(1)?;
    stage.add_merchants()?;
    let password = stage.add_owner()?;
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stopped);
    let signals = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = {
        let _inside = signals.enter();
        serve::Stop::catch()?
    };
    std::thread::spawn(move || {
        signals.block_on(stop.wait());
        flag.store(true, Ordering::SeqCst);
    });
    let about = json!({ "pages": stage.pages(), "name": "demo", "password": password, "folder": stage.folder() });
    session.out.say(&about, || {
        format!(
            "Qantara's pages: {}\nName: demo\nPassword: {password}\n\
             Orders of three merchants come in and become invoices in a fake Daftra. Ctrl-C ends it and removes everything.\n",
            stage.pages()
        )
    })?;
    let mut told = BTreeSet::new();
    for story in STORIES.iter().cycle() {
        let (order, deliveries) = place(&mut stage, story)?;
        travel(&stage, story, deliveries)?;
        for _ in 0..15 {
            for (slug, _, account, _) in MERCHANTS {
                for (id, found) in found(&stage.books(account)?) {
                    if told.insert((slug, id)) && !session.out.json {
                        let name = if id == order.id.0 { order.name.as_str() } else { "an order" };
                        out::print(&format!("{name} of {slug}: invoice {}", say(&found)))?;
                    }
                }
            }
            if stopped.load(Ordering::SeqCst) {
                return Ok(Ended::Fine);
            }
            stage.pause();
        }
    }
    Ok(Ended::Fine)
}
