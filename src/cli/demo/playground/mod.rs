//! `demo`: two shops and a Daftra to play with in the browser, and the product between them as a child process that can
//! be killed. It goes on until Ctrl-C, and leaves nothing behind.
//!
//! In reading order: `life` is what people do here, `mail` how deliveries travel, `trouble` what they may break,
//! `facts` what came of it, `server` and `page` what the browser sees. Time is real, only shorter: the settings below
//! let a doubt resolve in some ten seconds.

mod facts;
mod life;
mod mail;
mod page;
mod server;
mod trouble;

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;

use super::super::{Ended, Session, out, serve};
use super::interrupt::Interrupt;
use super::stage::{Manner, Stage};
use life::Playground;

/// Nobody waits a minute and a half in front of a screen. A call still has less than half of the settling time.
const SETTINGS: &str = "[daftra]\ncall_timeout_ms = 3000\nconnect_timeout_ms = 1000\nsettling_ms = 7000\n\
                        look_up_gap_ms = 2000\npace_ms = 100\n[engine]\nmax_failures = 100\nretry_first_ms = 1000\n\
                        retry_longest_ms = 4000\nbreaker_first_ms = 2000\nbreaker_longest_ms = 4000\n";

/// Closes the playground when it goes.
struct Gate<'a>(&'a Playground);

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Opens the playground until somebody presses Ctrl-C.
pub(super) fn open(session: &Session) -> anyhow::Result<Ended> {
    let signals = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = {
        let _inside = signals.enter();
        serve::Stop::catch_with_terminal()?
    };
    let listener = TcpListener::bind("127.0.0.1:0").context("Cannot listen on this machine")?;
    let site = format!("http://{}", listener.local_addr()?);
    let manner = Manner { settings: SETTINGS, arguments: vec!["--playground".to_owned(), site.clone()] };
    let stage = Stage::with(1, manner, Interrupt::default())?;
    stage.add_merchants()?;
    let password = stage.add_owner()?;
    let (qantara, folder) = (stage.pages(), stage.folder().to_owned());
    // Browsers take a name and a password from an address that somebody follows (not from one inside a page).
    let signed_in = qantara.replacen("http://", &format!("http://demo:{password}@"), 1);

    let (playground, courier) = Playground::new(stage, signed_in.clone())?;
    let playground = Arc::new(playground);
    // The threads hold on to the playground, so whatever happens it is this that takes it down.
    let _gate = Gate(&playground);
    life::start(&playground, courier)?;
    server::start(Arc::clone(&playground), listener)?;
    playground.welcome()?;
    let about = json!({
        "shop": format!("{site}/shop"), "daftra": format!("{site}/daftra"), "qantara": qantara,
        "name": "demo", "password": password, "control": playground.control, "folder": folder,
    });
    session.out.say(&about, || {
        format!(
            "The playground is open. Nothing leaves this machine; Ctrl-C ends it and removes everything.\n\n\
             \x20 Shop     {site}/shop\n           buy, edit, refund, cancel, and break something\n\
             \x20 Daftra   {site}/daftra\n           invoices, receipts and stock appear by themselves\n\
             \x20 Qantara  {signed_in}\n           every order's story; name demo, password {password}\n"
        )
    })?;
    signals.block_on(stop.wait());
    let line = playground.facts()?.line.to_string();
    playground.close();
    if !session.out.json {
        out::print(&format!("\n{line}\n{} is removed", folder.display()))?;
    }
    Ok(Ended::Fine)
}
