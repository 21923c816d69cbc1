//! Text for people: sizes and lists.

/// A number of bytes, in the decimal units in which disks are sold.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let step = |(value, at): (f64, usize)| (value >= 1000.0 && at + 1 < UNITS.len()).then(|| (value / 1000.0, at + 1));
    let (value, at) = std::iter::successors(Some((bytes as f64, 0)), |so_far| step(*so_far)).last().unwrap_or_default();
    if at == 0 || value >= 10.0 { format!("{value:.0} {}", UNITS[at]) } else { format!("{value:.1} {}", UNITS[at]) }
}

/// Names with commas between them.
pub(crate) fn listed<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_have_the_unit_that_matters() {
        let cases =
            [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (399_000_000, "399 MB"), (1_500_000_000, "1.5 GB")];
        for (number, text) in cases {
            assert_eq!(bytes(number), text);
        }
    }
}
