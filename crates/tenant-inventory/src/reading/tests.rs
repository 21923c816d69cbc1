//! Forms as the server prints them.

use super::*;
use tenancy_config::tenancy::TenantSetting;

fn reads(variable: &str, claim: &[&str], missing_ok: bool, fails_on_empty: Option<&str>) -> SettingRead {
    SettingRead {
        setting: TenantSetting {
            variable: variable.into(),
            claim: claim.iter().map(|name| (*name).to_owned()).collect(),
        },
        through: None,
        missing_ok,
        fails_on_empty: fails_on_empty.map(str::to_owned),
    }
}

fn compares(read: SettingRead) -> PolicyReading {
    PolicyReading::Setting { column: "org_id".into(), read }
}

#[test]
fn a_comparison_with_a_setting_is_recognised_with_its_claim_and_its_cast() {
    let (jwt, app) = ("request.jwt.claims", "app.org");
    let supabase = |claim: &[&str]| SettingRead { through: Some("auth.jwt".into()), ..reads(jwt, claim, true, None) };
    for (expression, read) in [
        ("(org_id = (current_setting('app.org'::text))::uuid)", reads(app, &[], false, Some("uuid"))),
        ("((org_id)::text = current_setting('app.org'::text, true))", reads(app, &[], true, None)),
        ("((current_setting('app.org'::text, true))::character varying(30) = org_id)", reads(app, &[], true, None)),
        ("(org_id = (NULLIF(current_setting('app.org'::text, true), ''::text))::uuid)", reads(app, &[], true, None)),
        (
            "(org_id = ( SELECT (current_setting('app.org'::text, true))::bigint AS current_setting))",
            reads(app, &[], true, Some("bigint")),
        ),
        (
            "(org_id = (((current_setting('request.jwt.claims'::text, true))::json ->> 'org_id'::text))::uuid)",
            reads(jwt, &["org_id"], true, Some("json")),
        ),
        (
            "(org_id = (NULLIF((((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb -> 'app_metadata'::text) \
             ->> 'tenant_id'::text), ''::text))::uuid)",
            reads(jwt, &["app_metadata", "tenant_id"], true, None),
        ),
        (
            "((((current_setting('request.jwt.claims'::text))::jsonb #>> '{app_metadata,tenant_id}'::text[]))::uuid = org_id)",
            reads(jwt, &["app_metadata", "tenant_id"], false, Some("jsonb")),
        ),
        (
            "(org_id = ( SELECT ((((current_setting('request.jwt.claims'::text, true))::jsonb -> 'it''s'::text) ->> 'id'::text))::uuid AS uuid))",
            reads(jwt, &["it's", "id"], true, Some("jsonb")),
        ),
        ("(org_id = ((auth.jwt() ->> 'org'::text))::uuid)", supabase(&["org"])),
        (
            "(org_id = ( SELECT (((auth.jwt() -> 'app_metadata'::text) ->> 'org'::text))::uuid AS uuid))",
            supabase(&["app_metadata", "org"]),
        ),
    ] {
        assert_eq!(PolicyReading::of(expression), compares(read), "{expression}");
    }
}

#[test]
fn what_is_no_plain_comparison_is_not_called_one() {
    let function = |name: &str| PolicyReading::Function { function: name.into() };
    let and_more = |read: SettingRead| PolicyReading::SettingAndMore { reads: vec![read] };
    for (expression, reading) in [
        (
            "((org_id = (current_setting('app.org'::text))::uuid) OR (public = true))",
            and_more(reads("app.org", &[], false, Some("uuid"))),
        ),
        ("(org_id = lower(current_setting('app.org'::text)))", and_more(reads("app.org", &[], false, None))),
        (
            "(org_id = COALESCE(current_setting('app.org'::text, true), ''::text))",
            and_more(reads("app.org", &[], true, None)),
        ),
        ("(org_id <> current_setting('app.org'::text))", and_more(reads("app.org", &[], false, None))),
        (
            "(((current_setting('app.org'::text))::jsonb -> 'orgs'::text) ? org_id)",
            and_more(reads("app.org", &["orgs"], false, Some("jsonb"))),
        ),
        (
            "(org_id = ((current_setting('request.jwt.claims'::text))::jsonb #>> '{orgs,0,id}'::text[]))",
            and_more(reads("request.jwt.claims", &[], false, Some("jsonb"))),
        ),
        ("(user_id = ( SELECT auth.uid() AS uid))", PolicyReading::AuthUser),
        ("(EXISTS ( SELECT 1 FROM members m WHERE (m.user_id = auth.uid())))", PolicyReading::AuthUser),
        ("app.is_member(org_id)", function("app.is_member")),
        ("(\"Is Member\"(org_id) AND true)", function("Is Member")),
        ("(org_id = ANY (my_orgs()))", PolicyReading::AnyOf { function: Some("my_orgs".into()) }),
        ("(org_id = ANY (ARRAY[1, 2]))", PolicyReading::AnyOf { function: None }),
        ("(EXISTS ( SELECT 1 FROM members m WHERE (m.org_id = p.org_id)))", PolicyReading::Subquery),
        ("true", PolicyReading::Everything),
        ("(org_id IS NULL)", PolicyReading::Other),
        ("(org_id = 'current_setting(''app.org'')'::text)", PolicyReading::Other),
    ] {
        assert_eq!(PolicyReading::of(expression), reading, "{expression}");
    }
}

#[test]
fn every_setting_of_a_definition_is_found_with_its_claim() {
    let definition = "AS PERMISSIVE FOR ALL TO PUBLIC USING ((org_id = current_setting('app.org'::text))) WITH CHECK ((org_id = \
                      ((current_setting('request.jwt.claims'::text, true))::jsonb ->> 'org'::text)))";
    let found: Vec<String> = settings_read(definition).unwrap().iter().map(|read| read.setting.to_string()).collect();
    assert_eq!(found, ["app.org", "the claim org of request.jwt.claims"]);
    assert_eq!(settings_read("(a = 'b)"), None);
}
