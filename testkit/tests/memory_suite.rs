//! The reference storage passes the storage suite.

seatport_testkit::storage_suite!(seatport_testkit::storage::Memory::default());
