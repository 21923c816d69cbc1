//! Why a token is not accepted, each reason by its name.

use std::time::Duration;

use dev_jwt::{Library, Naming, Problem, Read, ReadOptions, Secret, TenantCookie, tenant_cookie};
use serde_json::json;

use crate::support::{NOW, SECRET, claims, mint, read, read_with, secret};

const OTHER: &str = "another secret, also of 32 bytes or more";

fn at(now: Duration) -> ReadOptions {
    ReadOptions { library: None, secure: None, now, naming: Naming::default() }
}

#[test]
fn another_secret_is_told_from_a_change() {
    for library in Library::ALL {
        let token = mint(claims(2), library, false).token;
        assert_eq!(read_with(&token, OTHER, at(NOW)).problems, [Problem::WrongSecret]);
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let letter = if parts[3].starts_with('A') { "B" } else { "A" };
        parts[3].replace_range(0..1, letter);
        assert_eq!(read(&parts.join(".")).problems, [Problem::Tampered]);
    }
}

#[test]
fn a_token_expires_fifteen_seconds_late_as_in_the_libraries() {
    let token = mint(claims(1), Library::NextAuth, false).token;
    let expires = NOW + Duration::from_secs(3600);
    assert_eq!(read_with(&token, SECRET, at(expires + Duration::from_secs(14))).problems, []);
    let expired = read_with(&token, SECRET, at(expires + Duration::from_secs(15)));
    assert_eq!(expired.problems, [Problem::Expired { at: expires.as_secs() }]);
    assert!(expired.claims.is_some(), "what it said is told all the same");
}

#[test]
fn a_token_of_the_future_is_not_valid_yet() {
    let mut claims = claims(1);
    claims.insert("nbf".into(), json!(NOW.as_secs() + 60));
    let token = mint(claims, Library::AuthJs, false).token;
    assert_eq!(read(&token).problems, [Problem::NotYet { at: NOW.as_secs() + 60 }]);
}

#[test]
fn the_other_librarys_token_is_named_and_read() {
    for (made_for, wanted) in [(Library::NextAuth, Library::AuthJs), (Library::AuthJs, Library::NextAuth)] {
        let token = mint(claims(1), made_for, false).token;
        let reading = read_with(&token, SECRET, ReadOptions { library: Some(wanted), ..at(NOW) });
        assert_eq!(reading.problems, [Problem::WrongLibrary { made_for, wanted }]);
        assert!(reading.claims.is_some());
    }
}

#[test]
fn a_token_made_for_https_is_not_looked_for_under_http() {
    for library in Library::ALL {
        let session = mint(claims(1), library, true);
        let http = ReadOptions { secure: Some(false), ..at(NOW) };
        let wrong = Problem::WrongCookieName {
            name: library.cookie_name(true).to_owned(),
            wanted: library.cookie_name(false).to_owned(),
        };
        assert_eq!(read_with(&session.cookie_header(), SECRET, http).problems, [wrong]);
        let https = ReadOptions { secure: Some(true), ..at(NOW) };
        assert_eq!(read_with(&session.cookie_header(), SECRET, https).problems, []);
    }
}

#[test]
fn a_renamed_cookie_does_not_open_in_auth_js() {
    let renamed = mint(claims(1), Library::AuthJs, true).cookie_header().replace("__Secure-", "");
    let [name, wanted] = [true, false].map(|secure| Library::AuthJs.cookie_name(secure).to_owned());
    assert_eq!(read(&renamed).problems, [Problem::WrongCookieName { name, wanted }]);
}

#[test]
fn an_old_cookie_beside_chunks_explains_why_they_do_not_open() {
    let session = mint(claims(100), Library::NextAuth, false);
    let text = format!("next-auth.session-token=old; {}", session.cookie_header());
    assert_eq!(read(&text).problems, [Problem::LeftoverCookie { name: "next-auth.session-token".to_owned() }]);
}

#[test]
fn what_is_no_token_says_what_it_lacks() {
    for (text, why) in [
        ("", "five parts"),
        ("a.b.c", "five parts"),
        ("e30.....", "five parts"),
        ("e30....", "not that of a JWE"),
        ("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ....", "`RSA-OAEP`"),
        ("eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0....", "`A128GCM`"),
        ("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AA.AA.AA", "wrong length"),
        ("é.b.c.d.e", "not base64url"),
    ] {
        let problems = read(text).problems;
        assert!(
            matches!(&problems[..], [Problem::Malformed { why: said }] if said.contains(why)),
            "{text}: {problems:?}"
        );
    }
}

#[test]
fn a_tenant_cookie_is_read_for_twenty_four_hours() {
    let (cookie, value) = tenant_cookie("t_a", "u_1", &secret(), 1_700_000_000_000).unwrap();
    let problems = |value: &str, secret: &str, now: Duration| match dev_jwt::read(
        value,
        &Secret::new(secret).unwrap(),
        &at(now),
    ) {
        Read::Tenant(read, problems) => {
            assert_eq!(read, cookie);
            problems
        }
        Read::Session(reading) => panic!("{reading:?}"),
    };
    let day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(problems(&value, SECRET, NOW + day - Duration::from_millis(1)), []);
    assert_eq!(problems(&format!("{}={value}", TenantCookie::NAME), SECRET, NOW), []);
    assert_eq!(problems(&value, SECRET, NOW + day), [Problem::Expired { at: (NOW + day).as_secs() }]);
    assert_eq!(problems(&value, OTHER, NOW), [Problem::WrongSignature]);
}
