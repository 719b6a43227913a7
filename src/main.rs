//! Pins name resolution before anything else can start a thread, then hands over to the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    qantara::sys::pin_name_resolution();
    // A variable that is not text cannot be one of ours.
    let environment =
        std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    qantara::cli::run(std::env::args_os(), environment.collect())
}
