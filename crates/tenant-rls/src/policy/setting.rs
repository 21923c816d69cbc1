//! Where a session has its tenant, as SQL: how a policy reads it, as statements write that and as the catalog prints it, and what is set.

use serde_json::{Value, json};
use tenancy_config::Tenancy;
use tenancy_config::tenancy::TenantSetting;

use crate::sql::quote::printed_literal;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// The setting that policies read: the tenant's id itself, or a JSON document in which a claim is that.
///
/// After a transaction that set it, a setting is '' and not unset: `NULLIF` comes before every cast. The steps into a document are `->` and `->>` as
/// policies of PostgREST's and Supabase's users write them. A value that is no JSON is an error of the statement, and a document without the claim
/// is no tenant. Where the claim stands there twice, the last one counts, as for every cast to `jsonb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSetting(TenantSetting);

impl From<TenantSetting> for SessionSetting {
    fn from(setting: TenantSetting) -> Self {
        Self(setting)
    }
}

impl SessionSetting {
    /// The one that `tenancy.toml` names.
    pub fn of(tenancy: &Tenancy) -> Self {
        Self(tenancy.tenant_setting())
    }

    /// The session variable.
    pub fn variable(&self) -> &str {
        &self.0.variable
    }

    /// Whether the variable holds a document.
    pub fn is_document(&self) -> bool {
        !self.0.claim.is_empty()
    }

    /// What the session variable is set to for a tenant; for the empty string, which is no tenant, the empty string.
    pub fn value(&self, tenant: &str) -> String {
        if tenant.is_empty() || !self.is_document() {
            return tenant.to_owned();
        }
        let within = |value: Value, name: &String| Value::Object([(name.clone(), value)].into_iter().collect());
        self.0.claim.iter().rev().fold(Value::from(tenant), within).to_string()
    }

    /// The same in SQL, for the tenant that an expression of type text is. It is valid under any search path.
    pub fn value_of(&self, tenant: Sql) -> Sql {
        if !self.is_document() {
            return tenant;
        }
        let within = |value: Sql, name: &String| {
            Template::new("pg_catalog.jsonb_build_object(:'name', :value)")
                .literal("name", name)
                .fragment("value", value)
                .build()
        };
        let document = self.0.claim.iter().rev().fold(tenant, within);
        Template::new(":document::pg_catalog.text").fragment("document", document).build()
    }

    /// The tenant in a value of the session variable that an expression is. It is valid under any search path.
    pub(crate) fn tenant_of(&self, value: Sql) -> Sql {
        let Some((last, path)) = self.0.claim.split_last() else { return value };
        let step = |text: &'static str, document: Sql, name: &String| {
            Template::new(text).fragment("document", document).literal("name", name).build()
        };
        let document = Template::new("(:value)::pg_catalog.jsonb").fragment("value", value).build();
        let document = path.iter().fold(document, |document, name| {
            step("(:document OPERATOR(pg_catalog.->) :'name'::pg_catalog.text)", document, name)
        });
        step("(:document OPERATOR(pg_catalog.->>) :'name'::pg_catalog.text)", document, last)
    }

    /// The tenant that a value of the session variable names; `None` where it names none. A value that is no document where it should be one
    /// names whatever it is.
    pub fn tenant_in(&self, value: &str) -> Option<String> {
        if !self.is_document() {
            return Some(value.to_owned()).filter(|tenant| !tenant.is_empty());
        }
        let Ok(document) = serde_json::from_str::<Value>(value) else {
            return Some(value.to_owned()).filter(|value| !value.is_empty());
        };
        let claim = self.0.claim.iter().try_fold(&document, |document, name| document.get(name))?;
        match claim {
            Value::Null => None,
            Value::String(tenant) => Some(tenant.clone()).filter(|tenant| !tenant.is_empty()),
            other => Some(other.to_string()),
        }
    }

    /// Documents that name no tenant to policies, although they hold this one's id in another place; none where the setting is no document.
    pub fn documents_of_nobody(&self, tenant: &str) -> Vec<String> {
        let Some((last, path)) = self.0.claim.split_last() else { return Vec::new() };
        let elsewhere = match path {
            [] => json!({ "app_metadata": { last: tenant }, format!("{last}s"): tenant }),
            _ => json!({ last: tenant, "sub": tenant }),
        };
        let empty = self.value("?").replace("\"?\"", "\"\"");
        vec!["{}".to_owned(), empty, elsewhere.to_string()]
    }

    /// The tenant of the session as text; NULL if none is set.
    pub(crate) fn current(&self) -> Sql {
        let set = Template::new("NULLIF(current_setting(:'variable', true), '')").literal("variable", self.variable());
        let Some((last, path)) = self.0.claim.split_last() else { return set.build() };
        let step = |text: &'static str, document: Sql, name: &String| {
            Template::new(text).fragment("document", document).literal("name", name).build()
        };
        let document = Template::new(":set::jsonb").fragment("set", set.build()).build();
        let document = path.iter().fold(document, |document, name| step(":document -> :'name'", document, name));
        step("NULLIF(:document ->> :'name', '')", document, last)
    }

    /// The same as the catalog prints it.
    pub(crate) fn printed(&self) -> String {
        let set = format!("NULLIF(current_setting({}::text, true), ''::text)", printed_literal(self.variable()));
        let Some((last, path)) = self.0.claim.split_last() else { return set };
        let step = |document: String, operator: &str, name: &str| {
            format!("({document} {operator} {}::text)", printed_literal(name))
        };
        let document = path.iter().fold(format!("({set})::jsonb"), |document, name| step(document, "->", name));
        format!("NULLIF({}, ''::text)", step(document, "->>", last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(claim: &[&str]) -> SessionSetting {
        let claim = claim.iter().map(|name| (*name).to_owned()).collect();
        SessionSetting(TenantSetting { variable: "request.jwt.claims".to_owned(), claim })
    }

    #[test]
    fn a_tenant_stands_in_the_document_at_its_path_and_nowhere_else() {
        let nested = setting(&["app_metadata", "tenant\"s"]);
        let value = nested.value(r#"a","tenant":"b"#);
        assert_eq!(value, r#"{"app_metadata":{"tenant\"s":"a\",\"tenant\":\"b"}}"#);
        assert_eq!(nested.tenant_in(&value).as_deref(), Some(r#"a","tenant":"b"#));
        assert_eq!((nested.value(""), setting(&[]).value("a")), (String::new(), "a".to_owned()));
    }

    #[test]
    fn a_document_without_the_claim_names_no_tenant_and_the_last_of_two_counts() {
        let nested = setting(&["app_metadata", "id"]);
        for (value, tenant) in [
            ("", None),
            ("{}", None),
            (r#"{"id":"a"}"#, None),
            (r#"{"app_metadata":{"id":null}}"#, None),
            (r#"{"app_metadata":{"id":""}}"#, None),
            (r#"{"app_metadata":{"id":"a","id":"b"}}"#, Some("b")),
            (r#"{"app_metadata":{"id":7}}"#, Some("7")),
            ("no JSON", Some("no JSON")),
        ] {
            assert_eq!(nested.tenant_in(value).as_deref(), tenant, "{value}");
        }
        for claim in [&["id"][..], &["app_metadata", "id"]] {
            let setting = setting(claim);
            let documents = setting.documents_of_nobody("a");
            assert!(documents.iter().all(|document| setting.tenant_in(document).is_none()), "{documents:?}");
            assert!(documents.iter().any(|document| document.contains("\"a\"")), "{documents:?}");
        }
    }
}
