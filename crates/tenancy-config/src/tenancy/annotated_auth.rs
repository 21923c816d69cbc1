//! Writes `[auth]` and `[jobs]` of the commented `tenancy.toml`.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::auth::{AuthSection, JobSection, LoginTable};
use super::toml_text::{key, list, string};

/// What stands there where no login of sign-in is declared.
const EXAMPLE: &str = "# [auth]
# role = \"app_auth\"
# [auth.tables.users]
# why = \"sign-in finds a user by email\"
# select = [\"id\", \"email\"]
# The application's own login reads the memberships of the user whose id it sets, before a tenant is chosen.
# [auth.memberships]
# why = \"a user chooses one of their tenants\"
# table = \"tenant_memberships\"
# user = \"userId\"
# setting = \"app.current_user_id\"
";

pub(super) fn write_auth(out: &mut String, auth: Option<&AuthSection>) -> std::fmt::Result {
    writeln!(
        out,
        "# A login of its own for sign-in, before a tenant is known: a rollout makes it, with these rights and no others"
    )?;
    write!(out, "# (select, insert, update: columns; delete = true: rows).")?;
    let Some(auth) = auth else { return writeln!(out, " For example:\n{EXAMPLE}") };
    writeln!(out)?;
    writeln!(out, "[auth]\nrole = {}", string(&auth.role))?;
    writeln!(out, "url_variable = {}   # with the URL of this login", string(&auth.url_variable))?;
    write_tables(out, "auth", &auth.tables)?;
    if let Some(rules) = &auth.memberships {
        writeln!(
            out,
            "\n# What the application's own login reads of its user's memberships, before a tenant is chosen."
        )?;
        writeln!(out, "[auth.memberships]\nwhy = {}\ntable = {}", string(&rules.why), string(&rules.table))?;
        writeln!(out, "user = {}   # the column with the user's id", string(&rules.user))?;
        writeln!(out, "setting = {}   # the session variable with it", string(&rules.setting))?;
    }
    writeln!(out)
}

/// What stands there where no job has a login of its own.
const JOB_EXAMPLE: &str = "# [jobs.billing]
# role = \"app_billing\"
# [jobs.billing.tables.bookings]
# why = \"counts the bookings of each tenant once a day\"
# select = [\"id\", \"tenantId\", \"status\"]
";

pub(super) fn write_jobs(out: &mut String, jobs: &BTreeMap<String, JobSection>) -> std::fmt::Result {
    writeln!(
        out,
        "# Logins of jobs that work on rows of every tenant at once: a rollout makes each, with these rights and no"
    )?;
    write!(
        out,
        "# others. A job that works for one tenant after the other needs none: it sets the tenant, as the application does."
    )?;
    if jobs.is_empty() {
        return writeln!(out, "\n# For example:\n{JOB_EXAMPLE}");
    }
    writeln!(out)?;
    for (name, job) in jobs {
        writeln!(out, "[jobs.{}]\nrole = {}", key(name), string(&job.role))?;
        if let Some(variable) = &job.url_variable {
            writeln!(out, "url_variable = {}   # with the URL of this login", string(variable))?;
        }
        write_tables(out, &format!("jobs.{}", key(name)), &job.tables)?;
        writeln!(out)?;
    }
    Ok(())
}

fn write_tables(out: &mut String, section: &str, tables: &BTreeMap<String, LoginTable>) -> std::fmt::Result {
    for (name, rules) in tables {
        writeln!(out, "\n[{section}.tables.{}]\nwhy = {}", key(name), string(&rules.why))?;
        for (name, columns) in [("select", &rules.select), ("insert", &rules.insert), ("update", &rules.update)] {
            if !columns.is_empty() {
                writeln!(out, "{name} = [{}]", list(columns))?;
            }
        }
        if rules.delete {
            writeln!(out, "delete = true")?;
        }
    }
    Ok(())
}
