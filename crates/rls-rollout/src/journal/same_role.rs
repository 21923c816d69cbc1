//! Tells a role that a rollout made from another one of the same name. Nobody can drop a role that has rights, so that whoever has them under its name
//! now got them from somebody else.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use tenancy_config::Ident;
use tenant_inventory::{Aspect, AspectKind};
use tenant_ops::RecordedStep;

use crate::declared_login::role::role_id;
use crate::error::Result;
use crate::journal::change::Change;

/// Removes the rights of roles that rollouts made and that are gone, also where there is another role of the name.
pub(super) async fn forget_gone(connection: &mut PgConnection, steps: &mut [RecordedStep<Change>]) -> Result<()> {
    for (name, made) in made_last(steps) {
        let until = match made.id {
            None => made.step,
            Some(made) => match role_id(connection, &Ident::new(&name)?).await? {
                Some(id) if id != made => i64::MAX,
                _ => continue,
            },
        };
        for step in steps.iter_mut().filter(|step| step.id <= until) {
            step.changes.retain(|change| !is_right_of(&change.aspect, &name));
        }
    }
    Ok(())
}

/// What the journal says last of a role.
struct Made {
    /// The step.
    step: i64,
    /// The number of the role; none where it is gone.
    id: Option<String>,
}

fn made_last(steps: &[RecordedStep<Change>]) -> BTreeMap<String, Made> {
    let mut roles = BTreeMap::new();
    for step in steps {
        for change in step.changes.iter().filter(|change| change.aspect.kind == AspectKind::Role) {
            roles.insert(change.aspect.name.clone(), Made { step: step.id, id: change.after.clone() });
        }
    }
    roles
}

fn is_right_of(aspect: &Aspect, role: &str) -> bool {
    let is_right = matches!(aspect.kind, AspectKind::Grant | AspectKind::SchemaUsage | AspectKind::SequenceUsage);
    is_right && aspect.role == role
}
