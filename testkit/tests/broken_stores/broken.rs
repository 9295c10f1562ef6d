//! The defects, and the layer that gives a storage one of them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::conversation::{MessageStatus, StoredMessage};
use seatport::ids_of_messages::MessageKey;
use seatport::storage::{Change, Storage, StorageError};
use seatport_testkit::storage::{Answer, Call, Intercept};
use tokio::sync::broadcast;
