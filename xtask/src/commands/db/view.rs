//! The reports of `db`.

use local_db::{ClusterState, Planted, Status};
use serde::Serialize;
use tenancy_config::{CommandRef, Hint};

use crate::document::block::{Cell, Document, Pairs, Table, Value, code, number, text};
use crate::document::report::Report;
use crate::number_format::count;

/// The one report that shows a URL with its password: the user asks for it, and the password is that of a local database.
#[derive(Serialize)]
pub(super) struct UrlReport {
    pub(super) url: String,
}

impl Report for UrlReport {
    const NAME: &'static str = "db url";
    const SCHEMA: Option<&'static str> = Some("db-url/1");
    const SECRET: bool = true;

    fn document(&self) -> Document {
        Document::new([code("", self.url.as_str())])
    }
}

impl Report for Status {
    const NAME: &'static str = "db status";
    const SCHEMA: Option<&'static str> = Some("db-status/1");

    fn document(&self) -> Document {
        let up = |before: &str, after: &str| Hint::from(before).then_quoted(CommandRef::DbUp).then(after);
        let state = match self.state {
            ClusterState::Absent => up("there is none; ", " makes it"),
            ClusterState::Stopped => up("stopped; ", " starts it"),
            ClusterState::Running => "running".into(),
        };
        let mut pairs: Vec<(&str, Value)> = vec![("state", state.into())];
        pairs.extend(self.port.map(|port| ("port", format!("{port} on 127.0.0.1").into())));
        pairs.extend(self.major.map(|major| ("server", format!("PostgreSQL {major}").into())));
        pairs.extend(self.bin.as_ref().map(|bin| ("programs", bin.display().to_string().into())));
        pairs.extend(self.pid.map(|pid| ("process", pid.to_string().into())));
        if self.state != ClusterState::Absent {
            pairs.push(("data", self.data.display().to_string().into()));
            pairs.push(("log", self.log.display().to_string().into()));
        }
        Document::new([Pairs::new(pairs).into()])
    }
}

impl Report for Planted {
    const NAME: &'static str = "db seed";
    const SCHEMA: Option<&'static str> = Some("db-seed/1");

    fn document(&self) -> Document {
        let messages = self.assignable_messages() + self.messages_in_conflict + self.messages_unresolvable;
        let rows = [
            (0, "tenants", self.tenants, ""),
            (0, "users", self.users, ""),
            (
                1,
                "with several memberships",
                self.users_with_several_memberships,
                "their messages cannot be assigned by author alone",
            ),
            (0, "chat messages without a tenant", messages, "the audit finds them"),
            (1, "whose author is a member of one", self.messages_by_membership, "assign-chat-messages assigns them"),
            (1, "whose author belongs to one", self.messages_by_author, "assign-chat-messages assigns them"),
            (1, "whose room decides between several", self.messages_by_room, "assign-chat-messages assigns them"),
            (1, "whose room does not decide", self.messages_in_conflict, "assign-chat-messages reports them"),
            (
                1,
                "whose author is gone or has no tenant",
                self.messages_unresolvable,
                "assign-chat-messages reports them",
            ),
            (0, "bookings", self.bookings, ""),
            (1, "without a tenant", self.bookings_without_tenant, "the audit finds them"),
            (2, "that the service request decides", self.by_service_request, "the backfill assigns them"),
            (2, "that the client decides", self.by_client, "the backfill assigns them"),
            (2, "that the service decides", self.by_service, "the backfill assigns them"),
            (2, "whose sources disagree", self.conflicts, "the backfill reports them"),
            (2, "whose sources know nothing", self.unresolvable, "the backfill reports them"),
            (1, "with a service of another tenant", self.cross_tenant_references, "the audit finds them"),
            (1, "with an empty tenant", self.empty_string_tenants, "the audit finds them"),
            (1, "of a tenant that was deleted", self.ghost_tenants, "the audit finds them"),
        ];
        let rows = rows.map(|(depth, what, rows, note)| [Cell::nested(depth, what), count(rows).into(), note.into()]);
        Document::new([Table::new([text("planted"), number("rows"), text("")], rows).into()])
    }
}
