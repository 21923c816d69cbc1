//! Models and their fields, with the names that tables and columns have in the database.

/// A model, which stands for a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name in the schema.
    pub name: String,
    /// The line that it begins in, from 1.
    pub line: usize,
    /// Its fields, relations included.
    pub fields: Vec<Field>,
    /// Its own attributes, such as `@@index`.
    pub attributes: Vec<Attribute>,
}

/// A field of a model: a column, or a relation to another model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in the schema.
    pub name: String,
    /// The line that it stands in, from 1.
    pub line: usize,
    /// The name of its type, without `?` and `[]`.
    pub type_name: String,
    /// Whether it may be absent (`?`).
    pub optional: bool,
    /// Whether it is a list (`[]`).
    pub list: bool,
    /// Its attributes, such as `@id` and `@db.Uuid`.
    pub attributes: Vec<Attribute>,
}

/// An attribute of a field (`@`) or of a model (`@@`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name without `@`, such as `default` or `db.Uuid`.
    pub name: String,
    /// Its arguments, separated by commas, each as it is written.
    pub arguments: Vec<String>,
}

impl Model {
    /// The name of its table: what `@@map` says, or else its own name.
    pub fn table(&self) -> &str {
        mapped(&self.attributes).unwrap_or(&self.name)
    }

    /// The schema of its table, if `@@schema` names one.
    pub fn schema(&self) -> Option<&str> {
        self.attributes.iter().find(|attribute| attribute.name == "schema").and_then(|schema| schema.string("name"))
    }

    /// The field of a column. A relation has no column of its own.
    pub fn of_column(&self, column: &str) -> Option<&Field> {
        let mut fields = self.fields.iter().filter(|field| !field.is_relation());
        fields.find(|field| field.column() == column)
    }

    /// The relation whose only field is this one, by its name in the schema.
    pub fn relation_by(&self, field: &str) -> Option<&Field> {
        self.relation_of(&[field])
    }

    /// The relation with these fields in this order, by their names in the schema.
    pub fn relation_of(&self, fields: &[&str]) -> Option<&Field> {
        self.fields.iter().find(|relation| {
            let own = relation.attribute("relation").and_then(|attribute| attribute.list("fields"));
            own.is_some_and(|own| own == fields)
        })
    }

    /// Whether it has `@@unique` of these fields in this order.
    pub fn has_unique(&self, fields: &[&str]) -> bool {
        let mut unique = self.attributes.iter().filter(|attribute| attribute.name == "unique");
        unique.any(|unique| unique.list("fields").is_some_and(|own| own == fields))
    }

    /// Whether it has `@@index` of this field alone with this name in the database.
    pub fn has_index(&self, field: &str, name: &str) -> bool {
        let column = self.fields.iter().find(|known| known.name == field).map_or(field, Field::column);
        self.attributes.iter().filter(|attribute| attribute.name == "index").any(|index| {
            let usual = || format!("{}_{column}_idx", self.table());
            let named = index.string_of("map").map_or_else(usual, str::to_owned);
            named == name && index.list("fields").is_some_and(|fields| fields == [field])
        })
    }
}

impl Field {
    /// The name of its column: what `@map` says, or else its own name.
    pub fn column(&self) -> &str {
        mapped(&self.attributes).unwrap_or(&self.name)
    }

    /// The first attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    fn is_relation(&self) -> bool {
        self.attribute("relation").is_some() || self.list
    }
}

impl Attribute {
    /// An argument by its name, as it is written.
    fn named(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find_map(|argument| {
            let (before, after) = argument.split_once(':')?;
            (before.trim() == name).then(|| after.trim())
        })
    }

    /// The first argument, if it has no name.
    fn first(&self) -> Option<&str> {
        let first = self.arguments.first()?;
        (first.starts_with(['"', '[']) || !first.contains(':')).then_some(first.as_str())
    }

    /// The text of an argument that is a string and may be given without its name as the first one.
    fn string(&self, name: &str) -> Option<&str> {
        unquoted(self.named(name).or_else(|| self.first())?)
    }

    /// The text of an argument that is a string and is always given with its name.
    fn string_of(&self, name: &str) -> Option<&str> {
        unquoted(self.named(name)?)
    }

    /// The names in an argument that is a list and may be given without its name as the first one. What follows a name in
    /// parentheses, such as the order, is left out.
    fn list(&self, name: &str) -> Option<Vec<&str>> {
        let list = self.named(name).or_else(|| self.first())?.strip_prefix('[')?.strip_suffix(']')?;
        Some(list.split(',').map(|item| item.split('(').next().unwrap_or_default().trim()).collect())
    }
}

fn mapped(attributes: &[Attribute]) -> Option<&str> {
    attributes.iter().find(|attribute| attribute.name == "map").and_then(|map| map.string("name"))
}

/// A string without its quotes. One with an escape is no name of a table that anybody has; it is left as it is written.
fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}
