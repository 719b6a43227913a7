//! What people may break, and what it does to the fake Daftra. Some troubles hit the next call and are over, others stay
//! until they are called off; which are still to come is read from the fake itself.

use crate::cli::demo::stage::MERCHANTS;
use crate::sandbox::World;
use crate::sandbox::fault::{Fault, FaultKind};

/// Something to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    LoseAnswer,
    SaveAndSay500,
    Thrice,
    DaftraDown,
    KillDuringCall,
    KillNow,
}

/// More than a call has, so that it ends with the process that made it.
const WITHHELD_SECONDS: u32 = 60;

impl Trouble {
    /// In the order of the panel.
    pub(super) const ALL: [Self; 6] =
        [Self::LoseAnswer, Self::SaveAndSay500, Self::Thrice, Self::DaftraDown, Self::KillDuringCall, Self::KillNow];

    /// In addresses.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::LoseAnswer => "lose-answer",
            Self::SaveAndSay500 => "save-and-500",
            Self::Thrice => "thrice",
            Self::DaftraDown => "daftra-down",
            Self::KillDuringCall => "kill-during-call",
            Self::KillNow => "kill-now",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.word() == word)
    }

    /// On its button.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::LoseAnswer => "Lose the next answer",
            Self::SaveAndSay500 => "Save it and answer 500",
            Self::Thrice => "Send everything three times",
            Self::DaftraDown => "Daftra down",
            Self::KillDuringCall => "kill -9 during the next call",
            Self::KillNow => "kill -9 now",
        }
    }

    /// What it does, and what to watch for.
    pub(super) fn about(self) -> &'static str {
        match self {
            Self::LoseAnswer => {
                "Daftra saves the next document, and its answer never arrives. The order is in doubt; Qantara looks \
                 instead of sending again, and finds it."
            }
            Self::SaveAndSay500 => {
                "Daftra saves the next document and says that it failed. Believing it would make a second invoice."
            }
            Self::Thrice => "The shops send each delivery three times, as they may. Still one invoice.",
            Self::DaftraDown => "Nobody answers there. Orders are kept and wait; call it off and they go on.",
            Self::KillDuringCall => {
                "When the next document has arrived at Daftra and no answer is out yet, Qantara is killed and started \
                 again. It does not know, so it looks."
            }
            Self::KillNow => "Qantara is killed at this moment and started again. What it was told, it has.",
        }
    }

    /// What it does to a call, and whether until further notice.
    fn fault(self) -> Option<(FaultKind, bool)> {
        match self {
            Self::LoseAnswer => Some((FaultKind::LoseAnswer, false)),
            Self::SaveAndSay500 => Some((FaultKind::ErrorAfterSaving, false)),
            Self::DaftraDown => Some((FaultKind::Refuse, true)),
            Self::KillDuringCall => Some((FaultKind::Slow { seconds: WITHHELD_SECONDS }, false)),
            Self::Thrice | Self::KillNow => None,
        }
    }

    /// The faults of one account: the next call that writes, or any call.
    fn faults(self) -> Vec<Fault> {
        match self.fault() {
            None => Vec::new(),
            Some((kind, true)) => vec![Fault::always(kind)],
            Some((kind, false)) => ["POST", "PUT"].map(|method| Fault::once(kind.clone()).on(method, "")).into(),
        }
    }
}

/// Lays it in the way of all accounts.
pub(super) fn arm(world: &mut World, trouble: Trouble) {
    disarm(world, trouble);
    for account in accounts() {
        let Some(account) = world.account_mut(account) else { continue };
        let faults = account.faults();
        // Who is down answers nothing, whatever else was in store: the first fault in the list that fits decides.
        let at = if trouble == Trouble::DaftraDown { 0 } else { faults.len() };
        faults.splice(at..at, trouble.faults());
    }
}

/// Takes it out of the way.
pub(super) fn disarm(world: &mut World, trouble: Trouble) {
    let Some((kind, _)) = trouble.fault() else { return };
    for account in accounts() {
        if let Some(account) = world.account_mut(account) {
            account.faults().retain(|fault| fault.kind != kind);
        }
    }
}

/// Where a trouble stands in the fake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Off,
    Armed,
    /// It hit somewhere; what lies in wait elsewhere is to be taken away, for there is only one next call.
    Hit,
}

/// Whether it lies in wait, or has hit.
pub(super) fn standing(world: &mut World, trouble: Trouble) -> Standing {
    let Some((kind, _)) = trouble.fault() else { return Standing::Off };
    let whole = accounts().count() * trouble.faults().len();
    let mut left = 0;
    for account in accounts() {
        if let Some(account) = world.account_mut(account) {
            left += account.faults().iter().filter(|fault| fault.kind == kind).count();
        }
    }
    match left {
        0 => Standing::Off,
        left if left == whole => Standing::Armed,
        _ => Standing::Hit,
    }
}

fn accounts() -> impl Iterator<Item = &'static str> {
    MERCHANTS.iter().map(|(_, _, account, _)| *account)
}
