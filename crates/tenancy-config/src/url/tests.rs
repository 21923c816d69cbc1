//! What a URL means, and that no part of it leaks.

use proptest::prelude::*;

use super::parse::settings_in;
use super::{DatabaseUrl, Tls, UrlError};
use crate::user_error::{Exit, UserError};

fn url(text: &str) -> DatabaseUrl {
    DatabaseUrl::parse(text).unwrap()
}

fn error(text: &str) -> UrlError {
    DatabaseUrl::parse(text).unwrap_err()
}

#[test]
fn the_parts_are_read_and_decoded() {
    let url = url("postgresql://al%40ice:p%2Fw%3F@Db.Example.com:6000/my%20app?schema=crm");
    assert_eq!((url.user(), url.host(), url.port(), url.database()), ("al@ice", "db.example.com", 6000, "my app"));
    assert_eq!(url.password.as_deref(), Some("p/w?"));
    assert_eq!(url.schema(), Some("crm"));
}

#[test]
fn every_alias_of_the_scheme_is_postgresql() {
    for scheme in ["postgres", "postgresql", "neon", "PostgreSQL"] {
        assert_eq!(url(&format!(" {scheme}://u:p@h/d\n")).expose(), "postgresql://u:p@h:5432/d");
    }
}

#[test]
fn a_plus_and_a_lonely_percent_sign_in_a_password_are_themselves() {
    assert_eq!(url("postgres://u:a+b%zz%+5@h/d").password.as_deref(), Some("a+b%zz%+5"));
}

#[test]
fn a_socket_is_named_as_prisma_or_as_libpq_does() {
    for text in ["postgres://u@localhost/d?host=/run/pg", "postgres://u@%2Frun%2Fpg/d", "postgres://u@/d?host=/run/pg"]
    {
        let url = url(text);
        assert_eq!((url.host(), url.is_loopback()), ("/run/pg", true), "{text}");
        assert_eq!(url.to_string(), "postgresql://u@/run/pg:5432/d");
        assert_eq!(url.expose(), "postgresql://u@localhost:5432/d?host=%2Frun%2Fpg");
    }
}

#[test]
fn an_ipv6_address_has_brackets_in_the_url_and_nowhere_else() {
    let url = url("postgres://u:p@[::1]:5433/d");
    assert_eq!((url.host(), url.is_loopback()), ("::1", true));
    assert_eq!(url.expose(), "postgresql://u:p@[::1]:5433/d");
    assert_eq!(url.to_string(), "postgresql://u:****@[::1]:5433/d");
}

#[test]
fn parameters_of_libpq_override_the_parts() {
    let url = url("postgres://h?user=u&password=p&dbname=d&port=1&host=other");
    assert_eq!(url.expose(), "postgresql://u:p@other:1/d");
}

#[test]
fn an_empty_url_is_an_error_of_its_own() {
    assert_eq!(error("  "), UrlError::Empty);
    assert_eq!(error("").exit(), Exit::Usage);
}

#[test]
fn other_databases_and_proxies_are_named() {
    assert_eq!(error("mysql://u:p@h/d"), UrlError::Scheme("mysql"));
    assert_eq!(error("prisma+postgres://accelerate.example/?api_key=s"), UrlError::Scheme("prisma+postgres"));
    assert!(error("prisma://x").hint().unwrap().contains("DIRECT_URL"));
    assert_eq!(error("jdbc:postgresql://h/d"), UrlError::Scheme("jdbc"));
    assert_eq!(error("hunter2:really"), UrlError::UnknownScheme);
}

#[test]
fn a_role_a_host_and_a_database_are_needed() {
    assert_eq!(error("postgres://h/d"), UrlError::Missing("role"));
    assert_eq!(error("postgres://u@h"), UrlError::Missing("database"));
    assert_eq!(error("postgres://u@h/"), UrlError::Missing("database"));
    assert_eq!(error("postgres://u@/d"), UrlError::Missing("host"));
}

#[test]
fn an_unescaped_password_is_recognised() {
    for password in ["pa/ss", "pa#ss", "pa?ss", "12/ss@x", "p@12/x"] {
        let text = format!("postgres://u:{password}@h/d");
        assert!(matches!(error(&text), UrlError::Unescaped | UrlError::Missing("role")), "{text}: {:?}", error(&text));
    }
}

#[test]
fn values_that_cannot_be_are_errors_that_do_not_quote_them() {
    assert!(matches!(error("postgres://u@h/d?sslmode=of"), UrlError::Parameter { name: "sslmode", .. }));
    assert!(matches!(error("postgres://u@h/d?connect_timeout=x"), UrlError::Parameter { name: "connect_timeout", .. }));
    assert_eq!(error("postgres://u@h/d?sslidentity=c.p12"), UrlError::Unsupported("sslidentity"));
}

#[test]
fn parameters_that_mean_nothing_are_listed_by_name() {
    let url = url("postgres://u@h/d?pgbouncer=true&conect_timeout=3&schema=public&channel_binding=require&a.b=c");
    assert_eq!(url.ignored_parameters(), ["conect_timeout", "(no plain name)"]);
}

#[test]
fn the_rest_of_a_password_is_no_parameter_to_name() {
    for rest in ["hunter2", "hunter2=x", "hunter"] {
        let url = url(&format!("postgres://h/d?user=u&password=a&{rest}"));
        assert_eq!(url.ignored_parameters(), ["(no plain name)"], "{rest}");
    }
}

#[test]
fn an_empty_password_is_none() {
    assert_eq!(url("postgres://h/d?user=u&password="), url("postgres://u@h/d"));
}

#[test]
fn a_pooler_is_suspected_by_parameter_host_or_port() {
    assert!(url("postgres://u@h/d?pgbouncer=true").pooler_hint().is_some());
    assert!(url("postgres://u@ep-cool-1-pooler.eu.aws.neon.tech/d").pooler_hint().is_some());
    assert!(url("postgres://u@h:6543/d").pooler_hint().is_some());
    assert!(url("postgres://u@h:6432/d").pooler_hint().is_some());
    assert_eq!(url("postgres://u@ep-cool-1.eu.aws.neon.tech/d?pgbouncer=false").pooler_hint(), None);
}

#[test]
fn a_remote_server_must_prove_who_it_is() {
    for parameters in ["", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-ca", "?sslmode=verify-full"] {
        let url = url(&format!("postgres://u@db.example.com/d{parameters}"));
        assert_eq!(url.tls(false), Ok(Tls::VerifyFull), "{parameters}");
        assert_eq!(url.tls(true), Ok(Tls::Unverified), "{parameters}");
    }
    let private = url("postgres://u@db.example.com/d?sslmode=verify-ca&sslrootcert=ca.pem");
    assert_eq!(private.tls(false), Ok(Tls::VerifyCa));
}

#[test]
fn plain_text_to_another_machine_is_refused() {
    let url = url("postgres://u@10.0.0.5/d?sslmode=disable");
    assert_eq!(url.tls(false), Err(UrlError::PlainText));
    assert_eq!(UrlError::PlainText.exit(), Exit::Refused);
    assert!(UrlError::PlainText.hint().unwrap().contains("--tls-no-verify"));
    assert_eq!(url.tls(true), Ok(Tls::Off));
}

#[test]
fn on_this_machine_the_url_decides() {
    for (host, parameters, tls) in [
        ("localhost", "", Tls::Preferred),
        ("127.0.0.2", "?sslmode=disable", Tls::Off),
        ("app.localhost", "?sslmode=require", Tls::Unverified),
        ("[::ffff:127.0.0.1]", "?sslmode=verify-full", Tls::VerifyFull),
    ] {
        assert_eq!(url(&format!("postgres://u@{host}/d{parameters}")).tls(false), Ok(tls), "{host}{parameters}");
    }
    assert!(!url("postgres://u@localhost.example.com/d").is_loopback());
}

#[test]
fn another_database_or_role_keeps_the_rest() {
    let url = url("postgres://u:p@h:1/d?schema=s");
    assert_eq!(url.with_database("a/b").expose(), "postgresql://u:p@h:1/a%2Fb?schema=s");
    assert_eq!(url.with_user("x@y", Some("s:t")).expose(), "postgresql://x%40y:s%3At@h:1/d?schema=s");
    assert_eq!(url.with_user("x", None).expose(), "postgresql://x@h:1/d?schema=s");
}

#[test]
fn options_are_split_as_the_server_does() {
    let pairs = settings_in(r"-c a=1 -cb=2 --c=x\ y\\z endpoint=ep -c");
    let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(pairs, [("a", "1"), ("b", "2"), ("c", r"x y\z")]);
}

/// A password that is not in any other part of a test's URL.
const MARK: &str = "hunter2";

/// Everything that people can see of a URL.
fn shown(text: &str) -> String {
    match DatabaseUrl::parse(text) {
        Ok(url) => {
            let ignored = url.ignored_parameters();
            format!("{url} {url:?} {url:#?} {:?} {ignored:?} {:?}", url.tls(false), url.pooler_hint())
        }
        Err(error) => format!("{error} {error:?} {:?}", error.hint()),
    }
}

proptest! {
    #[test]
    fn the_text_of_a_url_reads_back_as_the_same_url(
        user in "[^\0]{1,12}", password in proptest::option::of("[^\0]{1,12}"), database in "[^\0.]{1,12}",
        value in "[^\0]{0,12}", socket in any::<bool>(), port in 1u16..,
    ) {
        let at = if socket { "x?host=/tmp/my%20socket" } else { "x" };
        let start = url(&format!("postgres://u@h:{port}/{at}"));
        let mut url = start.with_user(&user, password.as_deref()).with_database(&database);
        url.parameters.push(("application_name".to_owned(), value));
        let url = url.rewritten();
        prop_assert_eq!(DatabaseUrl::parse(url.expose()).unwrap(), url);
    }

    #[test]
    fn an_unescaped_password_is_never_shown(
        scheme in "(postgres|neon|mysql|prisma|x)?(://|:|)",
        before in "[a-z0-9%:/?#@&=+ \\[\\]\"'-]{0,12}", after in "[a-z0-9%:/?#@&=+ -]{0,6}",
        rest in "@[a-z]{1,3}(:[0-9]{1,3})?/[a-z]{1,3}(\\?[a-z]{1,3}=x)?",
    ) {
        let shown = shown(&format!("{scheme}u:{before}{MARK}{after}{rest}"));
        prop_assert!(!shown.contains(MARK), "{}", shown);
    }

    #[test]
    fn no_error_quotes_the_url(text in "(postgres://)?\\PC{0,8}hunter2\\PC{0,8}") {
        if DatabaseUrl::parse(&text).is_err() {
            prop_assert!(!shown(&text).contains(MARK));
        }
    }

    #[test]
    fn a_well_formed_password_is_never_shown(password in "\\PC{0,20}", parameter in "\\PC{0,20}") {
        let url = url("postgres://u@h/d").with_user("u", Some(&format!("{password}{MARK}")));
        let text = format!("{}?api_key={MARK}&x={}{MARK}", url.expose(), parameter.replace(['#', '@', '&'], ""));
        prop_assert!(!shown(&text).contains(MARK));
    }
}
