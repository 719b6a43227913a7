//! Which Daftra the tests of this process meet: the default one, or one in which unknowns of the real service fall to
//! their other side.
//!
//! `QANTARA_UNKNOWN` names them, joined by `+`. A suite runs itself again under every profile with `again`; that each
//! unknown is met on its own is the work of `tests/unknowns.rs`.
#![allow(dead_code, reason = "each test program uses its part")]
#![expect(clippy::unwrap_used, reason = "a suite that cannot start itself fails")]

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use qantara::sandbox::daftra::{AccountSetup, Unknown, unknown};

const VARIABLE: &str = "QANTARA_UNKNOWN";

/// What a whole suite is run under again: what writes do, what lists show, how answers look. Where an order ends otherwise
/// under an unknown, its stories are elsewhere.
pub(crate) const PROFILES: [&str; 3] = [
    "partial_put+rounding+second_tax+tax_inheritance+negative_stock+credit_note_stock+reissue_refused+branches",
    "po_numbers+product_code_filter+v1_filters+v2_filters+credit_note_filters+drafts_listed+list_lag_seconds",
    "date_format+language+ids_as_text+number_in_answer+failures_with_200+nested_complaints+empty_maps_as_lists\
     +answers_say_invoice+rows_beside_header+v2_meta+v2_relations+bad_key_page+refuse_with_404",
];

/// The unknowns of this process.
static PROFILE: LazyLock<Vec<&Unknown>> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "a test is told by its environment which Daftra it meets")]
    let names = std::env::var(VARIABLE).unwrap_or_default();
    let find = |name| unknown(name).unwrap_or_else(|| panic!("{VARIABLE}: there is no unknown '{name}'"));
    names.split('+').filter(|name| !name.is_empty()).map(find).collect()
});

/// The account that tests build upon.
pub(crate) fn setup() -> AccountSetup {
    let mut setup = AccountSetup::default();
    PROFILE.iter().for_each(|unknown| (unknown.other)(&mut setup));
    setup
}

/// Runs this test program again under each profile, two at a time, without the tests named in `but`: the caller, and
/// those to whom Daftra's habits are all one.
pub(crate) fn again(but: &[&str]) {
    let run = |profile: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(VARIABLE, profile).args(["--test-threads", "1"]);
        command.args(but.iter().flat_map(|name| ["--skip", name]));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut complaints = String::new();
    for pair in PROFILES.chunks(2) {
        let running: Vec<_> = pair.iter().map(|profile| (profile, run(profile))).collect();
        for (profile, child) in running {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            if !output.status.success() || said.contains("running 0 tests") {
                let wept = String::from_utf8_lossy(&output.stderr);
                write!(complaints, "\n══ {VARIABLE}={profile}\n{said}{wept}").unwrap();
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}
