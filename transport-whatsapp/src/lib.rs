//! WhatsApp as a transport of Seatport.
mod dialler;
mod fate;
mod proxy;
mod scope;
mod socket;
mod store;
mod web;
