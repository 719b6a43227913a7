//! Ctrl-C while something is played: the play learns of it at its next step, fails, and takes down its stage like after
//! any other failure. So nothing has to be removed from two places.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;

use anyhow::bail;

use super::super::serve;

/// Whether somebody wants it to end.
#[derive(Clone, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl-C, SIGTERM and the end of the terminal only say that they came.
    pub(super) fn catch() -> anyhow::Result<Self> {
        let signals = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = {
            let _inside = signals.enter();
            serve::Stop::catch_with_terminal()?
        };
        let interrupt = Self::default();
        let told = interrupt.clone();
        Builder::new().name("interrupt".to_owned()).spawn(move || {
            signals.block_on(stop.wait());
            told.0.store(true, Ordering::SeqCst);
        })?;
        Ok(interrupt)
    }

    /// An error once it came.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            bail!("Interrupted before the end; the server is stopped and its folder removed");
        }
        Ok(())
    }
}
