//! The text of our policies, as statements write it and as the catalog prints it. It is here because this crate also
//! sets the session variable that they compare.

pub(crate) mod column_type;
pub(crate) mod isolation;
pub(crate) mod login_policy;
pub(crate) mod membership_policy;
pub(crate) mod parent;
pub(crate) mod raising;
pub(crate) mod role_policy;
pub(crate) mod setting;
