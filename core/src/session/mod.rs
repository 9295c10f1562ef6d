//! A session (会话): one seat for one messenger account.

mod card;
mod environment;
mod record;

pub use card::{Card, CardStatus};
pub(crate) use environment::checked_label;
pub use environment::{Environment, Platform, Proxy, ProxyScheme};
pub use record::{LoginMethod, MAX_REMARK_BYTES, Remark, SessionRecord};
