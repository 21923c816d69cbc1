//! What is proposed for real databases.

mod schemas;
