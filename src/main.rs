//! Pins name resolution before anything else can start a thread.

fn main() {
    qantara::sys::pin_name_resolution();
}
