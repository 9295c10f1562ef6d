//! Calls into the host.

use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Trouble;
use super::gate::enter;

/// Makes a synchronous call into the host, however long it takes: on a thread that may wait for ever.
pub(crate) fn inside<T>(what: &'static str, call: impl FnOnce() -> T) -> Result<T, Trouble> {
    let Some(_inside) = enter() else { return Err(Trouble::Left) };
    // Reading what the host answered panics if it does not fit.
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| Trouble::Unreadable { what })
}

/// Makes a call into the host, which has this long to answer. Dropping the future, or running out of time, tells the host that
/// nobody waits any more.
pub(crate) async fn call<T, E: From<Trouble>>(
    what: &'static str,
    limit: Duration,
    call: impl Future<Output = Result<T, E>> + Send,
) -> Result<T, E> {
    let mut call = Call(Some(Box::pin(call)));
    let answer = poll_fn(|context| call.poll(what, context));
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Trouble::TooSlow { what, limit }.into()),
    }
}

/// A call that is under way. Dropping it is a call into the host too.
struct Call<F>(Option<Pin<Box<F>>>);

impl<T, E: From<Trouble>, F: Future<Output = Result<T, E>>> Call<F> {
    fn poll(&mut self, what: &'static str, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        let Some(call) = self.0.as_mut() else { return Poll::Pending };
        inside(what, || call.as_mut().poll(context)).unwrap_or_else(|trouble| Poll::Ready(Err(trouble.into())))
    }
}

impl<F> Drop for Call<F> {
    fn drop(&mut self) {
        let call = self.0.take();
        match enter() {
            Some(_inside) => drop(call),
            None => mem::forget(call),
        }
    }
}
