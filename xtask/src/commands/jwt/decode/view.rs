//! The report of `jwt decode`.

use dev_jwt::{PlaceReading, TenantCookie};
use serde_json::{Map, Value as Json};

use super::{Beside, Decoded, Says};
use crate::commands::jwt::view;
use crate::document::block::{Document, Pairs, Value};
use crate::document::report::Report;

impl Report for Decoded {
    const NAME: &'static str = "jwt decode";
    const SCHEMA: Option<&'static str> = Some("jwt-decode/2");
    const SECRET: bool = true;

    fn document(&self) -> Document {
        let mut lines: Vec<(&str, Value)> = vec![("verdict", self.result())];
        match &self.says {
            Says::Session { library, cookie_name, claims, places, tenant_cookies } => {
                let cookie = cookie_name.as_ref().map(|name| format!(", cookie {name}")).unwrap_or_default();
                lines.extend(library.map(|library| ("token", format!("{}{cookie}", library.title()).into())));
                if !places.is_empty() {
                    lines.push(("places", Value::list(places.iter().map(place).collect::<Vec<_>>())));
                }
                lines.extend(claims.iter().flat_map(|claims| self.claims(claims)));
                if !tenant_cookies.is_empty() {
                    lines.push(("cookie", Value::list(tenant_cookies.iter().map(beside).collect::<Vec<_>>())));
                }
            }
            Says::TenantCookie { cookie, expires_at } => lines.extend([
                ("token", "tenant cookie".into()),
                ("user", cookie.user_id.clone().into()),
                ("tenant", cookie.tenant_id.clone().into()),
                ("signed", view::when(cookie.signed_at / 1000, self.now).into()),
                ("expires", view::when(expires_at / 1000, self.now).into()),
            ]),
        }
        if !self.facts.is_empty() {
            lines.push(("changed", Value::list(self.facts.iter().map(|fact| &fact.message))));
        }
        if !self.unknown.is_empty() {
            lines.push(("not told", Value::list(&self.unknown)));
        }
        Document::new([Pairs::new(lines).into()])
    }
}

/// The claims that the other lines show.
const TOLD: [&str; 14] = [
    "name",
    "email",
    "sub",
    "userId",
    "role",
    "tenantId",
    "tenantSlug",
    "tenantRole",
    "availableTenants",
    "sessionVersion",
    "iat",
    "exp",
    "nbf",
    "jti",
];

/// What a place does with the cookies, and why.
fn place(reading: &PlaceReading) -> String {
    let title = reading.place.title();
    if reading.accepted {
        return format!("{title}: signed in");
    }
    let why: Vec<String> = reading.problems.iter().map(ToString::to_string).collect();
    format!("{title}: signed out, {}", why.join("; "))
}

/// The tenant cookie beside a session, and whether it counts.
fn beside(beside: &Beside) -> String {
    let why: Vec<&str> = beside.problems.iter().map(|reason| reason.message.as_str()).collect();
    let counts = if why.is_empty() { "valid".to_owned() } else { why.join("; ") };
    let TenantCookie { tenant_id, user_id, .. } = &beside.cookie;
    format!("{}, user {user_id} in tenant {tenant_id}: {counts}", TenantCookie::NAME)
}

impl Decoded {
    fn result(&self) -> Value {
        if self.valid {
            return "valid".into();
        }
        Value::list(self.problems.iter().map(|reason| &reason.message))
    }

    fn claims(&self, claims: &Map<String, Json>) -> Vec<(&'static str, Value)> {
        let time = |name: &str| claims.get(name).and_then(Json::as_u64).map(|at| view::when(at, self.now));
        let plain = |name: &str| claims.get(name).map(ToString::to_string);
        let others = claims.iter().filter(|(name, _)| !TOLD.contains(&name.as_str()));
        // JSON escapes characters that would move the cursor.
        let others: Vec<String> =
            others.map(|(name, value)| format!("{}: {value}", Json::from(name.as_str()))).collect();
        let of = |text: Option<String>| text.map(Value::from);
        let lines = [
            ("user", of(view::user(claims))),
            ("tenant", of(view::tenant(claims))),
            ("may use", of(view::tenants(claims))),
            ("version", of(plain("sessionVersion").map(|version| format!("sessionVersion {version}")))),
            ("issued", of(time("iat"))),
            ("from", of(time("nbf"))),
            ("expires", of(time("exp").or_else(|| Some("never".to_owned())))),
            ("id", of(plain("jti").map(|id| id.trim_matches('"').to_owned()))),
            ("others", (!others.is_empty()).then(|| Value::list(&others))),
        ];
        lines.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}
