//! Functions of the catalog against those of the live database: they exist with these arguments, write nothing, and
//! return what the schema promises.

use super::expected;
use crate::catalog::{Argument, Catalog, Field, RowSource};

/// Gives the live functions as rows of (name, types of arguments, type of the answer, whether it is a set, volatility,
/// "name type" of each column that it returns).
pub const FUNCTIONS_SQL: &str = "
select
  n.nspname || '.' || p.proname,
  array(select format_type(t, null) from unnest(p.proargtypes) with ordinality a(t, place) order by place)::text[],
  format_type(p.prorettype, null)::text,
  p.proretset,
  p.provolatile::text,
  array(
    select format('%s %s', p.proargnames[a.place], format_type(a.t, null))
    from unnest(p.proallargtypes) with ordinality a(t, place)
    where p.proargmodes[a.place] = 't'
    order by a.place
  )::text[]
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('public', 'es')
  and p.prokind = 'f'";

/// A live function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFunction {
    /// Schema-qualified.
    pub name: String,
    /// Types of its arguments, as `format_type` says them.
    pub arguments: Vec<String>,
    /// Type of the answer.
    pub returns: String,
    /// Whether it returns a set.
    pub set: bool,
    /// `i`, `s` or `v`: immutable, stable, volatile.
    pub volatility: String,
    /// Columns of `returns table`: `id uuid`.
    pub columns: Vec<String>,
}

/// What the catalog expects of a function.
struct Wanted<'a> {
    whose: String,
    function: &'a str,
    arguments: Vec<&'static str>,
    returns: Returns,
}

/// What it returns.
enum Returns {
    /// One value of this type.
    One(&'static str),
    /// Rows of this table.
    RowsOf(String),
    /// Keys and ranks.
    Found,
}

pub(super) fn differences(catalog: &Catalog, live: &[LiveFunction]) -> Vec<String> {
    let wanted = wanted(catalog);
    wanted.iter().filter_map(|one| fault(one, live)).collect()
}

fn wanted(catalog: &Catalog) -> Vec<Wanted<'_>> {
    let mut out = vec![];
    let table = |name: &str| {
        let entity = catalog.entities.get(name);
        entity.map_or_else(String::new, |entity| entity.table.clone())
    };
    let returns = |source: &RowSource, entity: &str| match source.rank {
        Some(_) => Returns::Found,
        None => Returns::RowsOf(table(entity)),
    };
    for entity in catalog.entities.values() {
        for (name, field) in &entity.fields {
            let whose = format!("{}.{name}", entity.name);
            match field {
                Field::Computed(computed) => out.push(Wanted {
                    whose,
                    function: &computed.function,
                    arguments: types(true, &computed.arguments),
                    returns: Returns::One(expected(&computed.scalar)),
                }),
                Field::Money(money) => {
                    out.extend(money.function.as_ref().map(|function| Wanted {
                        whose,
                        function,
                        arguments: vec!["uuid"],
                        returns: Returns::One("bigint"),
                    }));
                }
                Field::Rows(rows) => out.push(Wanted {
                    whose,
                    function: &rows.source.function,
                    arguments: types(true, &rows.arguments),
                    returns: returns(&rows.source, &rows.entity),
                }),
                _ => {}
            }
        }
    }
    for function in catalog.functions.values() {
        if let Some(source) = &function.source {
            out.push(Wanted {
                whose: format!("Query.{}", function.field),
                function: &source.function,
                arguments: types(false, &function.arguments),
                returns: returns(source, &function.entity),
            });
        }
    }
    out
}

fn types(of_row: bool, arguments: &[Argument]) -> Vec<&'static str> {
    let key = of_row.then_some("uuid");
    let given = arguments.iter().map(|argument| expected(&argument.scalar));
    key.into_iter().chain(given).collect()
}

fn fault(wanted: &Wanted<'_>, live: &[LiveFunction]) -> Option<String> {
    let call = format!("{}({})", wanted.function, wanted.arguments.join(", "));
    let whose = &wanted.whose;
    let Some(found) = live
        .iter()
        .find(|one| one.name == wanted.function && one.arguments == wanted.arguments)
    else {
        return Some(format!("{whose} calls {call}, which does not exist"));
    };
    if found.volatility == "v" {
        return Some(format!("{whose} calls {call}, which is volatile"));
    }
    let returns = match &wanted.returns {
        Returns::One(kind) => (!found.set && found.returns == *kind, (*kind).to_owned()),
        Returns::RowsOf(table) => (
            found.set && found.returns == *table,
            format!("rows of {table}"),
        ),
        Returns::Found => (
            found.set && found.columns == ["id uuid", "rank integer"],
            "(id uuid, rank integer) rows".to_owned(),
        ),
    };
    match returns {
        (true, _) => None,
        (false, kind) => Some(format!(
            "{whose} calls {call}, which does not return {kind}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(change: impl FnOnce(&mut LiveFunction)) -> Vec<LiveFunction> {
        let mut function = LiveFunction {
            name: "public.found".to_owned(),
            arguments: vec!["uuid".to_owned(), "date".to_owned()],
            returns: "things".to_owned(),
            set: true,
            volatility: "s".to_owned(),
            columns: vec![],
        };
        change(&mut function);
        vec![function]
    }

    fn told(live: &[LiveFunction]) -> Option<String> {
        let wanted = Wanted {
            whose: "Thing.found".to_owned(),
            function: "public.found",
            arguments: vec!["uuid", "date"],
            returns: Returns::RowsOf("things".to_owned()),
        };
        fault(&wanted, live)
    }

    #[test]
    fn a_function_that_is_as_declared_is_no_difference() {
        assert_eq!(told(&live(|_| {})), None);
        assert_eq!(told(&live(|one| one.volatility = "i".to_owned())), None);
    }

    #[test]
    fn each_difference_is_told() {
        for (changed, says) in [
            (
                live(|one| one.name = "public.lost".to_owned()),
                "does not exist",
            ),
            (live(|one| one.arguments.truncate(1)), "does not exist"),
            (live(|one| one.volatility = "v".to_owned()), "is volatile"),
            (
                live(|one| one.set = false),
                "does not return rows of things",
            ),
            (
                live(|one| one.returns = "others".to_owned()),
                "does not return rows of things",
            ),
        ] {
            let told = told(&changed).unwrap_or_default();
            assert!(told.contains(says), "{told}: {says}");
        }
    }
}
