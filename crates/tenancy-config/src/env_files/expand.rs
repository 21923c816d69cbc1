//! Expands `$NAME`, `${NAME}` and `${NAME:-default}` in values, as version 10 of `dotenv-expand` does, which is the one
//! in Next.js.

use std::collections::BTreeMap;

/// The most replacements in one value. If there are more, a variable refers to itself.
const MOST: usize = 100;

/// The longest value that references may make, in bytes. Linux gives a process no longer variable. Without a limit, ten
/// lines that each name the line before a hundred times would fill any memory.
const LONGEST: usize = 128 * 1024;

/// Expands the values of one file. A name is looked up in `better`, then in the file itself; `\$` is a plain `$`.
pub(super) fn expand(
    pairs: Vec<(String, String)>,
    better: &dyn Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let mut order = Vec::new();
    let mut values = BTreeMap::new();
    for (name, value) in pairs {
        if values.insert(name.clone(), value).is_none() {
            order.push(name);
        }
    }
    for name in order {
        let raw = better(&name).or_else(|| values.get(&name).cloned()).unwrap_or_default();
        let value = interpolate(raw, better, &values).replace("\\$", "$");
        values.insert(name, value);
    }
    values
}

fn interpolate(mut value: String, better: &dyn Fn(&str) -> Option<String>, own: &BTreeMap<String, String>) -> String {
    for _ in 0..MOST {
        let Some(reference) = last_reference(&value) else { break };
        let known = better(reference.name).filter(|value| !value.is_empty());
        let default = reference.default.filter(|value| !value.is_empty()).map(str::to_owned);
        let put = known.or(default).or_else(|| own.get(reference.name).cloned()).unwrap_or_default();
        if value.len() + put.len() > LONGEST {
            break;
        }
        let text = reference.text.to_owned();
        value = value.replacen(&text, &put, 1);
    }
    value
}

struct Reference<'a> {
    /// The whole reference, from `$` to the brace.
    text: &'a str,
    name: &'a str,
    default: Option<&'a str>,
}

/// The last `$` that is not escaped, if a name follows it.
fn last_reference(value: &str) -> Option<Reference<'_>> {
    let unescaped = |&(at, _): &(usize, &str)| !value[..at].ends_with('\\');
    let (start, _) = value.rmatch_indices('$').find(unescaped)?;
    let after = &value[start + 1..];
    let inner = after.strip_prefix('{').unwrap_or(after);
    let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
    let (name, mut rest) = inner.split_at(end);
    let mut default = None;
    if let Some(text) = rest.strip_prefix(":-") {
        let (found, behind) = text.split_at(text.find(['}', '\\']).unwrap_or(text.len()));
        (default, rest) = (Some(found), behind);
    }
    rest = rest.strip_prefix('}').unwrap_or(rest);
    (!name.is_empty()).then(|| Reference { text: &value[start..value.len() - rest.len()], name, default })
}
