//! A compiled operation: text and typed parameters. It knows no driver. A plan is what can be used again: the texts,
//! and for each parameter how it is read from the variables of a request.

use std::sync::Arc;

use crate::{
    answer::{Denial, Fail, Part},
    catalog::{Catalog, Scalar},
    compile::Cursor,
    engine::Param,
    given::{Given, Need, Variables},
    joint::Joint,
    rows::Layout,
    values::{self, BadValue},
};

/// What goes to the database for one operation: all of it in one flight, in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Flight {
    /// Statements that open something for this transaction (an unlisted event by its slug); their answers are unread.
    pub preludes: Vec<Prelude>,
    /// One statement; its row is read by the layout that was compiled with it.
    pub sql: Arc<str>,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Whether its text was just made and may never come again, so that preparing it would cost a round trip for
    /// nothing.
    pub fresh: bool,
    /// Whether it is asked with keys alone: no key could make another plan the better one, so that one plan is enough.
    pub by_key: bool,
    /// What it may share with others of the same plan, where it stands for nobody.
    pub joint: Option<Arc<Joint>>,
}

/// A statement run before the operation's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Prelude {
    /// Text.
    pub sql: Arc<str>,
    /// Parameters.
    pub params: Vec<Param>,
}

/// How a parameter is made for each request.
#[derive(Clone, Debug)]
pub enum Slot {
    /// The same in every request.
    Fixed(Param),
    /// One value; the text names it in a message.
    One(Given, Scalar, String),
    /// A text of at most so many characters.
    Short(Given, String, usize),
    /// A list of at most so many values as one array.
    Many(Given, Scalar, String, usize),
    /// The key in a global id of the named type; of any type when it is empty.
    Key(Given, String),
    /// The keys in global ids of any types, as one array.
    Keys(Vec<Given>),
    /// The values of a cursor that are not null; which are null decided on the statement.
    Cursor(Given, Cursor, Vec<bool>),
}

/// A value that cannot be meant where a parameter was to be made.
#[derive(Debug)]
pub enum Unfit {
    /// Of the wrong kind.
    Value(BadValue),
    /// A cursor of another order, or none of ours, or one that needs another statement.
    Cursor,
}

impl From<BadValue> for Unfit {
    fn from(error: BadValue) -> Self {
        Self::Value(error)
    }
}

impl Slot {
    /// Whether it is the same in every request of a plan.
    pub fn is_fixed(&self) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::One(given, ..)
            | Self::Short(given, ..)
            | Self::Many(given, ..)
            | Self::Key(given, _)
            | Self::Cursor(given, ..) => matches!(given, Given::Fixed(_)),
            Self::Keys(each) => each.iter().all(|given| matches!(given, Given::Fixed(_))),
        }
    }

    /// Whether it is a key, or some.
    pub fn is_key(&self) -> bool {
        matches!(
            self,
            Self::Key(..) | Self::Keys(_) | Self::Fixed(Param::Uuid(_) | Param::Uuids(_))
        )
    }

    /// Adds the parameters that it stands for.
    pub fn fill(
        &self,
        catalog: &Catalog,
        variables: &Variables,
        params: &mut Vec<Param>,
    ) -> Result<(), Unfit> {
        params.push(match self {
            Self::Fixed(param) => param.clone(),
            Self::One(given, scalar, what) => {
                values::param(catalog, scalar, &given.resolve(variables), what)?
            }
            Self::Short(given, what, longest) => {
                let text = values::text(&given.resolve(variables), what)?;
                if text.chars().count() > *longest {
                    let message = format!("{what} has at most {longest} characters");
                    return Err(BadValue(message).into());
                }
                Param::Text(text)
            }
            Self::Many(given, scalar, what, most) => {
                let items = values::items(&given.resolve(variables));
                if items.len() > *most {
                    return Err(BadValue(format!("`{what}` takes at most {most} values")).into());
                }
                values::array_param(catalog, scalar, &items, what)?
            }
            Self::Key(given, type_name) => {
                Param::Uuid(values::key(catalog, type_name, &given.resolve(variables)))
            }
            Self::Keys(each) => Param::Uuids(
                each.iter()
                    .map(|given| values::key(catalog, "", &given.resolve(variables)))
                    .collect(),
            ),
            Self::Cursor(given, cursor, mask) => {
                let read = cursor
                    .read(&given.resolve(variables))
                    .ok_or(Unfit::Cursor)?;
                if !read.iter().map(Option::is_some).eq(mask.iter().copied()) {
                    return Err(Unfit::Cursor);
                }
                params.extend(read.into_iter().flatten());
                return Ok(());
            }
        });
        Ok(())
    }
}

/// A statement whose parameters are still to be filled.
#[derive(Clone, Debug)]
pub struct Template {
    /// Text.
    pub sql: Arc<str>,
    /// How its parameters are made, in their order.
    pub slots: Vec<Slot>,
}

impl Template {
    /// Whether all of its parameters are keys.
    pub fn is_by_key(&self) -> bool {
        self.slots.iter().all(Slot::is_key)
    }

    /// Its parameters for these variables.
    pub fn fill(&self, catalog: &Catalog, variables: &Variables) -> Result<Vec<Param>, Unfit> {
        let mut params = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            slot.fill(catalog, variables, &mut params)?;
        }
        Ok(params)
    }
}

/// What goes to the database for one operation, whose parameters are still to be filled.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The statement.
    pub template: Template,
    /// Statements before it.
    pub preludes: Vec<Template>,
    /// How the columns of its row belong together.
    pub layout: Layout,
    /// What requests may share, where those who ask stand for nobody.
    pub joint: Option<Arc<Joint>>,
}

impl Statement {
    /// The statement after its preludes, with the values of these variables.
    pub fn flight(&self, catalog: &Catalog, variables: &Variables) -> Result<Flight, Unfit> {
        let preludes = self.preludes.iter().map(|prelude| {
            Ok(Prelude {
                sql: prelude.sql.clone(),
                params: prelude.fill(catalog, variables)?,
            })
        });
        Ok(Flight {
            preludes: preludes.collect::<Result<_, Unfit>>()?,
            sql: self.template.sql.clone(),
            params: self.template.fill(catalog, variables)?,
            fresh: false,
            by_key: self.template.is_by_key(),
            joint: self.joint.clone(),
        })
    }
}

/// A query operation, compiled for callers of one standing.
#[derive(Debug)]
pub struct Plan {
    /// The pieces of `data`.
    pub parts: Part,
    /// Root fields that were refused while compiling; they are null.
    pub fails: Vec<Fail>,
    /// What was refused below root fields; told where an answer comes to it.
    pub denials: Vec<Denial>,
    /// Points.
    pub cost: u64,
    /// The statement; `None` when nothing needs the database.
    pub statement: Option<Statement>,
    /// What it takes for granted of the variables.
    pub needs: Vec<Need>,
    /// Whether it asks about the schema; those pieces are filled in when it runs.
    pub introspects: bool,
    /// Whether something in the answer holds for the moment only, such as what is left of a ticket type: it changes by
    /// the clock, and by what others do.
    pub of_now: bool,
}

impl Plan {
    /// Whether it is what would be compiled for these variables.
    pub fn serves(&self, variables: &Variables) -> bool {
        self.needs.iter().all(|need| need.holds(variables))
    }

    /// The flight with the values of these variables; `None` when nothing needs the database.
    pub fn flight(
        &self,
        catalog: &Catalog,
        variables: &Variables,
    ) -> Result<Option<Flight>, Unfit> {
        self.statement
            .as_ref()
            .map(|statement| statement.flight(catalog, variables))
            .transpose()
    }

    /// Bytes that it holds, about.
    pub fn weight(&self) -> usize {
        let statement = self.statement.as_ref().map_or(0, |statement| {
            let texts: usize = std::iter::once(&statement.template)
                .chain(&statement.preludes)
                .map(|template| template.sql.len() + 128 * template.slots.len())
                .sum();
            let joint = statement.joint.as_ref().map_or(0, |joint| joint.weight());
            texts + joint + 16 * statement.layout.columns.len()
        });
        1024 + statement + self.parts.weight() + 128 * (self.needs.len() + self.denials.len())
    }
}
