//! The gate that every call into the host goes through, and that closes for good when the host is leaving.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{RecursiveRwLock, RecursiveRwLockReadGuard};

/// How long a host that is leaving waits for the calls that are inside it at that moment.
const PATIENCE: Duration = Duration::from_secs(1);

static LEFT: AtomicBool = AtomicBool::new(false);
/// Held for reading by whoever is inside the host. Recursive, because what the host is called for may call Seatport, which calls
/// the host.
static GATE: RecursiveRwLock<()> = RecursiveRwLock::new(());

/// Leave to be inside the host.
pub(super) struct Inside(#[expect(dead_code, reason = "it is held")] RecursiveRwLockReadGuard<'static, ()>);

/// Goes into the host; none once it is leaving.
pub(super) fn enter() -> Option<Inside> {
    if has_left() {
        return None;
    }
    let inside = Inside(GATE.read());
    (!has_left()).then_some(inside)
}

/// Whether the host is leaving.
pub(super) fn has_left() -> bool {
    LEFT.load(Ordering::Acquire)
}

/// From now on nothing calls the host any more, not even to give back what it handed in: its language is being taken down.
/// Waits a moment for the calls that are inside it.
pub(crate) fn leave() {
    LEFT.store(true, Ordering::Release);
    drop(GATE.try_write_for(PATIENCE));
}
