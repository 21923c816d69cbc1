//! Tokens that the real libraries wrote once: they open, say what they said, and come in the cookies that we would make.

use std::time::Duration;

use dev_jwt::{Cookie, Library, Naming, ReadOptions, chunk};
use serde_json::{Map, Value};

use crate::support::read_with;

struct Vector {
    library: Library,
    secure: bool,
    secret: String,
    claims: Map<String, Value>,
    token: String,
    cookies: Vec<Cookie>,
}

fn vectors() -> Vec<Vector> {
    let list = |text: &str| serde_json::from_str::<Vec<Value>>(text).unwrap();
    let requests = list(include_str!("../vectors/requests.json"));
    let answers = list(include_str!("../vectors/answers.json"));
    assert_eq!(requests.len(), answers.len());
    requests.iter().zip(&answers).map(|(request, answer)| vector(request, answer)).collect()
}

fn vector(request: &Value, answer: &Value) -> Vector {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let cookie = |cookie: &Value| Cookie { name: text(&cookie["name"]), value: text(&cookie["value"]) };
    Vector {
        library: if request["library"] == "next-auth" { Library::NextAuth } else { Library::AuthJs },
        secure: request["secure"] == true,
        secret: text(&request["secret"]),
        claims: request["claims"].as_object().unwrap().clone(),
        token: text(&answer["token"]),
        cookies: answer["cookies"].as_array().unwrap().iter().map(cookie).collect(),
    }
}

#[test]
fn what_the_libraries_wrote_opens_and_says_what_they_said() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let header: Vec<String> = vector.cookies.iter().map(|c| format!("{}={}", c.name, c.value)).collect();
        for text in [vector.token.clone(), header.join("; ")] {
            let options = ReadOptions {
                library: Some(vector.library),
                secure: Some(vector.secure),
                now: Duration::ZERO,
                naming: Naming::default(),
            };
            let reading = read_with(&text, &vector.secret, options);
            assert_eq!(reading.problems, []);
            let mut claims = reading.claims.unwrap();
            let number = |value: Option<Value>| value.unwrap().as_u64().unwrap();
            let (iat, exp) = (number(claims.remove("iat")), number(claims.remove("exp")));
            assert_eq!((exp - iat, claims.remove("jti").unwrap().as_str().unwrap().len()), (3600, 36));
            assert_eq!(claims, vector.claims);
        }
    }
}

#[test]
fn our_chunks_are_those_of_the_libraries() {
    for vector in vectors() {
        let name = vector.library.cookie_name(vector.secure);
        assert_eq!(chunk(vector.library, name, &vector.token), vector.cookies);
    }
}
