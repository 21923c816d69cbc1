//! `[log]`: how the application writes its log, and which of its lines tell of tenant trouble.

use serde::{Deserialize, Serialize};

/// `[log]`: the fields of one JSON object a line. A field of the context is also found beside the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
    /// When it was written.
    pub timestamp: String,
    /// What happened.
    pub message: String,
    /// The object with the other fields. Empty if they stand beside the message.
    pub context: String,
    /// The request.
    pub request_id: String,
    /// The path that was requested.
    pub pathname: String,
    /// The tenant, by its key.
    pub tenant: String,
    /// The tenant, by its slug.
    pub tenant_slug: String,
    /// The tenant that a guard expected.
    pub expected_tenant: String,
    /// The model or table.
    pub model: String,
    /// The messages.
    pub messages: LogMessages,
}

/// `[log.messages]`: how the messages of each kind begin. An empty list: the application writes none of this kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogMessages {
    /// No tenant was found for a request.
    pub unresolved: Vec<String>,
    /// A query ran where no tenant was set.
    pub missing_context: Vec<String>,
    /// Another tenant was given than the one that was set.
    pub mismatch: Vec<String>,
    /// A query named no tenant.
    pub unscoped: Vec<String>,
    /// A request was served. A request may write each of them, but none of them twice.
    pub traffic: Vec<String>,
}

impl Default for LogSection {
    fn default() -> Self {
        Self {
            timestamp: "timestamp".into(),
            message: "message".into(),
            context: "context".into(),
            request_id: "requestId".into(),
            pathname: "pathname".into(),
            tenant: "tenantId".into(),
            tenant_slug: "tenantSlug".into(),
            expected_tenant: "expectedTenantId".into(),
            model: "model".into(),
            messages: LogMessages::default(),
        }
    }
}

impl LogMessages {
    /// None of any kind: nobody has said how the messages of the application begin.
    pub fn none() -> Self {
        let (unresolved, missing_context, mismatch) = (Vec::new(), Vec::new(), Vec::new());
        Self { unresolved, missing_context, mismatch, unscoped: Vec::new(), traffic: Vec::new() }
    }
}

impl Default for LogMessages {
    fn default() -> Self {
        let list = |messages: &[&str]| messages.iter().map(|&message| message.to_owned()).collect();
        Self {
            unresolved: list(&[
                "Middleware: tenant could not be resolved for incoming request",
                "Middleware error while resolving tenant",
            ]),
            missing_context: list(&["Tenant guard blocked operation due to missing tenant context"]),
            mismatch: list(&[
                "Tenant guard blocked tenant mismatch on create",
                "Tenant guard blocked tenant mismatch on mutation",
                "Tenant guard blocked mismatched tenant scope on bulk mutation",
            ]),
            unscoped: list(&[
                "Tenant guard blocked create without tenantId",
                "Tenant guard blocked bulk mutation without tenant scope",
                "Tenant guard detected read without tenant constraint",
            ]),
            traffic: list(&["API request completed", "Middleware: authenticated request processed"]),
        }
    }
}

impl LogSection {
    /// The keys and the names of the fields.
    pub fn fields(&self) -> [(&'static str, &String); 9] {
        [
            ("timestamp", &self.timestamp),
            ("message", &self.message),
            ("context", &self.context),
            ("request_id", &self.request_id),
            ("pathname", &self.pathname),
            ("tenant", &self.tenant),
            ("tenant_slug", &self.tenant_slug),
            ("expected_tenant", &self.expected_tenant),
            ("model", &self.model),
        ]
    }
}

impl LogMessages {
    /// How many messages of served requests there may be. Each is counted on its own.
    pub const MOST_TRAFFIC: usize = 4;

    /// The keys and the messages.
    pub fn lists(&self) -> [(&'static str, &Vec<String>); 5] {
        [
            ("unresolved", &self.unresolved),
            ("missing_context", &self.missing_context),
            ("mismatch", &self.mismatch),
            ("unscoped", &self.unscoped),
            ("traffic", &self.traffic),
        ]
    }

    /// The longest part of a message that every writer of JSON leaves as it is. Lines without it are not parsed.
    pub fn plain_part(message: &str) -> &str {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || " _-.,:;()".contains(c);
        message.split(|c: char| !is_plain(c)).max_by_key(|part| part.len()).unwrap_or_default()
    }
}
