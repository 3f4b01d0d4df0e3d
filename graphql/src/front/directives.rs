//! The directives that tell clients what introspection cannot: which scope something needs, and what it costs.
//! Names and arguments are those that others read already: `@requiresScopes` as in Apollo's federation, `@cost` and
//! `@listSize` from IBM's cost directives, in the form that gateways took over from there (a whole number as weight, and
//! the weight of a field in place of its type's).

use async_graphql::{Value, dynamic::Directive};

use crate::cost;

/// Definitions of the directives, for the end of the schema definition: async-graphql prints their uses only.
pub(super) const DEFINITIONS: &str = r#"
"""
The scopes that a caller needs who acts in an organization: all of one of the inner lists. On a mutation every caller
needs them. Who acts in no organization sees what is public or their own instead.
"""
directive @requiresScopes(
	"""
	Alternatives, each a list of scopes such as `events:read`.
	"""
	scopes: [[String!]!]!
) on OBJECT | FIELD_DEFINITION

"""
Points that a value of this type, or this field in place of its type, adds to the cost of an operation, besides what is
selected in it. Where nothing is said, an object costs 1 and everything else 0.
"""
directive @cost(
	"""
	The points.
	"""
	weight: Int!
) on OBJECT | FIELD_DEFINITION

"""
How many times the cost of one row is counted for a list, before any row is read.
"""
directive @listSize(
	"""
	Rows that are counted when no slicing argument is given.
	"""
	assumedSize: Int
	"""
	Arguments that say how many rows there are at most; the one that is given is counted.
	"""
	slicingArguments: [String!]
	"""
	The fields of the answer that hold the rows; without it the field itself does.
	"""
	sizedFields: [String!]
	"""
	Whether one of the slicing arguments must be given.
	"""
	requireOneSlicingArgument: Boolean = true
) on FIELD_DEFINITION
"#;

/// `@requiresScopes` of one scope.
pub(super) fn requires_scope(scope: &str) -> Directive {
    let scopes = Value::List(vec![Value::List(vec![Value::from(scope)])]);
    Directive::new("requiresScopes").argument("scopes", scopes)
}

/// `@cost`.
pub(super) fn cost(weight: u64) -> Directive {
    Directive::new("cost").argument("weight", Value::from(weight))
}

/// `@listSize` of a connection of which a parent usually has at most so many rows.
pub(super) fn page_size(fan_out: u32) -> Directive {
    let names = |names: [&str; 2]| Value::List(names.map(Value::from).to_vec());
    Directive::new("listSize")
        .argument("assumedSize", Value::from(fan_out.min(cost::DEFAULT_PAGE)))
        .argument("slicingArguments", names(["first", "last"]))
        .argument("sizedFields", names(["edges", "nodes"]))
        .argument("requireOneSlicingArgument", Value::from(false))
}

/// `@listSize` of the groups of aggregates.
pub(super) fn groups() -> Directive {
    let names = |name: &str| Value::List(vec![Value::from(name)]);
    Directive::new("listSize")
        .argument("assumedSize", Value::from(cost::DEFAULT_GROUPS))
        .argument("slicingArguments", names("first"))
        .argument("sizedFields", names("groups"))
        .argument("requireOneSlicingArgument", Value::from(false))
}

/// `@listSize` of a list of which only the most is known.
pub(super) fn list_size(most: u32) -> Directive {
    Directive::new("listSize").argument("assumedSize", Value::from(most))
}

/// The sentence beside `@listSize`, which cannot say that a page is never counted as more than the fan-out.
pub(super) fn counted_as(fan_out: u32) -> String {
    match fan_out < cost::LARGEST_PAGE {
        true => format!(" In the cost of an operation it counts as at most {fan_out} rows."),
        false => String::new(),
    }
}

/// The sentence beside `@requiresScopes`: introspection shows no directives.
pub(super) fn scope_sentence(description: &str, scope: &str, own_rows: bool) -> String {
    let own = match own_rows {
        true => "; rows of the caller's own are reached from elsewhere without it",
        false => "",
    };
    format!(
        "{description}\n\nActing in an organization, the caller needs the scope `{scope}`{own}."
    )
}
