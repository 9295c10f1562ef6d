//! The embedded storage of Seatport: one SQLite file.
