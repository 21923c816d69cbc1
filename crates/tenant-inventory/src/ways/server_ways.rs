//! Rights on functions and tables of the server, and on large objects, beside which no policy is asked.

use super::facts::{LargeObjectFacts, ServerObject, ServerRightFacts};
use super::found::Analysis;
use super::logins::{Gives, Unfiltered};
use super::object::{LargeObjectsHeld, Privilege, WayObject};
use super::review::review_of_text;
use super::way::{Actor, Reach, Reviewable, Unreadable, Way, WayVerdict};

/// Functions by what the right to call them gives: their names, or how these begin.
const FUNCTIONS: [(&str, Gives); 10] = [
    ("dblink_connect_u", Gives::Connections),
    ("lo_export", Gives::Files),
    ("lo_import", Gives::Files),
    ("pg_file_", Gives::Files),
    ("pg_get_wal_", Gives::Values),
    ("pg_logdir_ls", Gives::Files),
    ("pg_ls_dir", Gives::Files),
    ("pg_read_binary_file", Gives::Files),
    ("pg_read_file", Gives::Files),
    ("pg_stat_file", Gives::Files),
];

/// The beginnings of the names of functions that show and change no rows: they run or watch the server, or check files without showing them.
const HARMLESS: [&str; 32] = [
    "bt_index_",
    "gin_index_",
    "pg_backup_",
    "pg_buffercache_",
    "pg_check_",
    "pg_config",
    "pg_create_restore_point",
    "pg_current_logfile",
    "pg_freespace",
    "pg_get_backend_memory_contexts",
    "pg_get_loaded_modules",
    "pg_get_process_memory_contexts",
    "pg_get_shmem_allocations",
    "pg_hba_file_rules",
    "pg_ident_file_mappings",
    "pg_log_backend_memory_contexts",
    "pg_ls_",
    "pg_old_snapshot",
    "pg_promote",
    "pg_relpages",
    "pg_reload_conf",
    "pg_replication_origin_",
    "pg_rotate_logfile",
    "pg_show_",
    "pg_st",
    "pg_switch_wal",
    "pg_sync_replication_slots",
    "pg_truncate_visibility_map",
    "pg_visibility",
    "pg_wal_replay_",
    "pgstat",
    "verify_heapam",
];

/// Tables and views of the server by what reading them gives, and which of their columns are enough for it.
const RELATIONS: [(&str, Gives, &[&str]); 7] = [
    ("pg_authid", Gives::Secrets, &["rolpassword"]),
    ("pg_largeobject", Gives::LargeObjects, &["data"]),
    ("pg_shadow", Gives::Secrets, &["passwd"]),
    ("pg_statistic", Gives::Values, &["stavalues1", "stavalues2", "stavalues3", "stavalues4", "stavalues5"]),
    ("pg_statistic_ext_data", Gives::Values, &["stxdmcv", "stxdexpr"]),
    ("pg_subscription", Gives::Secrets, &["subconninfo"]),
    ("pg_user_mapping", Gives::Secrets, &["umoptions"]),
];

/// How the names of functions for large objects begin.
const LARGE_OBJECTS: &str = "lo_";

/// The tables in which the server keeps what is too long for a row.
const TOAST: &str = "pg_toast_";

/// Settings that run programs or load code, and those that switch off what keys, triggers and rights say.
const PARAMETERS: [&str; 18] = [
    "allow_system_table_mods",
    "archive_cleanup_command",
    "archive_command",
    "archive_library",
    "dynamic_library_path",
    "event_triggers",
    "extension_control_path",
    "hba_file",
    "ident_file",
    "jit_provider",
    "lo_compat_privileges",
    "local_preload_libraries",
    "recovery_end_command",
    "restore_command",
    "session_preload_libraries",
    "session_replication_role",
    "shared_preload_libraries",
    "ssl_passphrase_command",
];

/// The extension whose functions reach any foreign server; otherwise one needs a table.
const DBLINK: &str = "dblink ";

/// The ways.
pub(crate) fn server_ways(analysis: &Analysis<'_>) -> Vec<Way> {
    let rights = &analysis.facts.server_rights;
    let rights = rights.iter().filter_map(|right| Some(right_way(right, gives(analysis, right)?)));
    let objects = analysis.facts.large_objects.iter().map(|held| objects_way(analysis, held));
    rights.chain(objects).collect()
}

/// What a right gives; none where it is nothing that concerns rows.
fn gives(analysis: &Analysis<'_>, right: &ServerRightFacts) -> Option<Gives> {
    match &right.on {
        ServerObject::Function => {
            let known = FUNCTIONS.iter().find(|(name, _)| right.name.starts_with(name)).map(|(_, gives)| *gives);
            let harmless = HARMLESS.iter().any(|name| right.name.starts_with(name));
            known.or((!harmless).then_some(Gives::Unknown))
        }
        ServerObject::Relation { .. } if right.name.starts_with(TOAST) => Some(Gives::Values),
        ServerObject::Relation { column } => {
            let (_, gives, columns) = RELATIONS.iter().find(|(name, ..)| right.name == *name)?;
            column.as_ref().is_none_or(|column| columns.contains(&column.as_str())).then_some(*gives)
        }
        ServerObject::Parameter { .. } => PARAMETERS.contains(&right.name.as_str()).then_some(Gives::Settings),
        ServerObject::ForeignServer { .. } => {
            let facts = analysis.facts;
            let of_dblink = |extension: &String| extension.starts_with(DBLINK);
            let dblink = facts.functions.values().any(|f| f.extension.as_ref().is_some_and(of_dblink));
            (dblink || facts.places.makes_tables.is_some()).then_some(Gives::OtherServer)
        }
    }
}

fn right_way(right: &ServerRightFacts, gives: Gives) -> Way {
    let printed = &right.printed;
    let (privilege, what, on) = match &right.on {
        ServerObject::Function => (Privilege::Execute, "EXECUTE".to_owned(), format!("ROUTINE {printed}")),
        ServerObject::Relation { column: Some(column) } => {
            (Privilege::Select, format!("SELECT ({column})"), printed.clone())
        }
        ServerObject::Relation { column: None } => (Privilege::Select, "SELECT".to_owned(), printed.clone()),
        ServerObject::Parameter { sets: true } => (Privilege::Set, "SET".to_owned(), format!("PARAMETER {printed}")),
        ServerObject::Parameter { sets: false } => {
            (Privilege::AlterSystem, "ALTER SYSTEM".to_owned(), format!("PARAMETER {printed}"))
        }
        ServerObject::ForeignServer { .. } => {
            (Privilege::Usage, "USAGE".to_owned(), format!("FOREIGN SERVER {printed}"))
        }
    };
    let needs_review =
        |why: Unreadable, brought_by: &str| (WayVerdict::NeedsReview { why }, review_of_text(printed, brought_by, ""));
    let (verdict, review) = match (&right.on, gives) {
        (ServerObject::ForeignServer { wrapper }, _) => needs_review(Unreadable::OtherServer, wrapper),
        (_, Gives::Unknown) => {
            let extension = right.extension.clone().unwrap_or_else(|| "PostgreSQL".to_owned());
            needs_review(Unreadable::Extension { extension: extension.clone() }, &extension)
        }
        // Some applications keep their files there on purpose.
        (_, Gives::LargeObjects) => (WayVerdict::Open, review_of_text(printed, &right.grantee, &what)),
        (ServerObject::Function, _) if right.name.starts_with(LARGE_OBJECTS) => {
            (WayVerdict::Open, review_of_text(printed, &right.grantee, &what))
        }
        _ => (WayVerdict::Open, Reviewable::NotCode),
    };
    let column = match &right.on {
        ServerObject::Relation { column } => column.clone(),
        _ => None,
    };
    Way {
        object: WayObject::ServerRight { name: printed.clone(), column, privilege, extension: right.extension.clone() },
        acts_as: Actor { role: right.role.clone(), why: Unfiltered::ServerRight { gives } },
        tables: Vec::new(),
        chain: Vec::new(),
        reach: Reach::Uses { role: right.role.clone(), privileges: vec![privilege] },
        verdict,
        closing: Some(format!("REVOKE {what} ON {on} FROM {}", right.grantee)),
        review,
    }
}

fn objects_way(analysis: &Analysis<'_>, held: &LargeObjectFacts) -> Way {
    let number = held.example;
    let closing = match &held.held {
        LargeObjectsHeld::Right { grantee } => Some(format!("REVOKE ALL ON LARGE OBJECT {number} FROM {grantee}")),
        LargeObjectsHeld::Setting => Some("ALTER SYSTEM RESET lo_compat_privileges".to_owned()),
        // To the owner of the tables, if that is another role.
        LargeObjectsHeld::Owner { owner } => {
            let tables = analysis.filter.protected.iter().filter_map(|id| analysis.facts.relations.get(id));
            let mut owners = tables.filter_map(|table| analysis.roles.get(table.owner)).map(|role| &role.printed);
            let other = owners.find(|other| *other != owner);
            other.map(|other| format!("ALTER LARGE OBJECT {number} OWNER TO {other}"))
        }
    };
    let object = WayObject::LargeObjects { held: held.held.clone(), objects: held.objects, example: number };
    // Which objects there are changes day by day; a review is of who reads them.
    let review = review_of_text(&object.review_name(), &held.role, "");
    Way {
        object,
        acts_as: Actor { role: held.role.clone(), why: Unfiltered::ServerRight { gives: Gives::LargeObjects } },
        tables: Vec::new(),
        chain: Vec::new(),
        reach: Reach::Uses { role: held.role.clone(), privileges: vec![Privilege::Select] },
        verdict: WayVerdict::Open,
        closing,
        review,
    }
}
