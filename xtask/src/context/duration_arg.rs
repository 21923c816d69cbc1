//! Durations on the command line: `250ms`, `2s`, `5min`, `12h`, `7d`.

use std::time::Duration;

/// Reads a duration with its unit.
///
/// # Errors
/// No number, no unit, or a unit that is not one of `ms`, `s`, `min`, `h`, `d`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().map_err(|_| "write a number and its unit, such as 250ms or 2s".to_owned())?;
    let duration = match unit.trim() {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "min" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(60 * 60).map(Duration::from_secs),
        "d" => number.checked_mul(24 * 60 * 60).map(Duration::from_secs),
        "" => return Err(format!("{number} of what? write {number}ms or {number}s")),
        other => return Err(format!("`{other}` is no unit of time here; use ms, s, min, h or d")),
    };
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "it must be more than nothing, and less than an age".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_understood() {
        assert_eq!(parse("12h"), Ok(Duration::from_secs(12 * 3600)));
        assert_eq!(parse("7d"), Ok(Duration::from_secs(7 * 24 * 3600)));
    }

    #[test]
    fn a_number_needs_its_unit() {
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("2 s"), Ok(Duration::from_secs(2)));
        assert_eq!(parse("5min"), Ok(Duration::from_secs(300)));
        for wrong in [
            "",
            "250",
            "0ms",
            "-1s",
            "2w",
            "ms",
            "99999999999999999999s",
            "18446744073709551615min",
            "18446744073709551615d",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
