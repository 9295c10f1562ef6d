//! What tests of Seatport, its storages and its transports are built from.

// messenger: the simulated messenger network
// storage: the storage suite, broken stores, fault injection
