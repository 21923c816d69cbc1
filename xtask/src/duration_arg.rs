//! Durations as they are typed: `250ms`, `2s`, `5min`.

use std::time::Duration;

/// Reads a duration with its unit.
///
/// # Errors
/// No number, no unit, or a unit that is not one of `ms`, `s`, `min`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().map_err(|_| "write a number and its unit, such as 250ms or 2s".to_owned())?;
    let duration = match unit.trim() {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "min" => number.checked_mul(60).map(Duration::from_secs),
        "" => return Err(format!("{number} of what? write {number}ms or {number}s")),
        other => return Err(format!("`{other}` is no unit of time here; use ms, s or min")),
    };
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "it must be more than nothing, and less than an age".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_needs_its_unit() {
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("2 s"), Ok(Duration::from_secs(2)));
        assert_eq!(parse("5min"), Ok(Duration::from_secs(300)));
        for wrong in ["", "250", "0ms", "-1s", "2h", "ms", "99999999999999999999s", "18446744073709551615min"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
