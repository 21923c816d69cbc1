//! The real libraries, installed by npm: they read what we write, and we read what they write. Without npm these tests say that
//! they compared nothing; where `CI` is set they fail instead.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dev_jwt::{Library, MintOptions, Naming, Node, ReadOptions, chunk, mint};
use serde_json::{Value, json};

use crate::support::{SECRET, claims, read_with, secret};

/// One installation, which the next run finds again.
pub(crate) fn node() -> Option<&'static Node> {
    static NODE: OnceLock<Option<Node>> = OnceLock::new();
    let installed = NODE.get_or_init(|| {
        match Node::kept_in(Path::new(env!("CARGO_TARGET_TMPDIR"))) {
            Ok(node) => Some(node),
            Err(error) if tenancy_config::environment::path("CI").is_some() => panic!("{error}"),
            Err(error) => {
                // Past the capture of the test harness: that nothing was compared must be seen.
                let _ = writeln!(std::io::stderr(), "SKIPPED, not compared with the real libraries: {error}");
                None
            }
        }
    });
    installed.as_ref()
}

/// Lets the libraries answer.
pub(crate) fn ask(node: &Node, requests: &[Value]) -> Vec<Value> {
    let mut command = node.command("libraries.mjs");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(json!(requests).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) fn name(library: Library) -> Value {
    serde_json::to_value(library).unwrap()
}

pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Every library, scheme and size: one cookie, and chunks.
fn cases() -> Vec<(Library, bool, usize)> {
    let schemes = |library| [false, true].map(|secure| (library, secure));
    let pairs = Library::ALL.into_iter().flat_map(schemes);
    pairs.flat_map(|(library, secure)| [2, 200].map(|tenants| (library, secure, tenants))).collect()
}

#[test]
fn their_get_token_reads_our_cookies() {
    let Some(node) = node() else { return };
    let mut requests = Vec::new();
    let mut expected = Vec::new();
    for (library, secure, tenants) in cases() {
        let options =
            MintOptions { library, secure, max_age: Duration::from_secs(600), now: now(), naming: Naming::default() };
        let session = mint(claims(tenants), &secret(), &options).unwrap();
        assert_eq!(session.cookies.len() > 1, tenants == 200);
        let request = |cookie: String| json!({ "do": "getToken", "library": name(library), "secret": SECRET, "secure": secure, "cookie": cookie });
        requests.push(request(session.cookie_header()));
        expected.push(json!(session.claims));
        let reversed: Vec<String> = session.cookies.iter().rev().map(|c| format!("{}={}", c.name, c.value)).collect();
        requests.push(request(format!("other=1; {}", reversed.join("; "))));
        expected.push(json!(session.claims));
        requests.push(json!({ "do": "getToken", "library": name(library), "secret": SECRET, "secure": secure, "bearer": session.token }));
        expected.push(json!(session.claims));
    }
    let answers = ask(node, &requests);
    assert_eq!(answers.iter().map(|answer| answer["claims"].clone()).collect::<Vec<_>>(), expected);
}

#[test]
fn their_get_token_refuses_what_our_reading_refuses() {
    let Some(node) = node() else { return };
    for library in Library::ALL {
        let options = MintOptions {
            library,
            secure: false,
            max_age: Duration::from_secs(600),
            now: now(),
            naming: Naming::default(),
        };
        let session = mint(claims(2), &secret(), &options).unwrap();
        let expired = MintOptions { now: now() - Duration::from_secs(700), ..options.clone() };
        let expired = mint(claims(2), &secret(), &expired).unwrap();
        let late = MintOptions { now: now() - Duration::from_secs(605), ..options };
        let late = mint(claims(2), &secret(), &late).unwrap();
        let mut changed = session.cookie_header();
        // Inside the ciphertext.
        let at = changed.len() - 100;
        changed.replace_range(at..=at, if &changed[at..=at] == "A" { "B" } else { "A" });
        let cases = [
            (session.cookie_header(), SECRET, true),
            (session.cookie_header(), "another secret, also of 32 bytes or more", false),
            (expired.cookie_header(), SECRET, false),
            // Within the tolerance of 15 seconds.
            (late.cookie_header(), SECRET, true),
            (changed, SECRET, false),
        ];
        let request = |(cookie, secret, _): &(String, &str, bool)| json!({ "do": "getToken", "library": name(library), "secret": secret, "secure": false, "cookie": cookie });
        let answers = ask(node, &cases.iter().map(request).collect::<Vec<_>>());
        for ((cookie, secret, accepted), answer) in cases.iter().zip(&answers) {
            assert_eq!(!answer["claims"].is_null(), *accepted);
            let options =
                ReadOptions { library: Some(library), secure: Some(false), now: now(), naming: Naming::default() };
            assert_eq!(read_with(cookie, secret, options).problems.is_empty(), *accepted);
        }
    }
}

#[test]
fn our_reading_reads_their_cookies_and_our_chunks_are_theirs() {
    let Some(node) = node() else { return };
    let request = |(library, secure, tenants): &(Library, bool, usize)| json!({ "do": "encode", "library": name(*library), "secret": SECRET, "secure": secure, "maxAge": 600, "claims": claims(*tenants) });
    let answers = ask(node, &cases().iter().map(request).collect::<Vec<_>>());
    for ((library, secure, tenants), answer) in cases().into_iter().zip(answers) {
        let theirs = answer["cookies"].as_array().unwrap();
        let pair =
            |cookie: &Value| format!("{}={}", cookie["name"].as_str().unwrap(), cookie["value"].as_str().unwrap());
        let header: Vec<String> = theirs.iter().map(pair).collect();
        let options =
            ReadOptions { library: Some(library), secure: Some(secure), now: now(), naming: Naming::default() };
        let reading = read_with(&header.join("; "), SECRET, options);
        assert_eq!(reading.problems, []);
        let said = reading.claims.unwrap();
        assert!(claims(tenants).iter().all(|(name, value)| said.get(name) == Some(value)));
        let ours = chunk(library, library.cookie_name(secure), answer["token"].as_str().unwrap());
        assert_eq!(ours.iter().map(|c| format!("{}={}", c.name, c.value)).collect::<Vec<_>>(), header);
        let attributes = json!({ "httpOnly": true, "sameSite": "lax", "path": "/", "secure": secure });
        assert!(theirs.iter().all(|cookie| cookie["options"] == attributes));
    }
}
