//! The text of our policies: as statements write it, and as the catalog prints it. Who sets the session variable owns what compares it.

pub(crate) mod column_type;
pub(crate) mod isolation;
pub(crate) mod role_policy;
