//! Says which of the application's statements get slower or fail once the tables have their policies, before there is one.
//!
//! | where | what |
//! | --- | --- |
//! | `predict` | the flow |
//! | `by_catalog` | from the plans of today and the catalog |
//! | `by_trial` | by giving the tables their policies in a transaction that is rolled back |
//! | `subject` | what both are given, and what they find out |
//! | `statements` | where statements are from, how a text is cut, and what each is |
//! | `plan` | what a plan reads, and by which conditions |
//! | `catalog` | indexes, what of them is leakproof, and what else policies affect |
//! | `lost` | which searches of indexes are lost, and what helps |
//! | `report` | what was predicted, as values |

mod by_catalog;
mod by_trial;
mod catalog;
mod error;
mod lost;
mod options;
mod plan;
mod predict;
mod report;
mod statements;
mod subject;
mod tokens;

pub use catalog::beside::Effect;
pub use error::{Error, Result};
pub use lost::{LostIndex, Remedy};
pub use options::{PredictOptions, PredictWay};
pub use plan::PlanNode;
pub use predict::predict;
pub use report::{
    Change, NotPlanned, PlanSummary, PlannedAs, PredictReport, PredictedTable, Prediction, TableNotTried, WhyNotPlanned,
};
pub use statements::script::{NoEnd, statements};
pub use statements::{Origin, Source, Statement};
