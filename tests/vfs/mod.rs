//! A file system for SQLite that is the real one, but for files in marked folders, whose fsync or write fails when told to:
//! the latter as after an error for which the system went on with the disk read-only.
//!
//! SQLite asks its file system through a table of functions. This one lets the real file system open a file and then, for a
//! marked one, lays a copy of its table over it in which two functions are ours.

#![expect(unsafe_code, reason = "SQLite's file systems are tables of C functions")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set its stage fails")]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use rusqlite::ffi::{
    SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE, SQLITE_OK, sqlite3_file, sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find,
    sqlite3_vfs_register,
};

/// One way to fail.
pub(crate) struct Fault {
    /// What the name of a folder begins with whose files may fail so.
    pub(crate) mark: &'static str,
    fails: AtomicBool,
    failed: AtomicU32,
}

pub(crate) static FSYNC: Fault = Fault::of("failing-fsync-");
pub(crate) static WRITE: Fault = Fault::of("failing-write-");

impl Fault {
    const fn of(mark: &'static str) -> Self {
        Self { mark, fails: AtomicBool::new(false), failed: AtomicU32::new(0) }
    }

    /// Whether it happens from now on.
    pub(crate) fn set(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    /// How often it did.
    pub(crate) fn count(&self) -> u32 {
        self.failed.load(Ordering::SeqCst)
    }

    fn happens(&self) -> bool {
        let fails = self.fails.load(Ordering::SeqCst);
        self.failed.fetch_add(u32::from(fails), Ordering::SeqCst);
        fails
    }
}

type Open = unsafe extern "C" fn(*mut sqlite3_vfs, *const c_char, *mut sqlite3_file, c_int, *mut c_int) -> c_int;
type Sync = unsafe extern "C" fn(*mut sqlite3_file, c_int) -> c_int;
type Write = unsafe extern "C" fn(*mut sqlite3_file, *const c_void, c_int, i64) -> c_int;

static REAL_OPEN: OnceLock<Open> = OnceLock::new();
static REAL_SYNC: OnceLock<Sync> = OnceLock::new();
static REAL_WRITE: OnceLock<Write> = OnceLock::new();
/// By each real table, which differ by how a file is locked, and by what fails: the same with our function in it.
static TABLES: Mutex<BTreeMap<(usize, &str), usize>> = Mutex::new(BTreeMap::new());

/// From now on every file of this process is opened through this.
pub(crate) fn install() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        // SAFETY: the default file system exists as long as the process; the copy is never freed, and SQLite keeps it.
        unsafe {
            let real = sqlite3_vfs_find(ptr::null());
            let mut ours = ptr::read(real);
            REAL_OPEN.set(ours.xOpen.unwrap()).unwrap();
            ours.xOpen = Some(open);
            ours.zName = c"failing".as_ptr();
            ours.pNext = ptr::null_mut();
            assert_eq!(sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 1), SQLITE_OK);
        }
    });
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands over what the real function expects; after success the file has its table.
    unsafe {
        let answer = REAL_OPEN.get().unwrap()(vfs, name, file, flags, out);
        let name = if name.is_null() { "".into() } else { CStr::from_ptr(name).to_string_lossy() };
        let mark = [&FSYNC, &WRITE].map(|fault| fault.mark).into_iter().find(|mark| name.contains(mark));
        if let Some(mark) = mark
            && answer == SQLITE_OK
            && !(*file).pMethods.is_null()
        {
            let real = (*file).pMethods;
            let table = *TABLES.lock().unwrap().entry((real as usize, mark)).or_insert_with(|| {
                let mut table: sqlite3_io_methods = ptr::read(real);
                REAL_SYNC.get_or_init(|| table.xSync.unwrap());
                REAL_WRITE.get_or_init(|| table.xWrite.unwrap());
                if mark == FSYNC.mark {
                    table.xSync = Some(sync);
                } else {
                    table.xWrite = Some(write);
                }
                Box::into_raw(Box::new(table)) as usize
            });
            (*file).pMethods = table as *const sqlite3_io_methods;
        }
        answer
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    if FSYNC.happens() {
        return SQLITE_IOERR_FSYNC;
    }
    // SAFETY: the file was opened by the real file system, whose function this is.
    unsafe { REAL_SYNC.get().unwrap()(file, flags) }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, bytes: *const c_void, length: c_int, at: i64) -> c_int {
    if WRITE.happens() {
        return SQLITE_IOERR_WRITE;
    }
    // SAFETY: the file was opened by the real file system, whose function this is.
    unsafe { REAL_WRITE.get().unwrap()(file, bytes, length, at) }
}
