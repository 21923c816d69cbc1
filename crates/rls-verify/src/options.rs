//! What a caller chooses.

use std::collections::BTreeMap;

use tenancy_config::tenancy::LoginPurpose;
use tenant_rls::Database;

/// What to verify.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// Tables, as `table` or `schema.table`; none means all.
    pub tables: Vec<String>,
    /// Also try to write, in transactions that are taken back. What that does not take back: numbers drawn from sequences, and dead
    /// rows, which vacuum removes.
    pub write_probes: bool,
    /// Also write to tables whose triggers would fire.
    pub fire_triggers: bool,
    /// The declared logins that are to be tried. Without one of them, a claim about an application that declares it lacks that.
    pub logins: BTreeMap<LoginPurpose, Database>,
}
