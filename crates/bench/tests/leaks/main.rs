//! Ways around the policies, planted one at a time: `rls verify` finds and names each of them, and doubts no database in which nothing is wrong.
#![allow(clippy::unwrap_used)] // in the helpers of tests too

mod corpus;
mod mutations;
