//! The storage of Seatport for many nodes: one PostgreSQL database.
