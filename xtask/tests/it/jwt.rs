//! Sessions as people get them: minted in every form, refused, and explained if they are not accepted.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use local_db::Role;
use test_support::TestDb;

use crate::support::{Ended, Place, redact};

const SECRET: (&str, &str) = ("NEXTAUTH_SECRET", "hunter2 and more, to be 32 bytes long");

/// A folder with a file of claims.
fn place() -> Place {
    let place = Place::new();
    place.write(
        "claims.json",
        r#"{"sub": "u_1", "email": "staff@example.com", "name": "Staff", "role": "ADMIN", "tenantId": "t_a", "tenantSlug": "acme"}"#,
    );
    place
}

const OFFLINE: [&str; 4] = ["jwt", "--offline", "--claims", "claims.json"];

fn offline(place: &Place, more: &[&str]) -> Ended {
    place.run_with(&[&OFFLINE, more].concat(), &[SECRET])
}

/// Replaces tokens and times in the snapshot.
fn redacted<R>(check: impl FnOnce() -> R) -> R {
    let mut settings = insta::Settings::clone_current();
    for (pattern, replacement) in [
        (r"eyJ[\w-]+\.\.[\w.-]+", "[TOKEN]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "[TIME]"),
        (r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", "[TIME]"),
        (r"\b\d{13}\b", "[MS]"),
        (r"\b\d{10}\b", "[SECONDS]"),
        (r"[0-9a-f]{8}-[0-9a-f-]{27}", "[UUID]"),
        (r"\.[0-9a-f]{64}", ".[SIGNATURE]"),
        (r"(, now|, [\d.]+ s ago|, in \d+ d( \d+ h)?|, in \d+ h \d+ min)", ", [APART]"),
    ] {
        settings.add_filter(pattern, replacement);
    }
    settings.bind(check)
}

#[test]
fn a_file_with_a_session_is_its_owners_alone() {
    let place = place();
    for shape in ["cookie", "json", "playwright"] {
        // Also if everybody could read the file that was there before.
        let _ = std::fs::remove_file(place.path().join("session"));
        place.write("session", "old");
        assert_ne!(place.mode("session"), 0o600);
        let ended = offline(&place, &["--format", shape, "--output", "session"]);
        assert_eq!((ended.status, place.mode("session")), (0, 0o600), "{ended}");
    }
}

#[test]
fn a_session_comes_in_every_shape() {
    let place = place();
    redacted(|| {
        for shape in ["cookie", "set-cookie", "token", "header", "curl", "json", "env", "playwright"] {
            assert_snapshot!(format!("shape_{shape}"), offline(&place, &["--format", shape]));
        }
        let https =
            ["--format", "set-cookie", "--url", "https://app.example.com", "--for", "auth.js", "--max-age", "12h"];
        assert_snapshot!("shape_https_auth_js", offline(&place, &https));
    });
}

#[test]
fn what_is_minted_is_decoded() {
    let place = place();
    for more in
        [&["--for", "next-auth"][..], &["--for", "auth.js"], &["--for", "auth.js", "--url", "https://app.example.com"]]
    {
        for shape in ["cookie", "token", "header", "set-cookie"] {
            let minted = offline(&place, &[more, &["--format", shape]].concat());
            let mut decode = place.command(&["jwt", "decode", "--offline", "-"], &[SECRET]);
            let mut child = decode.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(minted.stdout.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success() && output.stdout.starts_with(b"verdict  "), "{shape}: {output:?}");
        }
    }
}

#[test]
fn quiet_leaves_the_token_alone() {
    let ended = offline(&place(), &["--format", "token", "--quiet"]);
    assert_eq!((ended.status, ended.stderr.as_str(), ended.stdout.lines().count()), (0, "", 1));
}

#[test]
fn the_curl_command_works_when_pasted() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(tenancy_config::environment::path("CI").is_none(), "curl is missing");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let line = offline(&place(), &["--format", "curl", "--url", &url]).stdout;
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).env("no_proxy", "127.0.0.1").stdout(Stdio::piped()).stderr(Stdio::null());
    let child = shell.spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let request: Vec<String> =
        BufReader::new(&stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"here");
    assert_eq!(request[0], "GET /api/auth/session HTTP/1.1");
    let cookie = request.iter().find(|line| line.to_lowercase().starts_with("cookie:")).unwrap();
    assert!(cookie.contains("next-auth.session-token=eyJ"), "{cookie}");
}

#[test]
fn the_cookie_of_the_curl_command_is_no_argument_of_curl() {
    let line = offline(&place(), &["--format", "curl"]).stdout;
    let (printed, curl) = line.split_once(" | ").unwrap();
    assert!(printed.starts_with("printf ") && printed.contains("session-token=eyJ"), "{line}");
    assert!(curl.starts_with("curl ") && !curl.contains("eyJ"), "{line}");
}

#[test]
fn a_session_that_is_too_large_for_node_is_told_when_it_is_minted() {
    let place = place();
    let tenants = (0..160)
        .map(|n| format!(r#"{{"id": "t_{n}", "slug": "tenant-{n}", "name": "Tenant number {n}", "role": "MEMBER"}}"#));
    let tenants = tenants.collect::<Vec<_>>().join(", ");
    place.write("claims.json", &format!(r#"{{"sub": "u_1", "availableTenants": [{tenants}]}}"#));
    let ended = offline(&place, &[]);
    assert!(ended.status == 0 && ended.stderr.contains("and Node.js takes 16384 of all headers together"), "{ended}");
}

#[test]
fn auth_js_signs_with_the_newest_of_secrets_that_rotate_and_reads_all() {
    let place = place();
    let [newest, middle, first] = ["AUTH_SECRET_3", "AUTH_SECRET_1", "AUTH_SECRET"]
        .map(|name| (name, format!("{name}, of 32 bytes and some more")));
    let set = |secrets: &[&(&'static str, String)]| {
        secrets.iter().map(|(name, text)| (*name, text.clone())).collect::<Vec<_>>()
    };
    let run = |arguments: &[&str], secrets: Vec<(&str, String)>| {
        let env: Vec<(&str, &str)> = secrets.iter().map(|(name, text)| (*name, text.as_str())).collect();
        place.run_with(arguments, &env)
    };
    let mint = [&OFFLINE[..], &["--for", "auth.js", "--format", "token"]].concat();
    let decode = |token: &str, secrets| run(&["jwt", "decode", "--offline", "--for", "auth.js", token], secrets).status;
    let token = run(&mint, set(&[&first, &newest, &middle])).stdout.trim().to_owned();
    assert_eq!(decode(&token, set(&[&newest])), 0);
    assert_eq!(decode(&token, set(&[&first, &middle])), 3);
    let old = run(&mint, set(&[&first])).stdout.trim().to_owned();
    assert_eq!(decode(&old, set(&[&first, &newest, &middle])), 0, "sessions of earlier secrets are read");
}

#[test]
fn a_line_is_told_place_by_place() {
    let place = place();
    let good = offline(&place, &[]).stdout.trim().to_owned();
    let decode = |line: &str| place.run_with(&["jwt", "decode", "--offline", "--for", "next-auth", line], &[SECRET]);
    let twice = decode(&format!("Cookie: {good}; next-auth.session-token=old"));
    redacted(|| {
        assert_snapshot!("decoded_twice", twice);
        assert_snapshot!("decoded_sibling", decode(&format!("Cookie: {good}; next-auth.session-token-admin=x")));
        assert_snapshot!("decoded_no_session", decode("Cookie: a=1; theme=dark"));
        let forged = format!("Cookie: {good}; tenant_sig=t_a%3Au_1%3A1700000000000.{}", "0".repeat(64));
        assert_snapshot!("decoded_forged_tenant", decode(&forged));
    });
}

#[test]
fn on_vercel_next_auth_takes_the_cookie_of_https() {
    let name = |env: &[(&str, &str)], more: &[&str]| {
        let minted = place().run_with(&[&OFFLINE[..], more].concat(), &[&[SECRET], env].concat()).stdout;
        minted.split('=').next().unwrap().to_owned()
    };
    assert_eq!(name(&[("VERCEL", "1")], &[]), "__Secure-next-auth.session-token");
    assert_eq!(name(&[("VERCEL", "1"), ("NEXTAUTH_URL", "http://localhost:3000")], &[]), "next-auth.session-token");
    assert_eq!(name(&[("VERCEL", "1")], &["--for", "auth.js"]), "authjs.session-token");
    assert_eq!(name(&[], &["--cookie", "__Host-acme.session"]), "__Host-acme.session");
}

#[test]
fn the_env_lines_are_evaluated_by_a_shell() {
    let lines = offline(&place(), &["--format", "env"]).stdout;
    let script = format!("{lines}printf %s \"$SESSION_COOKIE\"");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.stdout.starts_with(b"next-auth.session-token=eyJ"));
}

#[test]
fn without_a_usable_secret_nothing_is_minted() {
    let place = place();
    assert_snapshot!("no_secret", place.run(&OFFLINE));
    assert_snapshot!("empty_secret", place.run_with(&OFFLINE, &[("NEXTAUTH_SECRET", "")]));
    let short = place.run_with(&OFFLINE, &[("NEXTAUTH_SECRET", "hunter2")]);
    assert_eq!(short.status, 0);
    assert!(
        short.stderr.starts_with("warning: the secret (from NEXTAUTH_SECRET in the environment) has 7 bytes"),
        "{short}"
    );
    assert!(!short.to_string().contains("hunter2"));
}

#[test]
fn the_secret_comes_from_where_the_library_looks_for_it() {
    let place = place();
    place.write("secret.txt", "a secret in a file, of 32 bytes and more\n");
    place.write(".env.local", "AUTH_SECRET=a secret of the env file, 32 bytes and more\nNEXTAUTH_SECRET=another one of the env file, 32 bytes\n");
    let token = |ended: Ended| ended.stdout.trim().to_owned();
    let from_file = token(place.run(&[&OFFLINE[..], &["--secret-file", "secret.txt", "--format", "token"]].concat()));
    let decoded = place.run(&["jwt", "decode", "--offline", &from_file]);
    assert!(decoded.stdout.starts_with("verdict  wrong secret"), "{decoded}");
    assert_eq!(place.run(&["jwt", "decode", "--offline", "--secret-file", "secret.txt", &from_file]).status, 0);
    let of_auth_js = token(place.run(&[&OFFLINE[..], &["--for", "auth.js", "--format", "token"]].concat()));
    let with_auth_secret = [("NEXTAUTH_SECRET", "a secret of the env file, 32 bytes and more")];
    assert_eq!(place.run_with(&["jwt", "decode", "--offline", &of_auth_js], &with_auth_secret).status, 0);
}

#[test]
fn no_session_is_minted_in_production() {
    let place = place();
    let production = [SECRET, ("NODE_ENV", "production")];
    assert_snapshot!("production", place.run_with(&OFFLINE, &production));
    for more in [&["jwt", "--email", "a@example.com"][..], &["jwt", "tenant-cookie", "--email", "a@example.com"]] {
        assert_eq!(place.run_with(more, &production).status, 4);
    }
}

#[test]
fn offline_needs_no_database_in_ci_either() {
    let ended = place().run_with(&OFFLINE, &[SECRET, ("CI", "true")]);
    assert_eq!(ended.status, 0, "{ended}");
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let place = place();
    place.write("list.json", "[1]");
    place.write("nobody.json", "{}");
    let mut all = String::new();
    for arguments in [
        &["jwt"][..],
        &["jwt", "--offline", "--claims", "missing.json"],
        &["jwt", "--offline", "--claims", "list.json"],
        &["jwt", "--offline", "--claims", "nobody.json"],
        &["jwt", "--offline", "--claims", "claims.json", "--email", "a@example.com"],
        &["jwt", "--offline"],
        &["jwt", "--offline", "--claims", "claims.json", "--max-age", "7"],
        &["jwt", "--offline", "--claims", "claims.json", "--max-age", "401d"],
        &["jwt", "--offline", "--claims", "claims.json", "--url", "localhost:3000"],
        &["jwt", "--offline", "--claims", "claims.json", "--secret-file", "missing.txt"],
        &["jwt", "--offline", "--claims", "claims.json", "--format", "table"],
        &["--format", "csv", "jwt", "--offline", "--claims", "claims.json"],
        &["--format", "csv", "jwt", "decode", "abc"],
        &["jwt", "decode", "--offline", "--secret-file", "-", "-"],
    ] {
        let ended = place.run_with(arguments, &[SECRET]);
        assert_eq!(ended.status, 2, "{ended}");
        all.push_str(&format!("$ {}\n{}\n", arguments.join(" "), ended.stderr));
    }
    assert_snapshot!("mistakes", all);
}

#[test]
fn decoding_tells_the_reason() {
    let place = place();
    let token = offline(&place, &["--format", "token"]).stdout.trim().to_owned();
    let decode = |more: &[&str]| place.run_with(&[&["jwt", "decode", "--offline"], more].concat(), &[SECRET]);
    redacted(|| {
        assert_snapshot!("decoded", decode(&[&token]));
        assert_snapshot!("decoded_json", decode(&["--format", "json", &token]));
        assert_snapshot!("decoded_wrong_library", decode(&["--for", "auth.js", &token]));
        assert_snapshot!("decoded_malformed", decode(&["abc"]));
    });
}

/// A few people, under strict policies and FORCE, for the application's ordinary role.
async fn people() -> TestDb {
    let db = test_support::database().await;
    let sql = include_str!("../../../crates/dev-jwt/tests/it/people.sql");
    db.superuser().await.run_script("planting people", sql).await.unwrap();
    let sql = include_str!("../../../crates/dev-jwt/tests/it/protect.sql");
    db.owner().await.run_script("protecting", sql).await.unwrap();
    db
}

fn as_app_user(db: &TestDb, arguments: &[&str], env: &[(&str, &str)]) -> Ended {
    as_app_user_in(&Place::new(), db, arguments, env)
}

fn as_app_user_in(place: &Place, db: &TestDb, arguments: &[&str], env: &[(&str, &str)]) -> Ended {
    let url = db.url(Role::AppUser);
    let all: Vec<&str> = arguments.iter().copied().chain(["--database-url", url.expose()]).collect();
    place.run_with(&all, &[&[SECRET], env].concat())
}

#[tokio::test]
async fn the_applications_ordinary_role_mints_under_strict_force() {
    let db = people().await;
    let confirmed = ["jwt", "--email", "staff@example.com", "--confirm", "127.0.0.1"];
    redact(&db, || {
        redacted(|| {
            assert_snapshot!("minted", as_app_user(&db, &[&confirmed[..], &["--tenant", "globex"]].concat(), &[]));
            let variables = [("TENANT_SLUG", "acme"), ("EMAIL", "staff@example.com")];
            assert_snapshot!("minted_by_variables", as_app_user(&db, &["jwt", "--confirm", "127.0.0.1"], &variables));
            let cookie = ["jwt", "tenant-cookie", "--email", "staff@example.com", "--confirm", "127.0.0.1"];
            assert_snapshot!("tenant_cookie", as_app_user(&db, &cookie, &[]));
            assert_snapshot!(
                "tenant_cookie_json",
                as_app_user(&db, &[&cookie[..], &["--format", "json", "-q"]].concat(), &[])
            );
        })
    });
}

#[tokio::test]
async fn refusals_name_the_reason_and_the_candidates() {
    let db = people().await;
    let mut all = String::new();
    for (arguments, env) in [
        (&["--email", "staff@example.com"][..], &[][..]),
        (&["--email", "staff@example.com", "--confirm", "production"], &[]),
        (&["--email", "nobody@example.com", "--confirm", "127.0.0.1"], &[]),
        (&["--email", "twin@example.com", "--confirm", "127.0.0.1"], &[]),
        (&["--email", "none@example.com", "--confirm", "127.0.0.1"], &[]),
        (&["--email", "staff@example.com", "--tenant", "acne", "--confirm", "127.0.0.1"], &[]),
        (&["--email", "nodefault@example.com", "--tenant", "sleepy", "--confirm", "127.0.0.1"], &[]),
        (&["--email", "guest@example.com", "--confirm", "127.0.0.1"], &[]),
        (
            &["--email", "nodefault@example.com", "--confirm", "127.0.0.1"],
            &[("MULTI_TENANCY_ENABLED", "true"), ("MULTI_TENANCY_STRICT", "true")],
        ),
    ] {
        let place = Place::new();
        place.write("tenancy.toml", "[session.checks]\nmembers_only = true\nactive_tenants_only = true\n");
        let ended = as_app_user_in(&place, &db, &[&["jwt", "-q"], arguments].concat(), env);
        assert!(ended.stdout.is_empty(), "{ended}");
        all.push_str(&format!("$ jwt {}\n{ended}\n", arguments.join(" ")));
    }
    redact(&db, || assert_snapshot!("refusals", all));
}

#[tokio::test]
async fn decoding_compares_with_the_database() {
    let db = people().await;
    let minted =
        as_app_user(&db, &["jwt", "--email", "staff@example.com", "--format", "token", "--confirm", "127.0.0.1"], &[]);
    let token = minted.stdout.trim().to_owned();
    assert_eq!(as_app_user(&db, &["jwt", "decode", &token], &[]).status, 0);
    let change = r#"UPDATE users SET "sessionVersion" = 4 WHERE id = 'u_staff';
        DELETE FROM tenant_memberships WHERE id = 'm_2'; UPDATE "Tenant" SET status = 'SUSPENDED' WHERE id = 't_a'"#;
    db.superuser().await.run_script("signing out", change).await.unwrap();
    redact(&db, || {
        redacted(|| assert_snapshot!("decoded_outdated", as_app_user(&db, &["jwt", "decode", &token], &[])))
    });
}

#[test]
fn a_database_that_does_not_answer_leaves_the_verdict_on_the_token() {
    let place = place();
    let token = offline(&place, &["--format", "token"]).stdout.trim().to_owned();
    let url = "postgresql://owner:hunter3@127.0.0.1:1/app?sslmode=disable";
    let ended = place.run_with(&["jwt", "decode", &token, "--database-url", url], &[SECRET]);
    assert_eq!(ended.status, 0, "{ended}");
    assert!(ended.stdout.contains("could not be looked up: cannot connect"), "{ended}");
    assert!(!ended.to_string().contains("hunter"), "{ended}");
}

#[test]
fn the_benchmark_compares_sessions_that_say_the_same() {
    // npm needs its own settings: registry, cache and proxy.
    let ours = |name: &str| name.contains("DATABASE") || name.starts_with("CARGO");
    let tools = tenancy_config::environment::all().filter(|(name, _)| !ours(&name.to_string_lossy()));
    let place = Place::new();
    let mut command = place.command(&["bench", "jwt", "--runs", "10", "--format", "json"], &[]);
    let output = command.envs(tools).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    if !output.status.success() && tenancy_config::environment::path("CI").is_none() {
        assert!(said.contains("npm could not bring"), "{said}");
        let _ = writeln!(std::io::stderr(), "SKIPPED, not measured beside the real library: {said}");
        return;
    }
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect(&said);
    assert_eq!((&report["same_claims"], report["candidates"].as_array().unwrap().len()), (&true.into(), 2));
}
