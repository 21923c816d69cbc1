//! The expressions of indexes, as the catalog keeps them: `pg_node_tree` as text. The functions and operators in it have their oids there.

/// What an expression calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    /// Functions.
    pub(crate) functions: Vec<i64>,
    /// Operators.
    pub(crate) operators: Vec<i64>,
    /// Anything of which the server itself assumes that it may tell what it reads, by the name of its node.
    pub(crate) opaque: Vec<String>,
}

impl Calls {
    /// An expression that could not be found in the text.
    pub(crate) fn unread() -> Self {
        Self { opaque: vec!["expression".to_owned()], ..Self::default() }
    }
}

/// Nodes that call nothing. The server decides the same way, in `contain_leaked_vars`.
const QUIET: [&str; 19] = [
    "VAR",
    "CONST",
    "PARAM",
    "ARRAY",
    "ARRAYEXPR",
    "FIELDSELECT",
    "FIELDSTORE",
    "NAMEDARGEXPR",
    "BOOLEXPR",
    "RELABELTYPE",
    "COLLATE",
    "COLLATEEXPR",
    "CASE",
    "CASEEXPR",
    "WHEN",
    "CASEWHEN",
    "CASETESTEXPR",
    "NULLTEST",
    "BOOLEANTEST",
];

/// The expressions of an index, each with what it calls.
pub(crate) fn expressions(tree: &str) -> Vec<Calls> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let words: Vec<&str> = tree.split([' ', '(', ')']).filter(|word| !word.is_empty()).collect();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if let Some(tag) = word.strip_prefix('{') {
            if depth == 0 {
                found.push(Calls::default());
            }
            depth += 1;
            let calls = found.last_mut();
            let known = ["FUNCEXPR", "OPEXPR", "DISTINCTEXPR", "NULLIFEXPR", "SCALARARRAYOPEXPR"].contains(&tag);
            if let Some(calls) = calls.filter(|_| !known && !QUIET.contains(&tag)) {
                calls.opaque.push(tag.to_owned());
            }
        }
        if let (":funcid" | ":opno", Some(oid), Some(calls)) = (word, words.peek(), found.last_mut())
            && let Ok(oid) = oid.parse()
        {
            if word == ":funcid" { calls.functions.push(oid) } else { calls.operators.push(oid) }
        }
        // Braces in the bytes of a constant are not written as braces.
        depth = depth.saturating_sub(word.bytes().rev().take_while(|byte| *byte == b'}').count());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_expression_of_an_index_has_what_it_calls() {
        let tree = "({FUNCEXPR :funcid 870 :funcresulttype 25 :args ({RELABELTYPE :arg {VAR :varno 1} :resulttype 25}) :location 46} \
                    {OPEXPR :opno 3477 :opfuncid 3214 :args ({VAR :varno 1} {CONST :constvalue 8 [ 1 0 ]}) :location 70} \
                    {COALESCE :coalescetype 25 :args ({VAR :varno 1})})";
        let calls = |functions: &[i64], operators: &[i64], opaque: &[&str]| Calls {
            functions: functions.to_vec(),
            operators: operators.to_vec(),
            opaque: opaque.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        assert_eq!(
            expressions(tree),
            [calls(&[870], &[], &[]), calls(&[], &[3477], &[]), calls(&[], &[], &["COALESCE"])]
        );
    }
}
