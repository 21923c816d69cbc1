//! Writes `[session]` of the commented `tenancy.toml`.

use std::fmt::Write;

use super::model::{SessionChecks, SessionSection};
use super::notes::comments;
use super::toml_text::{list, string};

pub(super) fn write_session(out: &mut String, session: &SessionSection, notes: &[String]) -> std::fmt::Result {
    writeln!(out, "[session]")?;
    writeln!(out, "# The setting that policies read the tenant's id from. It is only ever set inside a transaction.")?;
    comments(out, notes)?;
    writeln!(out, "variable = {}", string(&session.variable))?;
    writeln!(
        out,
        "# Where that setting is JSON, such as the claims of a token: the names that lead to the tenant's id in it."
    )?;
    match &session.claim[..] {
        [] => writeln!(out, "# claim = [\"app_metadata\", \"tenant_id\"]")?,
        claim => writeln!(out, "claim = [{}]", list(claim))?,
    }
    writeln!(out, "policy = {}   # the policy's name, the same on each table\n", string(&session.policy))?;
    write_checks(out, session.checks)
}

fn write_checks(out: &mut String, checks: SessionChecks) -> std::fmt::Result {
    let SessionChecks { members_only, active_tenants_only, session_version, lowercase_emails, ip_hash } = checks;
    writeln!(
        out,
        "# What the application itself asks of a user's session: sessions are minted and decoded accordingly."
    )?;
    writeln!(out, "[session.checks]")?;
    writeln!(out, "members_only = {members_only}   # the user must be a member of the session's tenant")?;
    writeln!(out, "active_tenants_only = {active_tenants_only}   # the session's tenant must be in use")?;
    writeln!(out, "session_version = {session_version}   # the claim `sessionVersion` must be the user's")?;
    writeln!(out, "lowercase_emails = {lowercase_emails}   # an email is lowercased before it is looked for")?;
    writeln!(out, "ip_hash = {ip_hash}   # the claim `sessionIpHash` must be there\n")
}
