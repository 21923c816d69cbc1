//! A browser between `Set-Cookie:` lines and the header `Cookie:` of the next request (RFC 6265bis): what it keeps, replaces and drops.

/// The attributes of a cookie.
const ATTRIBUTES: [&str; 9] =
    ["path", "expires", "max-age", "domain", "httponly", "secure", "samesite", "partitioned", "priority"];

/// The most bytes of a name and its value that browsers keep.
const LARGEST: usize = 4096;

/// A cookie that was set and that no browser sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) name: String,
    /// The reason, as the second half of a sentence.
    pub(crate) why: String,
}

/// Whether a line is a cookie with attributes, as `Set-Cookie:` has them.
pub(crate) fn has_attributes(line: &str) -> bool {
    let mut rest = line.split(';').skip(1).map(str::trim).filter(|part| !part.is_empty()).peekable();
    let known = |part: &str| ATTRIBUTES.contains(&part.split('=').next().unwrap_or_default().to_lowercase().as_str());
    rest.peek().is_some() && rest.all(known)
}

/// The header that a browser sends after these lines, and what it does not send. `now` is in seconds since 1970.
pub(crate) fn send(lines: &[&str], now: u64) -> (String, Vec<Lost>) {
    let mut kept: Vec<(String, String)> = Vec::new();
    let mut lost: Vec<Lost> = Vec::new();
    for line in lines {
        let mut parts = line.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
        let (name, value) = (name.trim(), value.trim());
        let attributes: Vec<(String, &str)> = parts.map(attribute).collect();
        if let Some(why) = refused(name, value, &attributes) {
            lost.push(Lost { name: name.to_owned(), why });
            continue;
        }
        lost.retain(|lost| lost.name != name);
        let place = kept.iter().position(|(known, _)| known == name);
        match (over(&attributes, now), place) {
            (Some(why), place) => {
                place.map(|at| kept.remove(at));
                lost.push(Lost { name: name.to_owned(), why });
            }
            (None, Some(at)) => value.clone_into(&mut kept[at].1),
            (None, None) => kept.push((name.to_owned(), value.to_owned())),
        }
    }
    (kept.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; "), lost)
}

fn attribute(part: &str) -> (String, &str) {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    (name.trim().to_lowercase(), value.trim())
}

/// Why a browser does not take a cookie at all.
fn refused(name: &str, value: &str, attributes: &[(String, &str)]) -> Option<String> {
    let last = |wanted: &str| attributes.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| *value);
    let secure = last("secure").is_some();
    let prefixed = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if name.len() + value.len() > LARGEST {
        return Some(format!("name and value have {} bytes, and browsers keep 4,096", name.len() + value.len()));
    }
    if prefixed("__Secure-") && !secure {
        return Some("a name with `__Secure-` needs the attribute Secure".to_owned());
    }
    let bound = secure && last("path") == Some("/") && last("domain").is_none_or(str::is_empty);
    (prefixed("__Host-") && !bound).then(|| "a name with `__Host-` needs Secure and Path=/, and no Domain".to_owned())
}

/// Why a cookie ends at once: `Max-Age` counts more than `Expires`, and of several the last.
fn over(attributes: &[(String, &str)], now: u64) -> Option<String> {
    let all = |wanted: &'static str| attributes.iter().rev().filter(move |(name, _)| name == wanted);
    let number = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| !text.starts_with('-') && digits.bytes().any(|byte| byte != b'0'))
    };
    if let Some(lives) = all("max-age").find_map(|(_, value)| number(value)) {
        return (!lives).then(|| "Max-Age deletes it".to_owned());
    }
    let expires = all("expires").find_map(|(_, value)| date(value))?;
    (expires <= i128::from(now)).then(|| "its Expires has passed, which deletes it".to_owned())
}

/// A date as browsers read it: day, month, year and time, in any order (RFC 6265bis, section 5.1.1). In seconds since 1970.
fn date(text: &str) -> Option<i128> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':').filter(|token| !token.is_empty()) {
        let numbers: Option<Vec<i128>> = token.split(':').map(|part| part.parse().ok()).collect();
        match (numbers.as_deref(), token.len()) {
            (Some([h, m, s]), _) if time.is_none() => time = Some(h * 3600 + m * 60 + s),
            (Some([n]), length) if length <= 2 && day.is_none() => day = Some(*n),
            (Some([n]), length) if (2..=4).contains(&length) && year.is_none() => year = Some(*n),
            (None, _) if month.is_none() => {
                let start = token.get(..3).map(str::to_lowercase);
                month = MONTHS.iter().position(|month| start.as_deref() == Some(month));
            }
            _ => {}
        }
    }
    let (day, month, year) = (day?, month? as i128 + 1, year?);
    let year = if year < 70 {
        year + 2000
    } else if year < 100 {
        year + 1900
    } else {
        year
    };
    // Days since 1970 in the Gregorian calendar, counted in years that begin in March.
    let shifted = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year - 719_468;
    Some(days * 86_400 + time?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_from_1970() {
        assert_eq!(date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(date("Tue, 14 Nov 2023 22:13:20 GMT"), Some(1_700_000_000));
        assert_eq!(date("Tue, 14-Nov-23 22:13:20 GMT"), Some(1_700_000_000));
        assert_eq!(date("soon"), None);
    }

    #[test]
    fn a_browser_replaces_deletes_and_refuses() {
        for (lines, header, lost) in [
            (&["a=1; Path=/", "a=2; Path=/"][..], "a=2", &[][..]),
            (&["a=1", "b=2", "a=; Max-Age=0"], "b=2", &["a"]),
            (&["a=1; Max-Age=0; Max-Age=9"], "a=1", &[]),
            (&["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], "", &["a"]),
            (&["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60"], "a=1", &[]),
            (&["a=; Max-Age=0", "a=3"], "a=3", &[]),
            (&["__Secure-a=1; Path=/"], "", &["__Secure-a"]),
            (&["__Secure-a=1; Secure"], "__Secure-a=1", &[]),
            (&["__Host-a=1; Secure; Path=/x"], "", &["__Host-a"]),
            (&["__Host-a=1; Secure; Path=/"], "__Host-a=1", &[]),
        ] {
            let (sent, gone) = send(lines, 1_700_000_000);
            let gone: Vec<&str> = gone.iter().map(|lost| lost.name.as_str()).collect();
            assert_eq!((sent.as_str(), &gone[..]), (header, lost), "{lines:?}");
        }
        assert_eq!(send(&[&format!("a={}", "x".repeat(4096))], 0).1.len(), 1);
    }
}
