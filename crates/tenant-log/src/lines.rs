//! Lines of a stream, in constant memory.

use std::io::{self, Read};
use std::ops::Range;

/// The longest line that is read. The rest of the file is read after a longer one.
pub(crate) const LONGEST: usize = 1 << 20;
/// How much is read at once.
const CHUNK: usize = 1 << 18;
/// How much of a line that is skipped is shown twice, so that no words are cut in two.
pub(crate) const OVERLAP: usize = 512;

/// Cuts a stream into lines.
pub(crate) struct Lines<R> {
    inner: R,
    buffer: Vec<u8>,
    /// What is in the buffer and not yet given out.
    filled: Range<usize>,
    ended: bool,
    /// What was read so far.
    pub(crate) bytes: u64,
}

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'b> {
    /// Its bytes.
    Whole(&'b [u8]),
    /// It was longer than [`LONGEST`].
    TooLong,
}

enum Found {
    Line(Range<usize>),
    TooLong,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, buffer: vec![0; LONGEST + CHUNK], filled: 0..0, ended: false, bytes: 0 }
    }

    /// The next line. What is skipped of one that is too long is shown in pieces.
    ///
    /// # Errors
    /// The stream cannot be read on.
    pub(crate) fn next(&mut self, skipped: &mut dyn FnMut(&[u8])) -> io::Result<Option<Line<'_>>> {
        Ok(self.find(skipped)?.map(|found| match found {
            Found::TooLong => Line::TooLong,
            Found::Line(range) => {
                let line = &self.buffer[range];
                Line::Whole(line.strip_suffix(b"\r").unwrap_or(line))
            }
        }))
    }

    fn find(&mut self, skipped: &mut dyn FnMut(&[u8])) -> io::Result<Option<Found>> {
        let mut searched = 0;
        loop {
            let waiting = &self.buffer[self.filled.clone()];
            if let Some(at) = memchr::memchr(b'\n', &waiting[searched..]) {
                let end = self.filled.start + searched + at;
                let line = self.filled.start..end;
                self.filled.start = end + 1;
                if line.len() <= LONGEST {
                    return Ok(Some(Found::Line(line)));
                }
                skipped(&self.buffer[line]);
                return Ok(Some(Found::TooLong));
            }
            searched = waiting.len();
            if searched > LONGEST {
                self.skip_line(skipped)?;
                return Ok(Some(Found::TooLong));
            }
            if self.ended {
                let line = std::mem::replace(&mut self.filled, 0..0);
                return Ok((!line.is_empty()).then_some(Found::Line(line)));
            }
            self.fill()?;
        }
    }

    /// Reads until the line is over, and keeps nothing of it.
    fn skip_line(&mut self, skipped: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        loop {
            skipped(&self.buffer[self.filled.clone()]);
            if self.ended {
                self.filled = 0..0;
                return Ok(());
            }
            self.filled.start = self.filled.end.saturating_sub(OVERLAP).max(self.filled.start);
            let known = self.filled.len();
            self.fill()?;
            let begin = self.filled.start + known;
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[begin..self.filled.end]) {
                skipped(&self.buffer[self.filled.start..begin + at]);
                self.filled.start = begin + at + 1;
                return Ok(());
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.buffer.len() - self.filled.end < CHUNK {
            self.buffer.copy_within(self.filled.clone(), 0);
            self.filled = 0..self.filled.len();
        }
        let end = (self.filled.end + CHUNK).min(self.buffer.len());
        loop {
            match self.inner.read(&mut self.buffer[self.filled.end..end]) {
                Ok(0) => self.ended = true,
                Ok(read) => {
                    self.filled.end += read;
                    self.bytes += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes at a time.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(into.len());
            into[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn all(text: &[u8], at_once: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(Slowly(text, at_once));
        let mut found = Vec::new();
        while let Some(line) = lines.next(&mut |_| ()).unwrap() {
            found.push(match line {
                Line::Whole(line) => Some(line.to_owned()),
                Line::TooLong => None,
            });
        }
        found
    }

    proptest! {
        #[test]
        fn every_line_comes_once_and_in_order(text in "[ab\r\n]{0,40}", at_once in 1usize..9) {
            let whole: Vec<_> = text.split('\n').map(|line| Some(line.strip_suffix('\r').unwrap_or(line).as_bytes().to_vec())).collect();
            let last_is_empty = text.is_empty() || text.ends_with('\n');
            let expected = &whole[..whole.len() - usize::from(last_is_empty)];
            prop_assert_eq!(all(text.as_bytes(), at_once), expected);
        }
    }

    #[test]
    fn a_line_of_ten_megabytes_is_skipped_and_the_next_one_read() {
        let text = [b"one\n".to_vec(), vec![b'x'; 10 << 20], b"\ntwo\n".to_vec(), vec![b'y'; LONGEST], b"\n".to_vec()]
            .concat();
        let found = all(&text, 100_000);
        assert_eq!(found.len(), 4);
        assert_eq!(
            (found[0].as_deref(), &found[1], found[2].as_deref()),
            (Some(&b"one"[..]), &None, Some(&b"two"[..]))
        );
        assert_eq!(found[3].as_ref().map(Vec::len), Some(LONGEST));
        assert_eq!(all(&vec![b'x'; 3 << 20], 100_000), [None], "also if it is the last one");
    }

    #[test]
    fn what_is_skipped_is_shown_with_no_word_cut_in_two() {
        for words in (0..700).step_by(9).map(|at| LONGEST + CHUNK - 350 + at) {
            let mut text = vec![b'x'; LONGEST + 2 * CHUNK];
            text[words..words + 4].copy_from_slice(b"word");
            let mut seen = false;
            let mut lines = Lines::new(&text[..]);
            let line = lines.next(&mut |piece| seen |= memchr::memmem::find(piece, b"word").is_some()).unwrap();
            assert!(seen && line == Some(Line::TooLong), "{words}");
        }
    }
}
