//! Numbers over time, as a row of blocks in a line of text.

/// From the least number that is not zero to the greatest.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A character for each number: a dot for nothing, else a block as high as the number is beside the greatest.
pub(crate) fn sparkline(numbers: &[u64]) -> String {
    let most = numbers.iter().copied().max().unwrap_or(0);
    let block = |number: u64| {
        let height = u128::from(number) * BLOCKS.len() as u128 / u128::from(most.max(1));
        usize::try_from(height).unwrap_or(0).saturating_sub(1).min(BLOCKS.len() - 1)
    };
    numbers.iter().map(|&number| if number == 0 { '·' } else { BLOCKS[block(number)] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_as_high_as_their_numbers_and_nothing_is_a_dot() {
        assert_eq!(sparkline(&[0, 1, 2, 4, 8]), "·▁▂▄█");
        assert_eq!(sparkline(&[1, 1_000_000]), "▁█", "one is not nothing");
        assert_eq!(sparkline(&[u64::MAX, 0]), "█·");
        assert_eq!(sparkline(&[0, 0]), "··");
        assert_eq!(sparkline(&[]), "");
    }
}
