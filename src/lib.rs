//! Qantara: Shopify orders in, Daftra documents out, exactly once.

pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daftra;
pub mod db;
pub mod desk;
pub mod domain;
pub mod engine;
pub mod mail;
pub mod outgoing;
pub mod sandbox;
pub mod shop;
pub mod sys;
pub mod text;
pub mod vault;
pub mod view;
pub mod vitals;
pub mod web;
