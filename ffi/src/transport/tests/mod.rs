mod dialling;
mod double;
mod outbound;
mod signals;
#[cfg(feature = "testkit")]
mod whole;
