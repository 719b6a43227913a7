//! Our documents against the excerpt of the official schema: every field, argument, variable and leaf.

use std::collections::BTreeMap;

use graphql_parser::query::{
    self, Definition as Part, Field, OperationDefinition, Selection, SelectionSet, Value, VariableDefinition,
};
use graphql_parser::schema::{self, Definition, Type, TypeDefinition};
use qantara::shop::api::DOCUMENTS;

const SCHEMA: &str = include_str!("../shop_schema/admin.graphql");

type Fields<'a> = BTreeMap<&'a str, &'a schema::Field<'static, String>>;

struct Known<'a> {
    objects: BTreeMap<&'a str, Fields<'a>>,
    /// Who implements an interface.
    kinds: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Known<'a> {
    fn of(schema: &'a schema::Document<'static, String>) -> Self {
        let (mut objects, mut kinds) = (BTreeMap::new(), BTreeMap::<&str, Vec<&str>>::new());
        for definition in &schema.definitions {
            if let Definition::TypeDefinition(TypeDefinition::Object(object)) = definition {
                objects.insert(
                    object.name.as_str(),
                    object.fields.iter().map(|field| (field.name.as_str(), field)).collect(),
                );
                for interface in &object.implements_interfaces {
                    kinds.entry(interface).or_default().push(&object.name);
                }
            }
            if let Definition::TypeDefinition(TypeDefinition::Interface(interface)) = definition {
                let fields = interface.fields.iter().map(|field| (field.name.as_str(), field)).collect();
                objects.insert(interface.name.as_str(), fields);
            }
        }
        Self { objects, kinds }
    }

    fn implementors(&self, interface: &str) -> impl Iterator<Item = &'a str> {
        self.kinds.get(interface).into_iter().flatten().copied()
    }

    fn check(
        &self,
        on: &str,
        set: &SelectionSet<'static, String>,
        variables: &BTreeMap<&str, String>,
        faults: &mut Vec<String>,
    ) {
        for item in &set.items {
            let field = match item {
                Selection::Field(field) => field,
                Selection::InlineFragment(fragment) => {
                    let kind = fragment.type_condition.as_ref().map(|query::TypeCondition::On(kind)| kind.as_str());
                    match kind.filter(|kind| self.implementors(on).any(|name| name == *kind)) {
                        Some(kind) => self.check(kind, &fragment.selection_set, variables, faults),
                        None => faults.push(format!("{on}: {} is none of its kinds", kind.unwrap_or("a fragment"))),
                    }
                    continue;
                }
                Selection::FragmentSpread(_) => {
                    faults.push(format!("{on}: a named fragment, which this check does not read"));
                    continue;
                }
            };
            let Some(known) = self.objects[on].get(field.name.as_str()) else {
                faults.push(format!("{on}.{}: the schema has no such field", field.name));
                continue;
            };
            self.check_arguments(on, field, known, variables, faults);
            let inside = inner(&known.field_type);
            match (self.objects.contains_key(inside), field.selection_set.items.is_empty()) {
                (true, true) => faults.push(format!("{on}.{}: what of it?", field.name)),
                (false, false) => faults.push(format!("{on}.{}: a {inside} has no fields", field.name)),
                (true, false) => self.check(inside, &field.selection_set, variables, faults),
                (false, true) => {}
            }
        }
    }

    fn check_arguments(
        &self,
        on: &str,
        field: &Field<'static, String>,
        known: &schema::Field<'static, String>,
        variables: &BTreeMap<&str, String>,
        faults: &mut Vec<String>,
    ) {
        for (name, value) in &field.arguments {
            let Some(argument) = known.arguments.iter().find(|argument| argument.name == *name) else {
                faults.push(format!("{on}.{}({name}): no such argument", field.name));
                continue;
            };
            if let Value::Variable(variable) = value {
                let wanted = argument.value_type.to_string();
                let given = variables.get(variable.as_str()).cloned().unwrap_or_default();
                if given != wanted && given != format!("{wanted}!") {
                    faults.push(format!("{on}.{}({name}): {given} given, {wanted} wanted", field.name));
                }
            }
        }
        for argument in &known.arguments {
            let is_given = field.arguments.iter().any(|(name, _)| *name == argument.name);
            if matches!(argument.value_type, Type::NonNullType(_)) && !is_given {
                faults.push(format!("{on}.{}: the argument {} is missing", field.name, argument.name));
            }
        }
    }
}

fn inner<'a>(kind: &'a Type<'static, String>) -> &'a str {
    match kind {
        Type::NamedType(name) => name,
        Type::ListType(inside) | Type::NonNullType(inside) => inner(inside),
    }
}

fn variables<'a>(all: &'a [VariableDefinition<'static, String>]) -> BTreeMap<&'a str, String> {
    all.iter().map(|one| (one.name.as_str(), one.var_type.to_string())).collect()
}

fn faults_of(text: &str, name: &str) -> Vec<String> {
    let schema = graphql_parser::parse_schema::<String>(SCHEMA).unwrap().into_static();
    let known = Known::of(&schema);
    let document: query::Document<'static, String> = graphql_parser::parse_query(text).unwrap().into_static();
    let mut faults = Vec::new();
    for part in &document.definitions {
        match part {
            Part::Operation(OperationDefinition::Query(query)) => {
                assert_eq!(query.name.as_deref(), Some(name));
                let variables = variables(&query.variable_definitions);
                known.check("QueryRoot", &query.selection_set, &variables, &mut faults);
            }
            Part::Operation(OperationDefinition::Mutation(mutation)) => {
                assert_eq!(mutation.name.as_deref(), Some(name));
                let variables = variables(&mutation.variable_definitions);
                known.check("Mutation", &mutation.selection_set, &variables, &mut faults);
            }
            Part::Operation(OperationDefinition::SelectionSet(_) | OperationDefinition::Subscription(_))
            | Part::Fragment(_) => faults.push(format!("{name}: neither a query nor a mutation")),
        }
    }
    faults
}

#[test]
fn every_document_fits_the_schema() {
    let faults: Vec<String> = DOCUMENTS.iter().flat_map(|one| faults_of(one.text, one.name)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_check_finds_what_is_wrong() {
    for (text, fault) in [
        ("query Q { shop { nickname } }", "Shop.nickname: the schema has no such field"),
        ("query Q { shop }", "QueryRoot.shop: what of it?"),
        ("query Q { shop { name { first } } }", "Shop.name: a String has no fields"),
        ("query Q { order { name } }", "QueryRoot.order: the argument id is missing"),
        ("query Q($id: Int!) { order(id: $id) { name } }", "QueryRoot.order(id): Int! given, ID! wanted"),
        ("query Q($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { name } } }", "Node: Order is none of its kinds"),
        ("query Q { orders(limit: 1) { nodes { name } } }", "QueryRoot.orders(limit): no such argument"),
    ] {
        assert_eq!(faults_of(text, "Q"), [fault], "{text}");
    }
}
