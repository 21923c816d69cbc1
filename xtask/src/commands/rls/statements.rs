//! The statements that a prediction is about, as they are given on the command line.

use std::io::{IsTerminal, Read};
use std::path::Path;

use rls_predict::{Source, statements};
use tenancy_config::plain::plain;

use crate::context::command_error::{CommandError, OrFailed};
use crate::context::failure::CommandFailure;

/// Reads `1.5` or `1.5x`.
pub(super) fn times(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.strip_suffix(['x', 'X']).unwrap_or(text).parse().ok();
    number.filter(|times| (1.0..=1e6).contains(times)).ok_or_else(|| "a number from 1 on, such as 2 or 1.5x".to_owned())
}

/// The statements of a file, or of standard input.
pub(super) fn given(file: &Path) -> Result<Source, CommandFailure> {
    let is_stdin = file == Path::new("-");
    if is_stdin && std::io::stdin().is_terminal() {
        return Err(CommandError::usage(
            "standard input is a terminal, on which nobody types statements",
            "name a file, or pipe one into it",
        ));
    }
    let name = if is_stdin { "standard input".to_owned() } else { plain(file.display()) };
    let mut bytes = Vec::new();
    if is_stdin {
        std::io::stdin().lock().read_to_end(&mut bytes).or_failed(format!("{name} cannot be read"))?;
    } else {
        match std::fs::read(file) {
            Ok(read) => bytes = read,
            Err(error) => {
                return Err(CommandError::usage(
                    format!("{name} cannot be read: {error}"),
                    "name a file of SQL statements, separated by semicolons",
                ));
            }
        }
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| CommandError::usage(format!("{name} is not UTF-8"), "write it as UTF-8"))?;
    let found = statements(&text).map_err(|no_end| {
        CommandError::usage(format!("{name}, {no_end}"), "close it; statements are separated by semicolons")
    })?;
    if found.is_empty() {
        return Err(CommandError::usage(
            format!("{name} has no statement"),
            "a prediction needs the application's statements",
        ));
    }
    Ok(Source::Given(found))
}

#[cfg(test)]
mod tests {
    use super::times;

    #[test]
    fn times_are_numbers_from_one_on() {
        assert_eq!((times("2"), times("1.5x"), times("1")), (Ok(2.0), Ok(1.5), Ok(1.0)));
        for wrong in ["0.9", "x", "", "nan", "inf", "-2", "2xx"] {
            assert!(times(wrong).is_err(), "{wrong}");
        }
    }
}
