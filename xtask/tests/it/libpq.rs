//! The variables that libpq reads do not change where a command connects.

use local_db::Role;

use crate::support::Place;

/// Each of these alone would make a connection fail, or lead it to another server.
pub(crate) const HOSTILE: [(&str, &str); 10] = [
    ("PGHOST", "192.0.2.1"),
    ("PGHOSTADDR", "192.0.2.1"),
    ("PGPORT", "1"),
    ("PGUSER", "nobody"),
    ("PGPASSWORD", "wrong"),
    ("PGDATABASE", "nothing"),
    ("PGSERVICE", "nothing"),
    ("PGSSLMODE", "verify-full"),
    ("PGSSLROOTCERT", "/no/such/file"),
    ("PGOPTIONS", "-c no_such_setting=1"),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_variable_of_libpq_changes_what_a_url_connects_to() {
    let db = test_support::database().await;
    let url = db.url(Role::Superuser);
    let place = Place::new();
    let undisturbed = place.run_with(&["audit"], &[("DATABASE_URL", url.expose())]);
    assert!(undisturbed.stdout.contains("bookings"), "{undisturbed}");
    for variables in std::iter::once(&HOSTILE[..]).chain(HOSTILE.chunks(1)) {
        let env = [variables, &[("DATABASE_URL", url.expose())]].concat();
        let ended = place.run_with(&["audit"], &env);
        assert_eq!(ended.to_string(), undisturbed.to_string(), "{variables:?}");
    }
}
