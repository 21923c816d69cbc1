//! Databases at `enforce` that are changed at random. Where plain SQL as the application's login reaches another tenant's rows, `rls verify` must
//! not call isolation proven.

mod grants;
mod objects;
mod policies;
mod run;
mod tables;

/// One change of the database, by the superuser.
#[derive(Debug, Clone)]
pub(crate) struct Mutation {
    /// What is done.
    pub(crate) kind: String,
    /// To what.
    pub(crate) place: String,
    pub(crate) sql: String,
}

impl Mutation {
    fn new(kind: impl Into<String>, place: impl Into<String>, sql: impl Into<String>) -> Self {
        Self { kind: kind.into(), place: place.into(), sql: sql.into() }
    }
}

/// The tables that are changed, quoted, with their tenant column.
const TABLES: [(&str, &str); 9] = [
    ("bookings", r#""tenantId""#),
    (r#""WorkOrder""#, r#""tenantId""#),
    ("invoices", r#""tenantId""#),
    ("chat_messages", r#""tenantId""#),
    ("organization_settings", r#""tenantId""#),
    ("service_views", "tenant_id"),
    ("audit_logs", r#""tenantId""#),
    ("visits", r#""tenantId""#),
    ("visits_2025", r#""tenantId""#),
];

/// How our policies read the tenant.
const TENANT: &str = "NULLIF(current_setting('app.current_tenant_id', true), '')";

/// All changes, each kind at each place where it means something.
pub(crate) fn all() -> Vec<Mutation> {
    let mut all = policies::all();
    all.extend(objects::all());
    all.extend(grants::all());
    all.extend(tables::all());
    all
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// So many of these, in a random order.
    pub(crate) fn choose<T>(&mut self, mut from: Vec<T>, count: usize) -> Vec<T> {
        let mut chosen = Vec::new();
        while chosen.len() < count && !from.is_empty() {
            let at = self.next() % from.len() as u64;
            chosen.push(from.swap_remove(usize::try_from(at).unwrap()));
        }
        chosen
    }
}

#[test]
fn there_are_three_hundred_kinds_at_their_places_and_each_is_another() {
    let all = all();
    let distinct: std::collections::BTreeSet<&str> = all.iter().map(|mutation| mutation.sql.as_str()).collect();
    assert!(all.len() >= 300, "{} mutations", all.len());
    assert_eq!(distinct.len(), all.len(), "two mutations do the same");
}
