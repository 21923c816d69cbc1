//! Turns a valid example into an input that somebody may give us: by accident, in an attack, from a broken disk.

use crate::random::Random;
use crate::secrets;

/// Texts that have broken parsers before.
const HOSTILE: [&[u8]; 40] = [
    b"\0",
    b"\xff\xfe",
    b"\xc3\x28",
    b"\xed\xa0\x80", // half of a surrogate pair
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\x1b[2J\x1b]0;title\x07",
    b"\x7f\x08\x08",
    "\u{202e}\u{2066}".as_bytes(),
    "\u{2028}\u{2029}\u{85}".as_bytes(),
    "e\u{301}\u{301}\u{301}\u{301}\u{200d}".as_bytes(),
    "𝕬日🦀ß\u{130}".as_bytes(),
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\t",
    b"\"",
    b"\"\"\"",
    b"'''",
    b"`",
    b"\\",
    b"\\u0000\\ud800",
    b"%00%ff%zz%",
    b"=cmd|' /C calc'!A0",
    b"@SUM(1+1)",
    b"\n::error::injected",
    b"../../../../etc/passwd",
    b"${A:-${A}}$A\\$",
    b"'; DROP TABLE bookings; --",
    b"$1",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551616",
    b"-1",
    b"-9223372036854775809",
    b"1e999",
    b"0x_",
    b"99999-13-45T99:99:99",
    b"nan",
    b"1970-01-01",
];

/// Longer than anything that a reader takes in one piece. Without a limit, repeating a long line again and again would
/// fill the memory.
const LONGEST: usize = 3 << 20;

/// Characters that enclose or separate.
const MARKS: &[u8] = b"\"'`[]{}()<>,;:=.@/?#&%$|\\ \t\r\n-_*+!0";

/// A mutated input, made from `examples`. `words` are the names that mean something in this kind of input.
pub(crate) fn mutated(random: &mut Random, examples: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut input = random.one_of(examples).clone();
    for _ in 0..=random.below(4) {
        once(random, &mut input, examples, words);
        input.truncate(LONGEST);
    }
    input
}

fn once(random: &mut Random, input: &mut Vec<u8>, examples: &[Vec<u8>], words: &[&str]) {
    let length = input.len();
    match random.below(16) {
        0 if length > 0 => {
            let at = random.below(length);
            input[at] ^= 1 << random.below(8);
        }
        1 => put(random, input, &[*random.clone().one_of(MARKS)]),
        2 => {
            let (start, end) = random.part(length, 40);
            input.drain(start..end);
        }
        3 => input.truncate(random.below(length + 1)),
        4 => {
            let (start, end) = random.part(length, 400);
            let part = input[start..end].to_vec();
            let times = 1 + random.below(3);
            put(random, input, &part.repeat(times));
        }
        5 => swap_tokens(random, input),
        6 if !words.is_empty() => {
            let word = random.one_of(words).as_bytes().to_vec();
            replace_token(random, input, &word);
        }
        7 => {
            let secret = secrets::in_an_odd_place(random);
            replace_token(random, input, secret.as_bytes());
        }
        8 => {
            let secret = secrets::in_an_odd_place(random);
            put(random, input, secret.as_bytes());
        }
        9 => replace_number(random, input),
        10 => nest(random, input),
        11 => repeat_line(random, input),
        12 => {
            let other = random.one_of(examples).clone();
            let (start, end) = random.part(other.len(), 2_000);
            put(random, input, &other[start..end]);
        }
        13 if random.once_in(8) => *input = in_utf_16(input),
        14 if random.once_in(8) => {
            let long = random.one_of(&HOSTILE).repeat(1 + random.below(20_000));
            put(random, input, &long);
        }
        15 => {
            let hostile = *random.one_of(&HOSTILE);
            replace_token(random, input, hostile);
        }
        _ => {
            let hostile = *random.one_of(&HOSTILE);
            put(random, input, hostile);
        }
    }
}

/// Inserts bytes at a random place.
fn put(random: &mut Random, input: &mut Vec<u8>, bytes: &[u8]) {
    let at = random.below(input.len() + 1);
    input.splice(at..at, bytes.iter().copied());
}

/// The places where words, numbers and names begin and end.
fn tokens(input: &[u8]) -> Vec<(usize, usize)> {
    let (mut found, mut start) = (Vec::new(), None);
    for (at, byte) in input.iter().enumerate() {
        match (MARKS.contains(byte), start) {
            (false, None) => start = Some(at),
            (true, Some(begun)) => {
                found.push((begun, at));
                start = None;
            }
            _ => {}
        }
    }
    found.extend(start.map(|begun| (begun, input.len())));
    found
}

fn swap_tokens(random: &mut Random, input: &mut Vec<u8>) {
    let tokens = tokens(input);
    if tokens.len() < 2 {
        return;
    }
    let (one, other) = (*random.one_of(&tokens), *random.one_of(&tokens));
    let (first, second) = if one.0 < other.0 { (one, other) } else { (other, one) };
    if first == second {
        return;
    }
    let (left, right) = (input[first.0..first.1].to_vec(), input[second.0..second.1].to_vec());
    input.splice(second.0..second.1, left);
    input.splice(first.0..first.1, right);
}

fn replace_token(random: &mut Random, input: &mut Vec<u8>, by: &[u8]) {
    let tokens = tokens(input);
    if tokens.is_empty() {
        return put(random, input, by);
    }
    let (start, end) = *random.one_of(&tokens);
    input.splice(start..end, by.iter().copied());
}

fn replace_number(random: &mut Random, input: &mut Vec<u8>) {
    let number = |(start, end): &(usize, usize)| input[*start..*end].iter().all(u8::is_ascii_digit);
    let numbers: Vec<_> = tokens(input).into_iter().filter(number).collect();
    if let Some(&(start, end)) = numbers.get(random.below(numbers.len())) {
        input.splice(start..end, random.one_of(&HOSTILE[30..]).iter().copied());
    }
}

fn nest(random: &mut Random, input: &mut Vec<u8>) {
    let (open, close) =
        *random.one_of(&[("[", "]"), ("{", "}"), ("{\"a\":", "}"), ("{a=", "}"), ("(", ")"), ("${", "}")]);
    let depth = *random.one_of(&[2, 30, 127, 500, 20_000]);
    let (start, end) = random.part(input.len(), 20);
    let inner = [open.repeat(depth).as_bytes(), &input[start..end], close.repeat(depth).as_bytes()].concat();
    input.splice(start..end, inner);
}

fn repeat_line(random: &mut Random, input: &mut Vec<u8>) {
    let lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.is_empty() {
        return;
    }
    let line = random.one_of(&lines).repeat(*random.one_of(&[1, 2, 3, 200]));
    put(random, input, &line);
}

fn in_utf_16(input: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(input).into_owned();
    [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}
