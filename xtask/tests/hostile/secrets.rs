//! Passwords and secrets that are planted into inputs, and looked for in all output.

use crate::random::Random;

/// The password in the URLs of examples.
pub(crate) const PASSWORD: &str = "Xk7Qp2Wv9Rt4Zm6B";
/// The secret that sessions are signed with.
pub(crate) const SECRET: &str = "Hq3Lw8Nf5Jc1Ys0Dg6Uo2Ei9Ta4Vb7Kp";

/// This many characters in a row of a secret are not there by chance. If a secret is cut in two, each half is still
/// found.
const RECOGNIZED: usize = 6;

/// A URL with the password, in forms that people may paste.
pub(crate) fn in_an_odd_place(random: &mut Random) -> String {
    match random.below(5) {
        0 => format!("postgres://owner:{PASSWORD}@127.0.0.1:1/app"),
        1 => format!("postgresql://owner:{PASSWORD}@127.0.0.1:1/app?sslmode=disable&password={PASSWORD}"),
        2 => format!("mysql://root:{PASSWORD}@127.0.0.1/app"),
        3 => format!("https://token:{PASSWORD}@127.0.0.1/"),
        _ => format!("jdbc:postgresql://127.0.0.1:1/app?user=owner&password={PASSWORD}"),
    }
}

/// The part of a planted secret that `text` contains.
pub(crate) fn found_in(text: &str) -> Option<String> {
    part_of(PASSWORD, text).or_else(|| part_of(SECRET, text))
}

/// The part of this secret that `text` contains.
pub(crate) fn part_of(secret: &str, text: &str) -> Option<String> {
    let mut parts = (0..=secret.len() - RECOGNIZED).map(|at| &secret[at..at + RECOGNIZED]);
    parts.find(|part| text.contains(part)).map(str::to_owned)
}

/// The part of an input that must not be shown if it is a session: a person who has the session can act as its user, so
/// no message repeats it.
pub(crate) fn of_a_session(input: &str) -> Option<&str> {
    let plain = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let longest = input.split(plain).max_by_key(|run| run.len())?;
    longest.get(longest.len() / 2..)?.get(..24)
}

#[test]
fn a_secret_is_found_whole_and_in_parts() {
    assert_eq!(found_in("nothing"), None);
    assert!(found_in(&format!("a{PASSWORD}b")).is_some());
    assert!(found_in(&SECRET[3..12]).is_some());
    assert_eq!(of_a_session("a.b.c"), None);
    assert_eq!(of_a_session(&format!("Cookie: a={}", "b".repeat(48))), Some(&*"b".repeat(24)));
}
