//! The one thing only C can do for us, and the only `unsafe` of the product.

/// Keeps name resolution inside the executable: the hosts file, then DNS.
///
/// A statically linked glibc otherwise loads whatever modules `/etc/nsswitch.conf` names, built for another libc, and
/// may crash in them. Must run before the first thread and the first look-up, so it is the first line of `main`.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn pin_name_resolution() {
    use std::ffi::{CStr, c_char, c_int};

    #[expect(unsafe_code, reason = "<nss.h> declares it so")]
    unsafe extern "C" {
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }

    const DATABASE: &CStr = c"hosts";
    const SERVICES: &CStr = c"files dns";
    #[expect(unsafe_code, reason = "there is no safe binding")]
    // SAFETY: both are NUL-terminated and live for ever, glibc copies them, and no other thread resolves names yet.
    let status = unsafe { __nss_configure_lookup(DATABASE.as_ptr(), SERVICES.as_ptr()) };
    assert_eq!(status, 0, "glibc knows the database 'hosts' and has memory at the start");
}

/// Nothing to pin: other systems resolve names in their own libc.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn pin_name_resolution() {}
