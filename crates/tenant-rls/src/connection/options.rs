//! Turns a URL into the options that sqlx connects with.

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tenancy_config::environment;
use tenancy_config::url::{DatabaseUrl, Tls, UrlError};

/// The application name of sessions that were given none.
const APPLICATION: &str = "rowfence";

/// The options that sqlx connects with, set field by field, because sqlx itself logs the values of parameters that it
/// does not know.
///
/// sqlx fills fields that a URL leaves open from variables such as `PGPASSWORD`. So every field is set here, and if one
/// cannot be emptied, the variable is refused. Do not print the result: its `Debug` shows the password.
///
/// # Errors
/// [`UrlError::PlainText`]: the URL asks for an unencrypted connection to another machine. [`UrlError::Environment`]: a
/// variable of libpq would change the connection.
pub(crate) fn connect_options(url: &DatabaseUrl, tls_no_verify: bool) -> Result<PgConnectOptions, UrlError> {
    if let Some(variable) = environment::beyond_the_url() {
        return Err(UrlError::Environment(variable));
    }
    let mut options = PgConnectOptions::new_without_pgpass()
        .port(url.port())
        .username(url.user())
        .database(url.database())
        .password(url.expose_password().unwrap_or_default())
        .application_name(url.parameter("application_name").unwrap_or(APPLICATION))
        // The server's default has been precise since version 12, and PgBouncer refuses startup parameters that it does
        // not know.
        .extra_float_digits(None);
    let settings = url.server_settings();
    // PgBouncer refuses the parameter, even if it is empty.
    if !settings.is_empty() {
        options = options.options(settings);
    }
    options = match url.socket() {
        None => options.host(url.host()),
        // The host is set too, so that PGHOST is not used.
        Some(directory) => options.host("localhost").socket(directory),
    };
    let cache_off = url.parameter("statement_cache_size") == Some("0");
    if cache_off || url.pooler_hint().is_some() {
        options = options.statement_cache_capacity(0);
    }
    encrypted(url, url.tls(tls_no_verify)?, options)
}

fn encrypted(url: &DatabaseUrl, tls: Tls, options: PgConnectOptions) -> Result<PgConnectOptions, UrlError> {
    let mut options = options.ssl_mode(match tls {
        Tls::Off => PgSslMode::Disable,
        Tls::Preferred => PgSslMode::Prefer,
        Tls::Unverified => PgSslMode::Require,
        Tls::VerifyCa => PgSslMode::VerifyCa,
        Tls::VerifyFull => PgSslMode::VerifyFull,
    });
    if let Some(path) = url.root_certificate() {
        options = options.ssl_root_cert(path);
    }
    if let (Some(certificate), Some(key)) = (url.parameter("sslcert"), url.parameter("sslkey")) {
        options = options.ssl_client_cert(certificate).ssl_client_key(key);
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use tenancy_config::user_error::{Exit, UserError};

    use super::*;

    fn url(text: &str) -> DatabaseUrl {
        DatabaseUrl::parse(text).unwrap()
    }

    #[test]
    fn sqlx_gets_the_fields() {
        let url = url(
            "postgres://u:p@h:1/d?application_name=app&options=-c%20statement_timeout%3D5s%20--geqo%3Doff%20endpoint%3Dep-1",
        );
        let options = connect_options(&url, false).unwrap();
        assert_eq!((options.get_host(), options.get_port(), options.get_username()), ("h", 1, "u"));
        assert_eq!((options.get_database(), options.get_application_name()), (Some("d"), Some("app")));
        assert!(options.get_options().unwrap().ends_with("-c statement_timeout=5s -c geqo=off"));
    }

    #[test]
    fn statements_are_not_cached_behind_a_pooler() {
        let capacity = |text| format!("{:?}", connect_options(&url(text), false).unwrap());
        assert!(capacity("postgres://u@h/d?pgbouncer=true").contains("statement_cache_capacity: 0"));
        assert!(capacity("postgres://u@h/d?statement_cache_size=0").contains("statement_cache_capacity: 0"));
        assert!(capacity("postgres://u@h/d").contains("statement_cache_capacity: 100"));
    }

    #[test]
    fn prismas_sslcert_is_the_authority_and_libpqs_is_the_client() {
        let debug = |text| format!("{:?}", connect_options(&url(text), false).unwrap());
        let prisma = debug("postgres://u@h/d?sslcert=ca.pem&sslaccept=strict");
        assert!(prisma.contains(r#"ssl_root_cert: Some(File("ca.pem"))"#) && prisma.contains("ssl_client_cert: None"));
        let libpq = debug("postgres://u@h/d?sslcert=me.pem&sslkey=me.key&sslrootcert=system");
        assert!(libpq.contains(r#"ssl_client_cert: Some(File("me.pem"))"#) && libpq.contains("ssl_root_cert: None"));
    }

    #[test]
    fn what_sqlx_would_take_from_the_environment_is_refused() {
        const NAME: &str = "connection::options::tests::what_sqlx_would_take_from_the_environment_is_refused";
        let Some(variable) = environment::path("VARIABLE_OF_LIBPQ") else {
            for variable in ["PGOPTIONS", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"] {
                // In a process of its own, because all tests share the environment of this one.
                let mut child = std::process::Command::new(std::env::current_exe().unwrap());
                child.args(["--exact", NAME]).env("VARIABLE_OF_LIBPQ", variable).env(variable, "anything");
                let output = child.output().unwrap();
                assert!(output.status.success(), "{variable}: {output:?}");
                assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
            }
            return;
        };
        let error = connect_options(&url("postgres://u:p@h/d"), false).unwrap_err();
        assert!(error.to_string().contains(variable.to_str().unwrap()), "{error}");
        assert_eq!((error.exit(), error.hint().is_some()), (Exit::Usage, true));
    }
}
