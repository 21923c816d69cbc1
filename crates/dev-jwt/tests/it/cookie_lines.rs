//! Lines of cookies as they occur, and lines that are mutated at random: the real libraries say, place by place, whether the user is
//! signed in, and our verdict is theirs.

use std::collections::BTreeMap;
use std::time::Duration;

use dev_jwt::{DecodedSession, Library, MintOptions, Naming, Node, Read, ReadOptions, Secret, Session, mint};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::real_libraries::{ask, name, node, now};
use crate::support::claims;

const SECRET: &str = "a secret of the tests, 32 bytes and more";
const OLD: &str = "the secret before that, also 32 bytes long";

/// A line, and how the application that gets it is set up.
#[derive(Clone)]
struct Line {
    title: String,
    library: Library,
    secure: bool,
    naming: Naming,
    /// The first signs.
    secrets: Vec<&'static str>,
    /// What `decode` is given.
    text: String,
    /// The header that the server gets.
    header: String,
}

/// What the lines of one library and scheme are made of.
struct Kit {
    library: Library,
    secure: bool,
    naming: Naming,
    name: String,
    lines: Vec<Line>,
}

fn session(kit: (Library, bool, &Naming), secret: &str, claims: Map<String, Value>, max_age: u64, age: u64) -> Session {
    let (library, secure, naming) = kit;
    let now = now() - Duration::from_secs(age);
    let options = MintOptions { library, secure, max_age: Duration::from_secs(max_age), now, naming: naming.clone() };
    mint(claims, &Secret::new(secret).unwrap(), &options).unwrap()
}

impl Kit {
    fn new(library: Library, secure: bool, naming: Naming) -> Self {
        let name = naming.cookie.clone().unwrap_or_else(|| library.cookie_name(secure).to_owned());
        Self { library, secure, naming, name, lines: Vec::new() }
    }

    fn session(&self, tenants: usize) -> Session {
        session((self.library, self.secure, &self.naming), SECRET, claims(tenants), 600, 0)
    }

    fn add(&mut self, title: &str, header: impl Into<String>) {
        let header = header.into();
        self.add_text(title, &format!("Cookie: {header}"), header.clone());
    }

    /// A line that a browser or Node.js makes the header of.
    fn add_text(&mut self, title: &str, text: &str, header: String) {
        let scheme = if self.secure { "https" } else { "http" };
        self.lines.push(Line {
            title: format!("{} {scheme} {}: {title}", self.library.title(), self.name),
            library: self.library,
            secure: self.secure,
            naming: self.naming.clone(),
            secrets: vec![SECRET],
            text: text.to_owned(),
            header,
        });
    }

    fn all(mut self) -> Vec<Line> {
        self.siblings();
        self.twice();
        self.chunks();
        self.forms();
        self.tokens();
        self.lines
    }

    fn siblings(&mut self) {
        let (n, whole, chunked) =
            (self.name.clone(), self.session(2).cookie_header(), self.session(120).cookie_header());
        self.add("alone", whole.clone());
        self.add("among others", format!("a=1; {whole}; b=2"));
        for suffix in ["-admin", ".sig", ".sandbox", "s", ".01", ".-1", ".1x", ". ", ".0x1"] {
            self.add(&format!("beside {suffix}"), format!("{whole}; {n}{suffix}=xyz"));
        }
        self.add("behind -admin", format!("{n}-admin=xyz; {whole}"));
        self.add("beside an empty one", format!("{whole}; {n}-admin="));
        self.add("beside an empty one before it", format!("{n}.sig=; {whole}"));
        self.add("chunks beside .sig", format!("{chunked}; {n}.sig=xyz"));
        self.add("chunks behind an empty .sig", format!("{n}.sig=; {chunked}"));
        self.add("one that only ends so", format!("my-{whole}"));
        self.add("a sibling alone", whole.replace(&n, &format!("{n}-admin")));
        self.add("a sibling without a value", format!("{whole}; {n}-flag"));
    }

    fn twice(&mut self) {
        let (n, good) = (self.name.clone(), self.session(2).cookie_header());
        let other = self.session(3).cookie_header();
        self.add("twice, both good", format!("{good}; {other}"));
        self.add("twice, the first good", format!("{good}; {n}=old"));
        self.add("twice, the last good", format!("{n}=old; {good}"));
        self.add("twice, the first empty", format!("{n}=; {good}"));
        self.add("twice, the last empty", format!("{good}; {n}="));
        self.add("twice, the last not decodable", format!("{good}; {n}=%"));
        self.add("twice, the last without a value", format!("{good}; {n}"));
        self.add("twice the same", format!("{good}; {good}"));
    }

    fn chunks(&mut self) {
        let (n, session) = (self.name.clone(), self.session(120));
        let pairs: Vec<String> = session.cookies.iter().map(|c| format!("{}={}", c.name, c.value)).collect();
        let other: Vec<String> = self.session(200).cookies.iter().map(|c| format!("{}={}", c.name, c.value)).collect();
        let reversed: Vec<String> = pairs.iter().rev().cloned().collect();
        self.add("chunks in order", pairs.join("; "));
        self.add("chunks in reverse", reversed.join("; "));
        self.add("the first chunk missing", pairs[1..].join("; "));
        self.add("the last chunk missing", pairs[..pairs.len() - 1].join("; "));
        self.add("a stale chunk behind", format!("{}; {}", pairs.join("; "), other[pairs.len()]));
        self.add("an empty chunk behind", format!("{}; {n}.{}=", pairs.join("; "), pairs.len()));
        self.add("chunks of two sessions", [&other[..1], &pairs[1..]].concat().join("; "));
        self.add("all chunks of two sessions", [&pairs[..], &other[..]].concat().join("; "));
        self.add("a whole one beside chunks", format!("{n}=old; {}", pairs.join("; ")));
        self.add("an empty whole one beside chunks", format!("{}; {n}=", pairs.join("; ")));
        self.add("an empty whole one before chunks", format!("{n}=; {}", reversed.join("; ")));
        self.add(
            "a good whole one beside chunks",
            format!("{}; {}", self.session(2).cookie_header(), pairs.join("; ")),
        );
        self.add("chunks beside a cookie between", pairs.join("; tenant_sig=x; "));
    }

    fn forms(&mut self) {
        let (n, session) = (self.name.clone(), self.session(2));
        let (good, token) = (session.cookie_header(), session.token.clone());
        self.add("quoted", format!("{n}=\"{token}\""));
        self.add("encoded dots", format!("{n}={}", token.replace('.', "%2E")));
        self.add("encoded dots and a stray percent sign", format!("{n}={}%", token.replace('.', "%2E")));
        self.add("spaces around", format!("  {n} = {token} ; a=1"));
        // What stands behind a token here is what `STRICTER` speaks of.
        self.add("a space behind the value", format!("{good} ; a=1"));
        self.add("a space before the value", format!("{n}= {token}"));
        self.add("a tab before the name", format!("a=1;\t{good}"));
        self.add("no spaces", format!("a=1;{good};b=2"));
        self.add("semicolons", format!(";;{good};;"));
        self.add("capitals", good.to_uppercase());
        self.add("é in another", format!("name=é; {good}"));
        self.add("é behind", format!("{good}é"));
        self.add("à behind", format!("{good}à"));
        self.add("a space that does not break behind", format!("{good}\u{a0}"));
        self.add("no session", "a=1; b=2");
        self.add("no value", n.clone());
        self.add("an empty value", format!("{n}="));
        let halves = format!("Cookie: a=1\r\nCookie: {good}");
        self.add_text("two lines", &halves, format!("a=1; {good}"));
        let flags = if self.secure { "; Path=/; HttpOnly; Secure" } else { "; Path=/; HttpOnly" };
        self.add_text("set", &format!("Set-Cookie: {good}{flags}"), good.clone());
        self.add_text("set again", &format!("Set-Cookie: {n}=old{flags}\nSet-Cookie: {good}{flags}"), good.clone());
        let deleted = format!("Set-Cookie: {good}{flags}\nSet-Cookie: {n}=; Max-Age=0{flags}");
        self.add_text("set and deleted", &deleted, "a=1".to_owned());
    }

    fn tokens(&mut self) {
        let kit = |kit: &Self| (kit.library, kit.secure, kit.naming.clone());
        let (library, secure, naming) = kit(self);
        let of = |secret, claims, max_age, age| session((library, secure, &naming), secret, claims, max_age, age);
        self.add("expired", of(SECRET, claims(2), 60, 600).cookie_header());
        self.add("just expired", of(SECRET, claims(2), 600, 605).cookie_header());
        self.add("another secret", of("no secret of this application's, at all", claims(2), 600, 0).cookie_header());
        let mut later = claims(1);
        later.insert("nbf".into(), json!(now().as_secs() + 3600));
        self.add("not valid yet", of(SECRET, later, 600, 0).cookie_header());
        let mut wrong = claims(1);
        wrong.insert("nbf".into(), json!("soon"));
        self.add("nbf that is no number", of(SECRET, wrong, 600, 0).cookie_header());
        let mut token = of(SECRET, claims(2), 600, 0).cookie_header();
        let at = token.len() - 60;
        token.replace_range(at..=at, if &token[at..=at] == "A" { "B" } else { "A" });
        self.add("changed", token);
        let other = if library == Library::NextAuth { Library::AuthJs } else { Library::NextAuth };
        let theirs = session((other, secure, &Naming::default()), SECRET, claims(2), 600, 0).token;
        self.add("the other library's token", format!("{}={theirs}", self.name));
        let renamed = session((library, !secure, &Naming::default()), SECRET, claims(2), 600, 0);
        self.add("the other scheme's cookie", renamed.cookie_header());
        self.add("the other scheme's token", format!("{}={}", self.name, renamed.token));
    }
}

fn naming(cookie: Option<&str>, salt: Option<&str>) -> Naming {
    Naming { cookie: cookie.map(str::to_owned), salt: salt.map(str::to_owned) }
}

/// Every line of the table.
fn table(node: &Node) -> Vec<Line> {
    let mut lines = Vec::new();
    for library in Library::ALL {
        for secure in [false, true] {
            lines.extend(Kit::new(library, secure, Naming::default()).all());
        }
        for naming in [
            naming(Some("__Host-acme.session"), None),
            naming(Some("sid"), Some("pepper")),
            naming(None, Some("pepper")),
        ] {
            let mut kit = Kit::new(library, true, naming);
            kit.siblings();
            kit.tokens();
            lines.extend(kit.lines);
        }
    }
    lines.extend(rotated());
    lines.extend(of_gcm(node));
    lines
}

/// Sessions of the first secret and of earlier ones.
fn rotated() -> Vec<Line> {
    let mut lines = Vec::new();
    for library in Library::ALL {
        for (title, secret, secrets) in [
            ("the first secret", SECRET, vec![SECRET, OLD]),
            ("an earlier secret", OLD, vec![SECRET, OLD]),
            ("a secret that is gone", OLD, vec![SECRET]),
        ] {
            let mut kit = Kit::new(library, false, Naming::default());
            kit.add(title, session((library, false, &Naming::default()), secret, claims(2), 600, 0).cookie_header());
            kit.lines[0].secrets = secrets;
            lines.extend(kit.lines);
        }
    }
    lines
}

/// Tokens of Auth.js with A256GCM, which it reads and does not write.
fn of_gcm(node: &Node) -> Vec<Line> {
    let name = Library::AuthJs.cookie_name(false);
    let cases = [(SECRET, true), (SECRET, false), (OLD, true), (OLD, false)];
    let request = |(secret, kid): &(&str, bool)| json!({ "do": "gcm", "secret": secret, "kid": kid, "salt": name, "claims": claims(2), "maxAge": 600 });
    let tokens = ask(node, &cases.iter().map(request).collect::<Vec<_>>());
    let mut lines = Vec::new();
    for ((secret, kid), token) in cases.iter().zip(tokens) {
        for library in Library::ALL {
            let mut kit = Kit::new(library, false, Naming::default());
            let header = format!("{}={}", library.cookie_name(false), token["token"].as_str().unwrap());
            kit.add(&format!("A256GCM, kid {kid}, first secret {}", *secret == SECRET), header);
            kit.lines[0].secrets = vec![SECRET, OLD];
            lines.extend(kit.lines);
        }
    }
    lines
}

fn read(line: &Line) -> DecodedSession {
    let secret = Secret::new(line.secrets[0]).unwrap().with_earlier(line.secrets[1..].iter().map(|s| (*s).to_owned()));
    let options =
        ReadOptions { library: Some(line.library), secure: Some(line.secure), now: now(), naming: line.naming.clone() };
    match dev_jwt::read(&line.text, &secret, &options) {
        Read::Session(session) => session,
        Read::Tenant(cookie, _) => panic!("{cookie:?}"),
    }
}

fn request(line: &Line) -> Value {
    json!({
        "do": "places", "library": name(line.library), "secrets": line.secrets, "secure": line.secure, "cookie": line.header,
        "name": line.naming.cookie, "salt": line.naming.salt,
    })
    .as_object()
    .unwrap()
    .iter()
    .filter(|(_, value)| !value.is_null())
    .map(|(name, value)| (name.clone(), value.clone()))
    .collect::<Map<_, _>>()
    .into()
}

/// The verdict of each place on a line, ours and theirs.
fn verdicts(line: &Line, theirs: &Value) -> Vec<(String, bool, bool)> {
    let ours = read(line);
    assert!(!ours.places.is_empty(), "{}: no place was told", line.title);
    let place = |reading: &dev_jwt::PlaceReading| {
        let key = serde_json::to_value(reading.place).unwrap();
        assert_eq!(reading.accepted, reading.problems.is_empty(), "{}: a refusal has its reason", line.title);
        (key.as_str().unwrap().to_owned(), reading.accepted, !theirs[key.as_str().unwrap()].is_null())
    };
    let verdicts: Vec<_> = ours.places.iter().map(place).collect();
    if verdicts.iter().all(|(_, ours, theirs)| *ours && *theirs) {
        assert!(ours.problems.is_empty(), "{}: {:?}", line.title, ours.problems);
        let first = &theirs[&verdicts[0].0];
        assert_eq!(ours.claims.map(Value::from).as_ref(), Some(first), "{}", line.title);
    } else if verdicts.iter().any(|(_, ours, _)| !ours) {
        assert!(!ours.problems.is_empty(), "{}: a refusal has its reason", line.title);
    }
    verdicts
}

/// Lines that we refuse and NextAuth takes: Node.js passes over what is no base64 in a token. The edge runtime may not.
const STRICTER: [&str; 4] = ["a space behind the value", "é behind", "à behind", "a space that does not break behind"];

#[test]
fn of_each_line_our_verdict_is_the_real_libraries_in_each_place() {
    let Some(node) = node() else { return };
    let lines = table(node);
    assert!(lines.len() >= 150, "{} lines", lines.len());
    let answers = ask(node, &lines.iter().map(request).collect::<Vec<_>>());
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::<(String, bool), usize>::new());
    for (line, theirs) in lines.iter().zip(&answers) {
        for (place, ours, theirs) in verdicts(line, theirs) {
            let stricter =
                !ours && line.library == Library::NextAuth && STRICTER.iter().any(|end| line.title.ends_with(end));
            if ours != theirs && !stricter {
                wrong.push(format!("{} at {place}: we say {ours}, it says {theirs}", line.title));
            }
            *counts.entry((place, theirs)).or_default() += 1;
        }
    }
    assert!(wrong.is_empty(), "{} of {} lines:\n{}", wrong.len(), lines.len(), wrong.join("\n"));
    // Each place must have had sessions to accept and sessions to refuse.
    assert!(counts.len() == 6 && counts.values().all(|count| *count >= 15), "{counts:?}");
}

/// One change of a line: characters removed, put in, doubled, swapped or encoded, or pieces of another line put in.
fn mutated(line: &str, other: &str, changes: &[(u8, usize, usize)]) -> String {
    const PIECES: [&str; 16] = [
        "%",
        "%2E",
        "=",
        ";",
        "; ",
        "\"",
        ".0",
        ".1",
        "-admin",
        " ",
        "\t",
        "A",
        "_",
        "é",
        "next-auth.session-token=",
        "authjs.session-token.0=",
    ];
    let mut text: Vec<char> = line.chars().collect();
    let other: Vec<char> = other.chars().collect();
    for (kind, at, size) in changes {
        let at = at % (text.len() + 1);
        let end = (at + size % 40).min(text.len());
        match kind % 6 {
            0 => drop(text.drain(at..end)),
            1 => drop(text.splice(at..at, PIECES[size % PIECES.len()].chars())),
            2 => {
                let copy: Vec<char> = text[at..end].to_vec();
                drop(text.splice(at..at, copy));
            }
            3 if end > at + 1 => text.swap(at, end - 1),
            4 if end > at => drop(text.splice(at..=at, format!("%{:02X}", u32::from(text[at]) & 0xff).chars())),
            _ => {
                let from = size % (other.len() + 1);
                drop(text.splice(at..at, other[from..(from + 60).min(other.len())].iter().copied()));
            }
        }
    }
    text.into_iter().collect()
}

#[test]
fn no_mutated_line_is_valid_to_us_that_a_real_library_refuses() {
    let Some(node) = node() else { return };
    let cases = tenancy_config::environment::path("COOKIE_CASES").and_then(|text| text.to_string_lossy().parse().ok());
    let lines = table(node);
    let mut runner = TestRunner::deterministic();
    let strategy = (0..lines.len(), 0..lines.len(), prop::collection::vec(any::<(u8, usize, usize)>(), 1..4));
    let mut mutants = Vec::new();
    for _ in 0..cases.unwrap_or(1500) {
        let (of, with, changes) = strategy.new_tree(&mut runner).unwrap().current();
        let header = mutated(&lines[of].header, &lines[with].header, &changes);
        mutants.push(Line {
            title: format!("mutant of {}: {header}", lines[of].title),
            text: format!("Cookie: {header}"),
            header,
            ..lines[of].clone()
        });
    }
    let answers = ask(node, &mutants.iter().map(request).collect::<Vec<_>>());
    let (mut both, mut stricter, mut wrong) = (0, 0, Vec::new());
    for (line, theirs) in mutants.iter().zip(&answers) {
        for (place, ours, theirs) in verdicts(line, theirs) {
            match (ours, theirs) {
                (true, false) => wrong.push(format!("{place}: {}", line.title)),
                (false, true) => stricter += 1,
                _ => both += 1,
            }
        }
    }
    assert!(wrong.is_empty(), "valid to us alone:\n{}", wrong.join("\n"));
    assert!(stricter * 50 < both, "{stricter} verdicts are stricter, {both} equal");
}
