//! The reports of `db`.

use local_db::{Planted, State, Status};
use serde::Serialize;

use crate::document::report::Report;
use crate::document::text::{self, table};
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

    fn table(&self) -> String {
        format!("{}\n", self.url)
    }
}

impl Report for Status {
    const NAME: &'static str = "db status";
    const SCHEMA: Option<&'static str> = Some("db-status/1");

    fn table(&self) -> String {
        let state = match self.state {
            State::Absent => "there is none; `cargo xtask db up` makes it",
            State::Stopped => "stopped; `cargo xtask db up` starts it",
            State::Running => "running",
        };
        let mut lines = vec![("state", state.to_owned())];
        lines.extend(self.port.map(|port| ("port", format!("{port} on 127.0.0.1"))));
        lines.extend(self.major.map(|major| ("server", format!("PostgreSQL {major}"))));
        lines.extend(self.bin.as_ref().map(|bin| ("programs", bin.display().to_string())));
        lines.extend(self.pid.map(|pid| ("process", pid.to_string())));
        if self.state != State::Absent {
            lines.push(("data", self.data.display().to_string()));
            lines.push(("log", self.log.display().to_string()));
        }
        text::pairs(lines)
    }
}

impl Report for Planted {
    const NAME: &'static str = "db seed";
    const SCHEMA: Option<&'static str> = Some("db-seed/1");

    fn table(&self) -> String {
        let messages = self.assignable_messages() + self.messages_in_conflict + self.messages_unresolvable;
        let rows = [
            ("tenants", self.tenants, ""),
            ("users", self.users, ""),
            (
                "  with several memberships",
                self.users_with_several_memberships,
                "who wrote what cannot tell the tenant alone",
            ),
            ("chat messages without a tenant", messages, "the audit finds them"),
            ("  whose author is a member of one", self.messages_by_membership, "assign-chat-messages assigns them"),
            ("  whose author belongs to one", self.messages_by_author, "assign-chat-messages assigns them"),
            ("  whose room decides between several", self.messages_by_room, "assign-chat-messages assigns them"),
            ("  whose room does not decide", self.messages_in_conflict, "assign-chat-messages reports them"),
            ("  whose author is gone or knows none", self.messages_unresolvable, "assign-chat-messages reports them"),
            ("bookings", self.bookings, ""),
            ("  without a tenant", self.bookings_without_tenant, "the audit finds them"),
            ("    that the service request decides", self.by_service_request, "the backfill assigns them"),
            ("    that the client decides", self.by_client, "the backfill assigns them"),
            ("    that the service decides", self.by_service, "the backfill assigns them"),
            ("    whose sources disagree", self.conflicts, "the backfill reports them"),
            ("    whose sources know nothing", self.unresolvable, "the backfill reports them"),
            ("  with a service of another tenant", self.cross_tenant_references, "the audit finds them"),
            ("  with an empty tenant", self.empty_string_tenants, "the audit finds them"),
            ("  of a tenant that was deleted", self.ghost_tenants, "the audit finds them"),
        ];
        table(
            &["planted", ">rows", ""],
            rows.map(|(what, rows, note)| vec![what.to_owned(), count(rows), note.to_owned()]),
        )
    }
}
