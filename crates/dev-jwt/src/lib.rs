//! Job: development sessions. It finds a user and their memberships, mints a token that the application's own
//! middleware accepts, and explains why a token is not accepted.
//!
//! What it writes and reads is defined by two npm packages: `next-auth` 4 and `@auth/core`, the core of Auth.js 5. The tests
//! hold both against this crate; `tests/vectors/` has what they wrote.

mod claims;
mod cookies;
mod error;
mod explain;
mod given;
mod jar;
mod join;
mod jwe;
mod library;
mod mint;
mod node;
mod people;
mod person;
mod place;
mod problem;
mod reading;
mod secret;
mod session_check;
mod shown_name;
mod tenant_cookie;
mod token;
mod user;

pub use claims::{AvailableTenant, Claims};
pub use cookies::{Cookie, chunk};
pub use error::{Error, Result};
pub use library::{Library, Naming};
pub use mint::{LONGEST, MintOptions, Session, mint, offline_claims};
pub use node::Node;
pub use person::{Membership, Person, User};
pub use place::Place;
pub use problem::{Problem, Taken};
pub use reading::{DecodedSession, PlaceReading, Read, ReadOptions, read};
pub use secret::{SHORT, Secret};
pub use session_check::{SessionCheck, check, check_claims};
pub use tenant_cookie::{TenantCookie, tenant_cookie};
pub use user::{Lookup, LookupScope, find, someone};
