//! What the catalog says of indexes, and of what else policies affect.

pub(crate) mod beside;
pub(crate) mod indexes;
mod node_tree;
