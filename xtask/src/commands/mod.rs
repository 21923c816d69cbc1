//! The commands. Each is a module with its options and its run, and in `view` its report, and is registered in the list below.

// A module that is not registered does not compile, as nothing runs it.
#![deny(dead_code)]

pub(crate) mod assign_chat_messages;
pub(crate) mod audit;
pub(crate) mod backfill;
pub(crate) mod backfill_bookings;
pub(crate) mod bench;
pub(crate) mod db;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod init;
pub(crate) mod inventory;
#[cfg(feature = "jwt")]
pub(crate) mod jwt;
pub(crate) mod rls;
pub(crate) mod seed_tenant_defaults;
pub(crate) mod tenant_log;

use std::collections::BTreeMap;

use clap::{Command as Definition, Subcommand};

use crate::context::{CommandResult, Context};

/// Makes of each registration a variant of [`Command`], the call of its `run`, and its entry in [`GROUPS`].
macro_rules! commands {
    ($($(#[$attribute:meta])* $group:ident: $variant:ident($module:ident),)*) => {
        /// A command with its options.
        #[derive(Debug, Subcommand)]
        pub(crate) enum Command {
            $($(#[$attribute])* $variant(Box<$module::Options>),)*
        }

        /// The group of each command.
        const GROUPS: &[Group] = &[$($(#[$attribute])* Group::$group,)*];

        impl Command {
            /// Runs the command.
            ///
            /// # Errors
            /// The command failed, was refused or was stopped; its own `run` lists the reasons.
            pub(crate) async fn run(self, context: &Context) -> CommandResult {
                match self {
                    $($(#[$attribute])* Self::$variant(options) => $module::run(context, *options).await,)*
                }
            }
        }
    };
}

// The registrations, in the order of `docs/commands.md`: group, variant and module. The variant gives the name that is typed;
// the module has `Options` and `run`, and the comment on `Options` is the command's line in the list.
commands! {
    LocalDatabase:    Db(db),
    Project:          Demo(demo),
    Look:             Doctor(doctor),
    Look:             Audit(audit),
    Look:             Inventory(inventory),
    Look:             TenantLog(tenant_log),
    Backfill:         BackfillBookings(backfill_bookings),
    RowLevelSecurity: Rls(rls),
    Tenants:          SeedTenantDefaults(seed_tenant_defaults),
    Backfill:         Backfill(backfill),
    Backfill:         AssignChatMessages(assign_chat_messages),
    Project:          Init(init),
    Project:          Bench(bench),
    #[cfg(feature = "jwt")]
    Sessions:         Jwt(jwt),
}

/// The groups of commands, in the order in which a new user needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    LocalDatabase,
    Look,
    Backfill,
    RowLevelSecurity,
    Tenants,
    #[cfg(feature = "jwt")]
    Sessions,
    Project,
}

impl Group {
    /// Its heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::LocalDatabase => "Local database",
            Self::Look => "Look",
            Self::Backfill => "Backfill",
            Self::RowLevelSecurity => "Row level security",
            Self::Tenants => "Tenants",
            #[cfg(feature = "jwt")]
            Self::Sessions => "Sessions",
            Self::Project => "Project",
        }
    }
}

/// The commands of each group, as clap defines them.
pub(crate) fn by_group() -> BTreeMap<Group, Vec<Definition>> {
    let definition = Command::augment_subcommands(Definition::default());
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    // Both have one entry for each registration, in its order.
    for (group, command) in GROUPS.iter().zip(definition.get_subcommands()) {
        groups.entry(*group).or_default().push(command.clone());
    }
    groups
}
