//! The memory storage and Postgres, side by side.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod backend;
#[path = "../../testkit/tests/differential/side_by_side/mod.rs"]
mod side_by_side;

#[test]
fn postgres_answers_and_holds_what_the_reference_does() {
    side_by_side::compare(12, || backend::Postgres::new(1));
}
