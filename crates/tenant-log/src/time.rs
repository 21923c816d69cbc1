//! Reads the times that applications, platforms and servers write.

use chrono::NaiveDate;

/// Milliseconds since 1970, UTC.
pub(crate) type Millis = i64;

/// From 2000 to 2100. A time outside is a broken clock or no time at all.
const PLAUSIBLE: std::ops::Range<Millis> = 946_684_800_000..4_102_444_800_000;

/// How far into a line a prefix with a time is looked for.
const LONGEST_PREFIX: usize = 300;

/// A time that is the whole text: ISO 8601 with its zone, as PostgreSQL writes it, or a number since 1970.
pub(crate) fn read(text: &str) -> Option<Millis> {
    let text = text.trim();
    if text.len() < 64 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return since_1970(text);
    }
    dated(text.as_bytes())
}

/// The first time in what stands before a record.
pub(crate) fn find(prefix: &[u8]) -> Option<Millis> {
    let prefix = &prefix[..prefix.len().min(LONGEST_PREFIX)];
    memchr::memchr_iter(b'-', prefix).filter(|at| *at >= 4).find_map(|at| dated(&prefix[at - 4..]))
}

/// The unit follows from the size.
fn since_1970(text: &str) -> Option<Millis> {
    let number: f64 = text.parse().ok()?;
    let millis = match number {
        n if n < 1e11 => n * 1e3,
        n if n < 1e14 => n,
        n if n < 1e17 => n / 1e3,
        n => n / 1e6,
    };
    // A number of this size is an exact integer.
    PLAUSIBLE.contains(&(millis as Millis)).then_some(millis as Millis)
}

/// `2026-01-31T12:00:00.123Z`, `2026-01-31 12:00:00.123 UTC`, `2026-01-31 12:00:00,123+02:00` at the beginning of a text.
fn dated(text: &[u8]) -> Option<Millis> {
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to)?;
        digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
    };
    let is = |at: usize, allowed: &[u8]| text.get(at).is_some_and(|byte| allowed.contains(byte));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"T t") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(number(0, 4)?.try_into().ok()?, number(5, 7)?, number(8, 10)?)?;
    // A leap second is told as the second before it.
    let time = day.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?.min(59))?;
    let mut rest = &text[19..];
    let mut millis = 0;
    if let [b'.' | b',', digits @ ..] = rest {
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digit = |at: usize| if at < length { Millis::from(digits[at] - b'0') } else { 0 };
        millis = digit(0) * 100 + digit(1) * 10 + digit(2);
        rest = &digits[length..];
    }
    let time = time.and_utc().timestamp_millis() + millis - zone(rest)?;
    PLAUSIBLE.contains(&time).then_some(time)
}

/// How far the zone is ahead of UTC. Without a zone, or with one whose abbreviation several zones have, the time is not known.
fn zone(text: &[u8]) -> Option<Millis> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let hours = match text {
        [sign @ (b'+' | b'-'), digits @ ..] => {
            return offset(digits).map(|ahead| if *sign == b'+' { ahead } else { -ahead });
        }
        _ => {
            let length = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            match &text[..length] {
                b"Z" | b"z" | b"UTC" | b"GMT" | b"WET" => 0,
                b"CET" | b"WEST" => 1,
                b"CEST" | b"EET" => 2,
                b"EEST" => 3,
                b"JST" => 9,
                b"EDT" => -4,
                b"PDT" | b"MST" => -7,
                b"MDT" => -6,
                b"PST" => -8,
                _ => return None,
            }
        }
    };
    Some(hours * 3_600_000)
}

/// `02`, `0200` or `02:00`.
fn offset(text: &[u8]) -> Option<Millis> {
    let pair = |at: usize| match text.get(at..at + 2) {
        Some([a, b]) if a.is_ascii_digit() && b.is_ascii_digit() => Some(Millis::from((a - b'0') * 10 + (b - b'0'))),
        _ => None,
    };
    let hours = pair(0)?;
    let minutes = if text.get(2) == Some(&b':') { pair(3) } else { pair(2) };
    let minutes = minutes.unwrap_or(0);
    (hours < 16 && minutes < 60).then_some((hours * 60 + minutes) * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Millis = 1_769_860_800_000; // 2026-01-31T12:00:00Z

    #[test]
    fn times_are_read_as_applications_platforms_and_servers_write_them() {
        for text in [
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00.000Z",
            "2026-01-31T12:00:00.000000000Z",
            "2026-01-31T14:00:00+02:00",
            "2026-01-31 12:00:00.000 UTC",
            "2026-01-31 13:00:00 CET",
            "2026-01-31 07:30:00,000-0430",
            "2026-01-31 14:00:00+02",
            "1769860800",
            "1769860800.000",
            "1769860800000",
            "1769860800000000",
            "1769860800000000000",
        ] {
            assert_eq!(read(text), Some(NOON), "{text}");
        }
        assert_eq!(read("2026-01-31T12:00:00.1234Z"), Some(NOON + 123));
        for line in
            ["host app[1]: 2026-01-31T12:00:00Z stdout F ", "a-b 2026-01-31 12:00:00 UTC:10.0.0.1(5432):u@d:[1]:"]
        {
            assert_eq!(find(line.as_bytes()), Some(NOON), "{line}");
        }
    }

    #[test]
    fn what_is_no_moment_is_not_guessed() {
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31 12:00:00 IST",
            "2026-02-31T12:00:00Z",
            "1926-01-31T12:00:00Z",
            "2026-01-31T25:00:00Z",
            "12",
            "99999999999999999999999999",
            "....",
            "Jan 31 12:00:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
