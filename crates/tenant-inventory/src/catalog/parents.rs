//! Reads on which tables others hang.

use sqlx::{PgConnection, Row};
use tenancy_config::tenancy::ThroughForm;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Error, LinkColumn, ParentComparison, Result, TenantColumnType, TenantComparison};

use super::definition::{Aspect, AspectKind};
use super::parent::{ThroughParent, choose};
use super::relations::Relation;
use super::tables::{Catalog, ForeignKey, TenantTable};

/// A table that can be protected through another one.
pub(crate) struct Link {
    /// Where it stands among the tables that are rolled out.
    position: usize,
    root: TenantTable,
    /// The other table.
    parent: TenantTable,
    /// The column there that its key references.
    key: String,
}

/// The tables that depend on others.
pub(crate) fn links(catalog: &Catalog, tenancy: &Tenancy) -> Vec<Link> {
    catalog.through.iter().filter_map(|table| link(catalog, tenancy, table)).collect()
}

/// Puts the links where their tables stand now.
pub(crate) fn placed(catalog: &Catalog, links: Vec<Link>) -> Vec<Link> {
    let position = |link: &Link| catalog.rolled_out().position(|table| table.name == link.root.name);
    links.into_iter().filter_map(|link| Some(Link { position: position(&link)?, ..link })).collect()
}

fn link(catalog: &Catalog, tenancy: &Tenancy, table: &TenantTable) -> Option<Link> {
    let rule = tenancy.rules(&table.name)?.through.as_ref().filter(|_| table.unhandled.is_none())?;
    let parent = TableName::parse(&rule.table, &tenancy.database.schema).ok()?;
    let parent = catalog.tables.iter().find(|other| other.name == parent)?;
    let leads = |key: &&ForeignKey| {
        key.columns == [rule.column.as_str()]
            && key.validated
            && key.target().is_ok_and(|target| target == parent.name)
            && rule.key.as_ref().is_none_or(|declared| key.references == [declared.as_str()])
    };
    let key = table.foreign_keys.iter().find(leads)?.references.first()?.clone();
    Some(Link { position: 0, root: table.clone(), parent: parent.clone(), key })
}

/// Adds to each relation what it depends on. `app` is the role of the application.
pub(crate) async fn read_parents(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    app: &str,
    links: &[Link],
    relations: &mut [Relation],
) -> Result<()> {
    for relation in relations {
        let Some(link) = links.iter().find(|link| link.position == relation.position) else { continue };
        let Link { root, parent, key, .. } = link;
        let row = sqlx::query(include_str!("../../../../sql/tenant-inventory/parent.sql"))
            .bind(relation.name.schema().as_str())
            .bind(relation.name.name().as_str())
            .bind(&root.column.name)
            .bind(parent.name.schema().as_str())
            .bind(parent.name.name().as_str())
            .bind(key)
            .bind(&parent.column.name)
            .bind(app)
            .fetch_optional(&mut *connection)
            .await
            .map_err(Error::query(format!("reading what {} depends on", relation.name)))?;
        let Some(row) = row else { continue };
        let column = |name: &str, printed: &str, type_name: &str| {
            let column_type = TenantColumnType::of(type_name).unwrap_or(TenantColumnType::Text);
            Ok::<_, Error>(LinkColumn { name: Ident::new(name)?, printed: row.get(printed), column_type })
        };
        let tenant = column(&parent.column.name, "printed_tenant", &parent.column.type_name)?;
        let link = column(&root.column.name, "printed_link", &row.get::<String, _>("link_type"))?;
        relation.comparison.column_type = tenant.column_type;
        let mut comparison = ParentComparison {
            printed_child: row.get("printed_child"),
            link,
            table: parent.name.clone(),
            printed_table: row.get("printed_parent"),
            key: column(key, "printed_key", &row.get::<String, _>("key_type"))?,
            tenant,
            form: ThroughForm::Exists,
        };
        let declared = tenancy.rules(&root.name).and_then(|rules| rules.through.as_ref()?.form);
        let with = TenantComparison { parent: Some(comparison.clone()), ..relation.comparison.clone() };
        let isolation = Aspect::named(AspectKind::Policy, &tenancy.session.policy);
        let kept = relation.definition.get(&isolation).and_then(|text| with.through_form(text));
        let largest: Option<f64> = row.get("largest");
        let (form, chosen) = choose(declared, kept, largest);
        comparison.form = form;
        relation.comparison.parent = Some(comparison);
        relation.foreign_key_valid = true;
        relation.parent = Some(ThroughParent {
            table: parent.name.clone(),
            chosen,
            largest_tenant: row.get("largest_tenant"),
            unreadable: row.get("unreadable"),
        });
    }
    Ok(())
}
