//! Where an answer meets what its caller is denied: once for each place of the response, as the specification has errors
//! told. Only answers with something denied in them are walked through.

use std::ops::ControlFlow;

use super::{Reading, Shape, shape::turned};

/// Places that are told of one answer. There may be as many as rows; whoever has read a hundred errors knows.
const MOST_TOLD: usize = 100;

/// A part of the path to a field of the response.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Step {
    /// A response key.
    Key(String),
    /// The place in a list, counted from 0.
    Index(usize),
}

/// Something denied that the answer came to.
#[derive(Clone, Debug)]
pub struct Met {
    /// Number of the denial.
    pub denial: usize,
    /// The field.
    pub path: Vec<Step>,
}

/// Where a walk stands, and what it met.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    path: Vec<Step>,
    met: Vec<Met>,
}

/// `Break`: there is no value here, so there is none around it either, up to what can be null.
type Flow = ControlFlow<()>;

impl Trail {
    /// A walk that begins at that field.
    pub(crate) fn at(path: &[&str]) -> Self {
        let path = path.iter().map(|key| Step::Key((*key).to_owned()));
        Self {
            path: path.collect(),
            met: vec![],
        }
    }

    /// What it met, in the order of the answer.
    pub(crate) fn met(self) -> Vec<Met> {
        self.met
    }

    /// Goes into a field or an item, and comes back.
    pub(crate) fn step(&mut self, step: Step, into: impl FnOnce(&mut Self) -> Flow) -> Flow {
        self.path.push(step);
        let flow = into(self);
        self.path.pop();
        flow
    }

    /// Goes into the fields of an object, as far as it is one.
    pub(crate) fn fields<T>(
        &mut self,
        fields: &[(String, T)],
        mut into: impl FnMut(&T, &mut Self) -> Flow,
    ) -> Flow {
        for (key, field) in fields {
            self.step(Step::Key(key.clone()), |trail| into(field, trail))?;
        }
        Flow::Continue(())
    }

    fn meet(&mut self, denial: usize) -> Flow {
        if self.met.len() < MOST_TOLD {
            let path = self.path.clone();
            self.met.push(Met { denial, path });
        }
        Flow::Break(())
    }
}

impl Shape {
    /// Whether something in it is denied and takes what is around it along.
    pub(crate) fn may_be_missing(&self) -> bool {
        match self {
            Self::Denied(_) => true,
            Self::Object { fields, .. } => fields.iter().any(|(_, field)| field.may_be_missing()),
            Self::One { row, .. } | Self::Rows { row, .. } | Self::Paid(_, row) => {
                row.may_be_missing()
            }
            Self::Picked { levels, .. } => levels.iter().any(|(_, row)| row.may_be_missing()),
            Self::Nullable(_)
            | Self::Text(_)
            | Self::Value(..)
            | Self::More { .. }
            | Self::Edge { .. } => false,
        }
    }

    /// Walks through what the piece shows of that row.
    pub(crate) fn walk(&self, reading: &Reading<'_>, row: usize, trail: &mut Trail) -> Flow {
        match self {
            Self::Denied(denial) => trail.meet(*denial),
            Self::Paid(_, inner) => inner.walk(reading, row, trail),
            Self::Nullable(inner) => {
                // The place is null; what stands beside it is not.
                let _ = inner.walk(reading, row, trail);
                Flow::Continue(())
            }
            Self::Object { present, fields } => {
                match present.is_some_and(|column| reading.value(column, row).is_none()) {
                    true => Flow::Continue(()),
                    false => trail.fields(fields, |field, trail| field.walk(reading, row, trail)),
                }
            }
            Self::One { level, row: shape } => match reading.below(*level, row).next() {
                None => Flow::Continue(()),
                Some(theirs) => shape.walk(reading, theirs, trail),
            },
            Self::Rows {
                level,
                page,
                row: shape,
            } => {
                let rows = reading.below(*level, row);
                let (first, shown) = (rows.start, rows.len().min(page.size));
                for at in 0..shown {
                    let theirs = first + turned(*page, shown, at);
                    trail.step(Step::Index(at), |trail| shape.walk(reading, theirs, trail))?;
                }
                Flow::Continue(())
            }
            Self::Picked { levels, picks } => {
                for (at, pick) in picks.iter().enumerate() {
                    let Some((shape, theirs)) = pick.and_then(|(index, place)| {
                        let (level, shape) = levels.get(index)?;
                        Some((shape, reading.below(*level, place).next()?))
                    }) else {
                        continue;
                    };
                    trail.step(Step::Index(at), |trail| shape.walk(reading, theirs, trail))?;
                }
                Flow::Continue(())
            }
            Self::Text(_) | Self::Value(..) | Self::More { .. } | Self::Edge { .. } => {
                Flow::Continue(())
            }
        }
    }
}
