//! The tables, as `pg_catalog` describes them.

pub(crate) mod added;
pub(crate) mod adding;
pub(crate) mod all_tables;
pub(crate) mod born_closed;
pub(crate) mod cannot_add;
pub(crate) mod columns;
pub(crate) mod definition;
pub(crate) mod dependent;
pub(crate) mod form_times;
pub(crate) mod parent;
pub(crate) mod parents;
pub(crate) mod phase;
pub(crate) mod policies;
pub(crate) mod registry_state;
pub(crate) mod relations;
pub(crate) mod tables;
