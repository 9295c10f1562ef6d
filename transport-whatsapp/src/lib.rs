#![doc = include_str!("../README.md")]

mod address;
mod amendment;
mod appearance;
mod card;
mod connection;
mod content;
mod dialler;
mod engine;
mod farewell;
mod fate;
mod history;
mod inbound;
mod login;
mod media;
mod news;
mod outbound;
mod people;
mod proxy;
mod receipt;
mod scope;
mod socket;
mod store;
mod verdict;
mod web;
mod whatsapp;

pub use whatsapp::WhatsApp;
