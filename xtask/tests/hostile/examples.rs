//! Valid inputs, with secrets where an input may have one.

use std::time::Duration;

use dev_jwt::{Library, MintOptions, Secret, mint, offline_claims, tenant_cookie};

use crate::secrets::{PASSWORD, SECRET};

pub(crate) const TENANCY: &[&str] = &[
    "columns",
    "database",
    "environment",
    "schema",
    "tenant",
    "session",
    "variable",
    "roles",
    "tables",
    "sources",
    "evidence",
    "tie_breakers",
    "equal",
    "column",
    "key",
    "platform_rows",
    "allow_triggers",
    "allow_rules",
    "true",
    "url",
    "password",
];
pub(crate) const VARIABLES: &[&str] =
    &["DATABASE_URL", "DIRECT_URL", "NETLIFY_DATABASE_URL", "NEXTAUTH_SECRET", "AUTH_SECRET", "TENANT_ID", "export"];
pub(crate) const PARAMETERS: &[&str] = &[
    "postgresql",
    "postgres",
    "neon",
    "sslmode",
    "disable",
    "schema",
    "pgbouncer",
    "connect_timeout",
    "host",
    "port",
    "options",
    "password",
    "user",
    "application_name",
    "statement_cache_size",
    "sslidentity",
    "localhost",
];
pub(crate) const COOKIES: &[&str] = &[
    "next-auth.session-token",
    "authjs.session-token",
    "__Secure-",
    "Cookie",
    "Set-Cookie",
    "Authorization",
    "Bearer",
    "tenant_sig",
    "eyJhbGciOiJub25lIn0",
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0",
];
pub(crate) const CLAIMS: &[&str] =
    &["sub", "userId", "exp", "iat", "jti", "nbf", "null", "availableTenants", "sessionVersion"];
pub(crate) const REVIEW: &[&str] =
    &["table", "id", "reason", "decision", "fingerprint", "refused", "client", "public.bookings", "v1-0", "acme"];
pub(crate) const DEFAULTS: &[&str] =
    &["organization_name", "organization_settings", "security_settings", "name", "true", "inf", "0b1", "0o9"];

pub(crate) const LOG: &[&str] = &[
    "message",
    "context",
    "timestamp",
    "pathname",
    "tenantId",
    "state_code",
    "error_severity",
    "42501",
    "ERROR:  ",
    "STATEMENT:  ",
    "row-level security policy",
    "permission denied for table",
    "API request completed",
    "Middleware error while resolving tenant",
    "2026-01-31 11:30:00.000 UTC,",
];

pub(crate) fn log() -> Vec<Vec<u8>> {
    let app = include_bytes!("../it/app.log").to_vec();
    let csv = include_bytes!("../it/postgresql.csv").to_vec();
    let wrapped = b"{\"log\":\"{\\\"message\\\":\\\"API request completed\\\",\\\"context\\\":{}}\\n\",\"time\":\"2026-01-31T11:30:00Z\"}\n".to_vec();
    let text = b"2026-01-31 11:30:00 UTC [7] ERROR:  permission denied for table invoices\n\tSTATEMENT\n".to_vec();
    vec![app, csv, wrapped, text]
}

pub(crate) fn tenancy() -> Vec<Vec<u8>> {
    let small = format!(
        "columns = [\"tenantId\"]\n[database]\nenvironment = \"production\"\nschema = \"app\"\n# {PASSWORD}\n[tables.bookings]\n\
         column = \"tenant\"\nallow_triggers = [\"touch\"]\nsources = [{{ name = \"client\", column = \"clientId\", table = \"users\" }}]\n"
    );
    vec![include_bytes!("../../../tenancy.toml").to_vec(), small.into_bytes()]
}

pub(crate) fn env_file() -> Vec<Vec<u8>> {
    let texts = [
        format!(
            "DATABASE_URL=\"postgresql://owner:{PASSWORD}@127.0.0.1:1/app?sslmode=disable\"\nNEXTAUTH_SECRET={SECRET}\n"
        ),
        format!(
            "# comment\nexport PASSWORD='{PASSWORD}'\nHOST=127.0.0.1:1\nDATABASE_URL=postgresql://owner:${{PASSWORD}}@$HOST/app\n\
             DIRECT_URL=${{OTHER:-$DATABASE_URL}}\nAUTH_SECRET=`{SECRET}`\n"
        ),
        // Each line expands to twenty of the line before.
        (0..7)
            .fold(format!("A0={PASSWORD}\n"), |text, n| format!("{text}A{}={}\n", n + 1, format!("$A{n}").repeat(20))),
    ];
    texts.map(String::into_bytes).into()
}

pub(crate) fn url() -> Vec<Vec<u8>> {
    let texts = [
        format!("postgresql://owner:{PASSWORD}@127.0.0.1:1/app?sslmode=disable"),
        format!("postgres://owner:{PASSWORD}@[::1]:5432/app?schema=public&pgbouncer=true&connection_limit=5"),
        format!("postgresql://owner:{PASSWORD}@ep-a-pooler.eu.example.com/app?sslmode=require&channel_binding=require"),
        format!("postgresql:///app?host=/var/run/postgresql&user=owner&password={PASSWORD}&port=5433"),
        format!("postgresql://localhost/app?options=-c%20statement_timeout%3D5s&user=owner&password={PASSWORD}"),
        format!("mysql://root:{PASSWORD}@db.example.com/app"),
    ];
    texts.map(String::into_bytes).into()
}

pub(crate) fn claims() -> Vec<Vec<u8>> {
    vec![
        br#"{"sub": "u_1"}"#.to_vec(),
        br#"{"sub": "u_1", "userId": "u_1", "email": "staff@example.com", "role": "ADMIN", "tenantId": "t_a", "sessionVersion": 3,
            "tenantSlug": "acme", "availableTenants": [{"id": "t_a", "slug": "acme", "name": "Acme", "role": "OWNER"}], "exp": 1}"#
            .to_vec(),
    ]
}

pub(crate) fn token() -> Vec<Vec<u8>> {
    let secret = Secret::new(SECRET).expect("it is not empty");
    let now = Duration::from_secs(1_700_000_000);
    let mut texts = vec![tenant_cookie("t_a", "u_1", &secret, 1_700_000_000_000).expect("plain ids").1];
    for library in Library::ALL {
        for tenants in [1, 120] {
            let mut claims = offline_claims(r#"{"sub": "u_1", "email": "staff@example.com"}"#, now).expect("claims");
            claims.insert("availableTenants".to_owned(), vec!["a tenant with quite a long name"; tenants].into());
            let options = MintOptions {
                library,
                secure: false,
                max_age: Duration::from_secs(3600),
                now,
                naming: dev_jwt::Naming::default(),
            };
            let session = mint(claims, &secret, &options).expect("random numbers");
            texts.extend([
                format!("Cookie: a=b; {}", session.cookie_header()),
                format!("Authorization: Bearer {}", session.token),
            ]);
            texts.push(
                session.cookies.iter().map(|c| format!("Set-Cookie: {}={}; Path=/\n", c.name, c.value)).collect(),
            );
        }
    }
    texts.into_iter().map(String::into_bytes).collect()
}

pub(crate) fn list() -> Vec<Vec<u8>> {
    let many: String = (0..300).map(|n| format!("tenant-{n},\"Tenant, number {n}\"\n")).collect();
    vec![
        b"tenant,organization_name\nacme,Acme Corp\nglobex,\"Globex \"\"the\"\" Corp\"\nt_3,\n".to_vec(),
        b"\xEF\xBB\xBFnote,organization_name,tenant\r\n,Acme,acme\r\n".to_vec(),
        format!("tenant,organization_name\n{many}").into_bytes(),
    ]
}

pub(crate) fn review() -> Vec<Vec<u8>> {
    let many: String = (0..200).map(|n| format!("public.bookings,b_{n},conflict,a,u_a,b,s_b,,v1-{n}\n")).collect();
    vec![
        b"table,id,reason,client,client row,decision,fingerprint\npublic.bookings,b_9,conflict,a,u_a,acme,v1-0\n".to_vec(),
        b"table;id;client;decision;fingerprint\r\npublic.bookings;\"b;\"\"1\";a;;v1-0\r\npublic.bookings;b_2;;acme;v1-1\r\n".to_vec(),
        format!("table,id,reason,client,client row,service,service row,decision,fingerprint\n{many}").into_bytes(),
    ]
}

pub(crate) fn refused() -> Vec<Vec<u8>> {
    vec![
        b"table,id,client,decision,fingerprint,refused\npublic.bookings,b_1,,nobody,v1-0,there is no tenant `nobody`\n"
            .to_vec(),
        b"\xEF\xBB\xBFtable\tid\tdecision\tfingerprint\trefused\npublic.bookings\tb_1\t'=1+1\tv1-0\ttoo much: a | b\n"
            .to_vec(),
    ]
}

pub(crate) fn defaults() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../../tenant-defaults.toml").to_vec(),
        b"organization_name = \"t.name\"\n[t]\nname = \"a\"\nn = 0x1_0\nf = 1_0.5e3\nd = 2024-01-31\nl = [{ a = \"b\" }, true]\n".to_vec(),
    ]
}

/// The files that the local server keeps in `.local-db`, with their content.
pub(crate) const STATE: [(&str, &[u8]); 3] = [
    (
        "cluster.json",
        br#"{"system_identifier": "7400000000000000001", "port": 54329, "major": 18, "bin": "/nowhere/bin", "tables": true}"#,
    ),
    ("elsewhere", b"/var/tmp/local-db-of-nobody"),
    ("server/data/postmaster.pid", b"4194303\n/nowhere/data\n1700000000\n54329\n\n127.0.0.1\n"),
];
