//! What holds for every token.

use dev_jwt::{Library, Problem, chunk};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::support::{claims, mint, read};

/// Any JSON, three levels deep. No floating point: not every one survives being written as text.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(".*", inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_claims() -> impl Strategy<Value = Map<String, Value>> {
    btree_map(".*", json(), 0..8).prop_map(|map| map.into_iter().filter(|(name, _)| name != "nbf").collect())
}

fn library() -> impl Strategy<Value = Library> {
    prop_oneof![Just(Library::NextAuth), Just(Library::AuthJs)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_minted_is_read(claims in any_claims(), library in library(), secure: bool) {
        let session = mint(claims, library, secure);
        for text in [session.token.clone(), session.cookie_header()] {
            let reading = read(&text);
            prop_assert_eq!(&reading.problems, &[]);
            prop_assert_eq!(reading.claims.as_ref(), Some(&session.claims));
        }
    }

    #[test]
    fn a_token_with_any_byte_changed_is_refused(library in library(), at: prop::sample::Index, byte in 0x21_u8..0x7f) {
        let token = mint(claims(2), library, false).token;
        let mut changed = token.clone().into_bytes();
        let at = at.index(changed.len());
        prop_assume!(changed[at] != byte);
        changed[at] = byte;
        let reading = read(&String::from_utf8(changed).unwrap());
        prop_assert!(reading.claims.is_none() && !reading.problems.is_empty(), "byte {}", at);
    }

    #[test]
    fn chunks_come_together_again(library in library(), secure: bool, length in 0_usize..20_000, tenants in 0_usize..120) {
        let name = library.cookie_name(secure);
        let value: String = (0..length).map(|at| char::from(b'a' + (at % 26) as u8)).collect();
        let cookies = chunk(library, name, &value);
        prop_assert!(cookies.iter().all(|cookie| cookie.value.len() <= library.chunk_size()));
        prop_assert_eq!(cookies.iter().map(|cookie| cookie.value.as_str()).collect::<String>(), value);
        let session = mint(claims(tenants), library, secure);
        prop_assert_eq!(read(&session.cookie_header()).claims, Some(session.claims));
    }

    #[test]
    fn a_missing_chunk_is_named(library in library(), gone in 0_usize..3) {
        let mut session = mint(claims(100), library, false);
        prop_assume!(gone < session.cookies.len());
        session.cookies.remove(gone);
        prop_assert_eq!(read(&session.cookie_header()).problems, vec![Problem::MissingChunk { chunk: gone }]);
    }
}
