//! The primary key of a table, by which a statement finds the rows of an attempt.

use tenancy_config::Ident;
use tenant_rls::{Sql, Template};

use crate::attempts::columns::Columns;
use crate::error::Result;

/// The columns of a primary key, with their types.
#[derive(Debug, Clone)]
pub(crate) struct PrimaryKey(Vec<(Ident, Sql)>);

impl PrimaryKey {
    /// Takes the columns; `None` where there are none, or one of them is not among the table's.
    pub(crate) fn new(names: &[String], columns: &Columns) -> Result<Option<Self>> {
        let names = names.iter().map(Ident::new).collect::<Result<Vec<_>, _>>()?;
        let typed = names.iter().map(|name| Some((name.clone(), columns.type_of(name)?)));
        Ok(typed.collect::<Option<Vec<_>>>().filter(|key| !key.is_empty()).map(Self))
    }

    pub(crate) fn columns(&self) -> impl Iterator<Item = &Ident> {
        self.0.iter().map(|(name, _)| name)
    }

    /// The key of a row as a JSON object.
    pub(crate) fn object(&self) -> Sql {
        let pair = |text| self.each(text, |pair, name| pair.literal("name", name.as_str()));
        Template::new("pg_catalog.jsonb_build_object(:pairs)").fragment("pairs", pair(r#":'name', :"column""#)).build()
    }

    /// Whether a row `t` is one of those in $1, an array of such objects.
    pub(crate) fn is_given(&self) -> Sql {
        let names = |text| self.each(text, |name, _| name);
        let typed = self.0.iter().map(|(name, type_name)| {
            Template::new(r#":"column" :type"#).ident("column", name).fragment("type", type_name.clone()).build()
        });
        Template::new(include_str!("../../../../sql/rls-verify/fragments/key_is_given.sql"))
            .fragment("ours", names(r#"t.:"column""#))
            .fragment("theirs", names(r#"k.:"column""#))
            .fragment("typed", Sql::join(typed, ", "))
            .build()
    }

    fn each(&self, text: &'static str, with: impl Fn(Template, &Ident) -> Template) -> Sql {
        let columns = self.columns().map(|name| with(Template::new(text).ident("column", name), name).build());
        Sql::join(columns, ", ")
    }
}
