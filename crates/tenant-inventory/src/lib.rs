//! What the database has: the tenant tables, how far each is under row level security, and what leads past their policies.
//!
//! [`Inventory`] reads all of it in one transaction, for who plans, executes, reports or verifies; a job that needs the tables alone reads
//! the [`Catalog`].
//!
//! | where | what |
//! | --- | --- |
//! | `inventory` | everything together, of all tenant tables or of some |
//! | `catalog::all_tables` | every table, whether it has a tenant column or not |
//! | `class` | what each of them is to the tenants |
//! | `unhandled` | why a table with a tenant column cannot be protected |
//! | `comparison` | what `tenancy.toml` names and the database does not have |
//! | `reading` | what the text of a policy says, and which settings it reads |
//! | `declared_login` | the logins of sign-in and of jobs, compared with what is declared |
//! | `stray` | what stands in a tenant column and is no tenant's key |
//! | `coverage` | of which of them a report speaks |
//! | `catalog::tables` | the tenant tables with their tenant column, keys and foreign keys |
//! | `catalog::added` | tenant columns that a rollout is to add |
//! | `catalog::registry_state` | what the tenant table is in this database |
//! | `catalog::born_closed` | the event trigger that closes new tables |
//! | `catalog::columns` | the columns of one table, for who inserts into it |
//! | `catalog::relations` | tables and partitions |
//! | `catalog::definition` | what a rollout may change of a table, as text that makes it again |
//! | `catalog::policies` | which policies of a table are ours, and unaltered |
//! | `catalog::phase` | how far a table is |
//! | `claim` | what may be said about the database, and on which evidence |
//! | `ways` | everything that reaches rows past the policies |
//! | `ways::logins` | the roles of the rollout, and what the application's login can become |

mod catalog;
pub mod claim;
pub mod class;
mod comparison;
pub mod coverage;
mod declared_login;
mod inventory;
mod other_type;
mod reading;
mod stray;
mod tokens;
mod unhandled;
mod unlinked;
mod ways;

pub use catalog::added::{AddedColumn, LinkAction, NoParentKey, ParentKey};
pub use catalog::adding::{Adding, AskedColumn, AskedColumns, adding_columns};
pub use catalog::all_tables::{ColumnFacts, KeyFacts, Member, TableFacts, read_all_tables};
pub use catalog::born_closed::{BornClosed, BornClosedState};
pub use catalog::cannot_add::{CannotAdd, NoTenantColumn};
pub use catalog::columns::Column;
pub use catalog::definition::{Aspect, AspectKind, Definition, read_definitions, read_index};
pub use catalog::dependent::{DependentWay, dependent_ways};
pub use catalog::form_times::{FormTimes, NotMeasured, TimesOfForm, Took};
pub use catalog::parent::{FormChoice, ThroughParent};
pub use catalog::phase::Phase;
pub use catalog::policies::Policies;
pub use catalog::registry_state::RegistryState;
pub use catalog::relations::{Relation, RelationKind};
pub use catalog::tables::{Absence, Catalog, ForeignKey, Leaf, MissingPart, TenantColumn, TenantTable};
pub use comparison::absent;
pub use comparison::declared::misfits;
pub use comparison::misfit::{Misfit, MisfitKind, NoReviewNeeded, WhyClosed};
pub use comparison::report::{Absent, AbsentObject};
pub use declared_login::memberships::Memberships;
pub use declared_login::problem::{LoginPart, LoginProblem, LoginProblemKind};
pub use declared_login::state::{DeclaredLogin, DeclaredTable};
pub use declared_login::statement::create_login;
pub use inventory::Inventory;
pub use other_type::OtherType;
pub use reading::{PolicyReading, SettingRead, settings_read};
pub use stray::{Called, CalledBy, StrayValue, StrayValues, stray_access, tenants_called};
pub use ways::logins::{Escape, LoginReach, Logins, Membership, OtherPolicy, RoleState, Unfiltered};
pub use ways::object::{FunctionKind, LargeObjectsHeld, Privilege, WayObject};
pub use ways::read_ways;
pub use ways::roles::RoleStep;
pub use ways::state::{Openness, Review};
pub use ways::way::{Actor, Barrier, Reach, Reviewable, Severity, Unreadable, Way, WayVerdict};
