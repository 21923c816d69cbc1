//! Reads one record of the application, of a platform around it, or of the server's `jsonlog`, and only what matters of it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use tenancy_config::tenancy::LogSection;

/// Where platforms put the line of an application, each as a text in an object of their own.
const WRAPPERS: [&str; 8] = ["log", "message", "MESSAGE", "@message", "line", "text", "textPayload", "msg"];
/// Where they put the time.
const TIMES: [&str; 6] = ["time", "ts", "timestamp", "@timestamp", "__REALTIME_TIMESTAMP", "eventTime"];

type Text<'a> = Option<Cow<'a, str>>;

/// The fields of a record.
#[derive(Debug, Default)]
pub(crate) struct Record<'a> {
    pub(crate) time: Text<'a>,
    pub(crate) message: Text<'a>,
    pub(crate) path: Text<'a>,
    pub(crate) tenant: Text<'a>,
    pub(crate) slug: Text<'a>,
    pub(crate) expected: Text<'a>,
    pub(crate) model: Text<'a>,
    pub(crate) request: Text<'a>,
    /// The text in which a platform has put the line of the application.
    pub(crate) wrapped: Text<'a>,
    /// The time that the platform gave it.
    pub(crate) wrapped_at: Text<'a>,
    /// `jsonlog`: the SQLSTATE, and how bad it is.
    pub(crate) sqlstate: Text<'a>,
    pub(crate) severity: Text<'a>,
}

/// Why there is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRecord {
    /// The text ends in the middle.
    Cut,
    /// It is no JSON.
    NotJson,
}

/// Reads the object that a text begins with; with it, where in the text it ends.
///
/// # Errors
/// There is none.
pub(crate) fn record<'a>(text: &'a str, fields: &LogSection) -> Result<(Record<'a>, usize), NoRecord> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut record = Record::default();
    let object = Object { fields, into: &mut record, in_context: false };
    if let Err(error) = object.deserialize(&mut json) {
        return Err(if error.is_eof() { NoRecord::Cut } else { NoRecord::NotJson });
    }
    if json.end().is_ok() {
        return Ok((record, text.len()));
    }
    // Seldom: something follows it in the same line.
    let mut objects = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    objects.next();
    Ok((record, objects.byte_offset().max(1)))
}

/// Reads an object into the record. Values of no other form than text matter.
struct Object<'c, 'r, 'a> {
    fields: &'c LogSection,
    into: &'r mut Record<'a>,
    in_context: bool,
}

impl<'a> DeserializeSeed<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        // A context that is no object has no fields.
        from.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { fields, into, in_context } = self;
        while let Some(key) = map.next_key_seed(AnyText)? {
            let key = key.unwrap_or_default();
            let key = &*key;
            if !in_context && *key == *fields.context {
                map.next_value_seed(Object { fields, into, in_context: true })?;
            } else if let Some(slot) = slot(into, fields, key, in_context) {
                let value = map.next_value_seed(AnyText)?;
                // What stands beside the message must not replace what the context says, and an empty value nothing.
                if in_context || slot.is_none() {
                    *slot = value.filter(|value| !value.is_empty());
                }
            } else if !in_context && WRAPPERS.contains(&key) {
                into.wrapped = map.next_value_seed(AnyText)?;
            } else if !in_context && TIMES.contains(&key) {
                into.wrapped_at = map.next_value_seed(AnyText)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Where the value of a key belongs.
fn slot<'r, 'a>(
    record: &'r mut Record<'a>,
    fields: &LogSection,
    key: &str,
    in_context: bool,
) -> Option<&'r mut Text<'a>> {
    let slot = match key {
        key if !in_context && *key == *fields.message => &mut record.message,
        key if !in_context && *key == *fields.timestamp => &mut record.time,
        key if *key == *fields.pathname => &mut record.path,
        key if *key == *fields.tenant => &mut record.tenant,
        key if *key == *fields.tenant_slug => &mut record.slug,
        key if *key == *fields.expected_tenant => &mut record.expected,
        key if *key == *fields.model => &mut record.model,
        key if *key == *fields.request_id => &mut record.request,
        "state_code" if !in_context => &mut record.sqlstate,
        "error_severity" if !in_context => &mut record.severity,
        _ => return None,
    };
    Some(slot)
}

/// A text, a number as text, or the first of a list; `None` for everything else.
struct AnyText;

impl<'a> DeserializeSeed<'a> for AnyText {
    type Value = Text<'a>;

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<Text<'a>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for AnyText {
    type Value = Text<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Text<'a>, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'a>, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Text<'a>, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Text<'a>, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Text<'a>, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Text<'a>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Text<'a>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut sequence: A) -> Result<Text<'a>, A::Error> {
        let first = sequence.next_element_seed(AnyText)?.flatten();
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Text<'a>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
