#![doc = include_str!("../README.md")]

mod address;
mod appearance;
mod connection;
mod content;
mod dialler;
mod engine;
mod farewell;
mod fate;
mod inbound;
mod login;
mod outbound;
mod proxy;
mod receipt;
mod scope;
mod socket;
mod store;
mod verdict;
mod web;
mod whatsapp;

pub use whatsapp::WhatsApp;
