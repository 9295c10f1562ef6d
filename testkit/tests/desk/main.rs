//! What the product's manual asks for, and what it leaves open: at the level of a desk, over the simulated messenger, on every
//! storage there is. Each case runs on virtual time.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod amendments;
mod contents;
mod convergence;
mod crowds;
mod data_centre;
mod faults;
mod history;
mod identities;
mod leads;
mod logins;
mod messages;
mod office;
mod reading;
mod records;
mod restarts;
mod rows;
mod search;
mod secrets;
mod sending;

/// A test of each case on each storage.
macro_rules! on_every_storage {
    ($($case:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(start_paused = true)]
            async fn $case() {
                super::$case(crate::office::Office::open(crate::office::Store::memory()).await).await;
            })*
        }

        mod sqlite {
            $(#[tokio::test(start_paused = true)]
            async fn $case() {
                super::$case(crate::office::Office::open(crate::office::Store::sqlite()).await).await;
            })*
        }
    };
}
pub(crate) use on_every_storage;
