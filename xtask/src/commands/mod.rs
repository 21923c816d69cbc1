//! One module for each command: its options and its run, and in `view` its report.

pub(crate) mod assign_chat_messages;
pub(crate) mod audit;
pub(crate) mod backfill;
pub(crate) mod backfill_bookings;
pub(crate) mod bench;
pub(crate) mod db;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod init;
#[cfg(feature = "jwt")]
pub(crate) mod jwt;
pub(crate) mod rls;
pub(crate) mod seed_tenant_defaults;
