//! SQLSTATEs that our own statements raise. Each has one meaning. Rust code uses the constants; the files in `sql/`
//! contain the literals. The class `TO` is free: the standard leaves the classes from `I` to `Z` to implementations, of
//! which PostgreSQL uses `P0` and `XX`.

/// Another run took over the lease under which the transaction was to write.
pub const LEASE_LOST: &str = "TO001";

/// The number of written rows is not the number of locked ones: something in the application's schema, such as a
/// trigger, skips or adds rows.
pub const WRITTEN_NOT_LOCKED: &str = "TO002";

/// The run was paused or has ended, so nothing may be written for it.
pub const RUN_NOT_RUNNING: &str = "TO003";

/// A table that is about to be tightened has a row without a tenant.
pub const ROW_WITHOUT_TENANT: &str = "TO004";

/// The transaction has not locked the range of its batch, or the batch does not begin at the checkpoint.
pub const RANGE_NOT_LOCKED: &str = "TO005";

/// Rows do not have the tenant that they were given: a trigger or a rule of the application changed it.
pub const WRITTEN_NOT_KEPT: &str = "TO006";

/// A tenant column that is to be dropped has values that nothing else tells.
pub const VALUE_NOT_TOLD: &str = "TO007";

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    use super::*;

    const ALL: [&str; 7] = [
        LEASE_LOST,
        WRITTEN_NOT_LOCKED,
        RUN_NOT_RUNNING,
        ROW_WITHOUT_TENANT,
        RANGE_NOT_LOCKED,
        WRITTEN_NOT_KEPT,
        VALUE_NOT_TOLD,
    ];

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn every_code_that_a_statement_raises_is_a_constant_with_one_meaning() {
        let mut raised: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql")) {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut read = 0;
            for raise in text.split("RAISE EXCEPTION").skip(1).filter_map(|rest| rest.split(';').next()) {
                let Some((_, code)) = raise.split_once("ERRCODE = 'TO") else { continue };
                // A message with a part that the caller fills in has one meaning too.
                let message = raise.trim().strip_prefix('\'').map_or("", |rest| rest.split('\'').next().unwrap());
                raised.entry(format!("TO{}", &code[..3])).or_default().insert(message.to_owned());
                read += 1;
            }
            assert_eq!(
                read,
                text.matches("'TO0").count(),
                "{} has a code outside of a RAISE EXCEPTION",
                path.display()
            );
        }
        assert_eq!(raised.keys().map(String::as_str).collect::<Vec<_>>(), ALL);
        for (code, messages) in raised {
            assert_eq!(messages.len(), 1, "{code} has more than one meaning: {messages:?}");
        }
    }
}
