//! An object of the host.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::gate::{enter, has_left};

/// An object of the host. Letting go of it is a call into the host too: once the host is leaving, it is left alone instead.
pub(crate) struct Held<T: ?Sized>(Option<Arc<T>>);

impl<T: ?Sized> Held<T> {
    pub(crate) fn new(object: Arc<T>) -> Self {
        Self(Some(object))
    }
}

impl<T: ?Sized> Deref for Held<T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        self.0.as_ref().unwrap_or_else(|| unreachable!("only dropping takes it out"))
    }
}

impl<T: ?Sized> Clone for Held<T> {
    fn clone(&self) -> Self {
        // Rust counts its owners itself; the host hears of the last one only.
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Drop for Held<T> {
    fn drop(&mut self) {
        let object = self.0.take();
        match enter() {
            Some(_inside) => drop(object),
            None => std::mem::forget(object),
        }
    }
}

impl<T: ?Sized> fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if has_left() { "Held(left)" } else { "Held" })
    }
}
