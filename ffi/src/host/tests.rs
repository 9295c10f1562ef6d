use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::{Held, HostThread, Trouble, call};
use crate::error::SeatportError;

const LIMIT: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_given_up_after_the_limit() {
    let begin = tokio::time::Instant::now();
    let answer: Result<(), SeatportError> = call("current", LIMIT, pending()).await;
    let SeatportError::Host { detail } = answer.unwrap_err() else { panic!("another error") };
    assert_eq!(detail, "the host did not answer current within 2s; look for what blocks it, or raise callback_timeout");
    assert_eq!(begin.elapsed(), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_an_error_and_no_panic() {
    let answer: Result<(), SeatportError> = call("current", LIMIT, async { panic!("junk") }).await;
    assert!(matches!(answer, Err(SeatportError::Host { detail }) if detail.contains("current cannot be read")));
}

#[tokio::test(start_paused = true)]
async fn what_the_host_says_is_passed_on() {
    assert_eq!(call("current", LIMIT, async { Ok::<_, SeatportError>(7) }).await, Ok(7));
    let thrown: SeatportError = uniffi::UnexpectedUniFFICallbackError::new("KeyError").into();
    let answer: Result<(), _> = call("current", LIMIT, async { Err(thrown.clone()) }).await;
    assert_eq!(answer, Err(thrown));
}

#[test]
fn a_host_that_hangs_on_its_thread_is_not_called_again_until_it_has_come_back() {
    let thread = HostThread::new("clock");
    let (release, released) = mpsc::channel::<()>();
    let (back, came_back) = mpsc::channel::<()>();
    let hanging = move || {
        let _ = released.recv();
        let _ = back.send(());
    };
    let limit = Duration::from_millis(5);
    assert_eq!(thread.ask(limit, hanging), Err(Trouble::TooSlow { what: "clock", limit }));
    assert_eq!(thread.ask(LIMIT, || 7), Err(Trouble::Busy { what: "clock" }));
    release.send(()).unwrap();
    came_back.recv().unwrap();
    while thread.ask(LIMIT, || 7) != Ok(7) {
        std::thread::yield_now();
    }
}

#[test]
fn a_host_that_panics_on_its_thread_is_called_again() {
    let thread = HostThread::new("clock");
    let answer: Result<(), _> = thread.ask(LIMIT, || panic!("junk"));
    assert_eq!(answer, Err(Trouble::Unreadable { what: "clock" }));
    assert_eq!(thread.ask(LIMIT, || 7), Ok(7));
}

#[test]
fn an_object_of_the_host_is_given_back_with_its_last_owner() {
    struct Object(Arc<AtomicU32>);

    impl Drop for Object {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    let given_back = Arc::new(AtomicU32::new(0));
    let held = Held::new(Arc::new(Object(given_back.clone())));
    let other = held.clone();
    drop(held);
    assert_eq!(given_back.load(Ordering::SeqCst), 0);
    drop(other);
    assert_eq!(given_back.load(Ordering::SeqCst), 1);
}
