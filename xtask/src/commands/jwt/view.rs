//! Sessions in words: the user, the tenant and the times.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tenancy_config::plain::plain;

use crate::number_format::{counted, duration};

/// How many slugs are named; the others are only counted.
const NAMED: usize = 8;

/// A time in seconds since 1970: `2026-11-24 10:55:24 UTC`.
pub(crate) fn utc(seconds: u64) -> String {
    format(seconds, "%Y-%m-%d %H:%M:%S UTC")
}

/// A time as HTTP writes it (RFC 9110, section 5.6.7).
pub(crate) fn http_date(seconds: u64) -> String {
    format(seconds, "%a, %d %b %Y %H:%M:%S GMT")
}

fn format(seconds: u64, form: &str) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
    time.map_or_else(|| format!("{seconds} s after 1970"), |time| time.format(form).to_string())
}

/// A time and how far away it is: `…, 3 min 5 s ago`, `…, in 6 d 23 h`.
pub(crate) fn when(seconds: u64, now: u64) -> String {
    let apart = duration(Duration::from_secs(seconds.abs_diff(now)));
    let relative = match seconds.cmp(&now) {
        std::cmp::Ordering::Less => format!("{apart} ago"),
        std::cmp::Ordering::Equal => "now".to_owned(),
        std::cmp::Ordering::Greater => format!("in {apart}"),
    };
    format!("{}, {relative}", utc(seconds))
}

/// A claim's text as one line, as a token may hold any character.
fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<String> {
    let value: &'a Value = claims.get(name)?;
    value.as_str().map(plain)
}

/// The user: `staff@example.com (Staff), ADMIN, user u_1`.
pub(crate) fn user(claims: &Map<String, Value>) -> Option<String> {
    let id = text(claims, "userId").or_else(|| text(claims, "sub"))?;
    let name = text(claims, "name").map(|name| format!(" ({name})")).unwrap_or_default();
    let role = text(claims, "role").map(|role| format!("{role}, ")).unwrap_or_default();
    match text(claims, "email") {
        Some(email) => Some(format!("{email}{name}, {role}user {id}")),
        None => Some(format!("{role}user {id}{name}")),
    }
}

/// The active tenant: `acme, OWNER, tenant t_a`.
pub(crate) fn tenant(claims: &Map<String, Value>) -> Option<String> {
    let id = text(claims, "tenantId")?;
    let slug = text(claims, "tenantSlug").map(|slug| format!("{slug}, ")).unwrap_or_default();
    let role = text(claims, "tenantRole").map(|role| format!("{role}, ")).unwrap_or_default();
    Some(format!("{slug}{role}tenant {id}"))
}

/// The tenants that the user may switch to: `3 tenants: acme, globex, sleepy`.
pub(crate) fn tenants(claims: &Map<String, Value>) -> Option<String> {
    let tenants = claims.get("availableTenants")?.as_array()?;
    let slugs = tenants.iter().filter_map(|tenant| tenant.get("slug")?.as_str()).map(plain);
    let mut named: Vec<String> = slugs.take(NAMED).collect();
    if tenants.len() > NAMED {
        named.push("…".to_owned());
    }
    Some(format!("{}: {}", counted(tenants.len() as u64, "tenant", "tenants"), named.join(", ")))
}

/// The user and the tenants of a session, a line each.
pub(crate) fn who(claims: &Map<String, Value>) -> Vec<String> {
    let tenant = match (tenant(claims), tenants(claims)) {
        (Some(active), Some(all)) => Some(format!("in {active}; {all}")),
        (Some(active), None) => Some(format!("in {active}")),
        (None, all) => all,
    };
    user(claims).into_iter().chain(tenant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_with_their_distance() {
        assert_eq!(when(1_700_000_000, 1_700_000_060), "2023-11-14 22:13:20 UTC, 60 s ago");
        assert_eq!(when(1_700_000_000, 1_699_395_200), "2023-11-14 22:13:20 UTC, in 7 d");
        assert_eq!(http_date(1_700_000_000), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(utc(u64::MAX), "18446744073709551615 s after 1970");
    }

    #[test]
    fn a_claim_cannot_move_the_cursor() {
        let claims = serde_json::json!({ "sub": "u\u{1b}[2J", "email": "a\nb" });
        assert_eq!(user(claims.as_object().unwrap()).unwrap(), "a\\nb, user u\\u{1b}[2J");
    }
}
