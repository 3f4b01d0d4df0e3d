//! Fields below the root that are not given: what the caller may not ask, known before anything is read, and after an
//! SQL error what may have raised it. The field is null where it can be, else what is around it is; everything beside is
//! compiled as if the field had not been asked for.

use async_graphql::Pos;

use super::{CompileError, Compiler, Priced, Result};
use crate::{answer::Denial, collect::Selected, rows::Shape};

/// Fields whose SQL may fail by what it computes: functions and aggregates.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    met: Vec<Pos>,
    left_out: Vec<Pos>,
}

/// What had been compiled at some point.
pub(super) struct Mark {
    slots: usize,
    placed: usize,
    preludes: usize,
    outputs: usize,
    levels: Vec<(usize, usize, bool, bool)>,
    denials: usize,
    predicates: usize,
    cost: u64,
}

impl<'a> Compiler<'a> {
    /// Compiles as if these fields could not be given.
    pub fn without(mut self, fields: &[Pos]) -> Self {
        self.suspects.left_out = fields.to_vec();
        self
    }

    /// The fields that could have raised an SQL error, by where they stand in the document.
    pub fn suspects(&mut self) -> Vec<Pos> {
        std::mem::take(&mut self.suspects.met)
    }

    /// Says that the field may fail by what it computes; refuses it where it is to be left out.
    pub(super) fn suspect(&mut self, selected: &Selected<'_>) -> Result<()> {
        let suspects = &mut self.suspects;
        if suspects.left_out.contains(&selected.pos) {
            return Err(CompileError::Denied {
                code: "INTERNAL",
                message: "internal error".to_owned(),
            });
        }
        if !suspects.met.contains(&selected.pos) {
            suspects.met.push(selected.pos);
        }
        Ok(())
    }

    /// A field below the root. What is denied is a shape like any other; nothing of it stays in the statement.
    pub(super) fn below(
        &mut self,
        selected: &Selected<'a>,
        nullable: bool,
        compile: impl FnOnce(&mut Self) -> Result<Priced>,
    ) -> Result<Priced> {
        let mark = self.mark();
        let priced = match compile(self) {
            Err(CompileError::Denied { code, message }) => {
                self.rewind(&mark);
                self.denials.push(Denial {
                    code,
                    message,
                    pos: selected.pos,
                });
                Priced {
                    shape: Shape::Denied(self.denials.len() - 1),
                    cost: 0,
                }
            }
            other => other?,
        };
        Ok(match nullable {
            true => Priced {
                shape: self.nullable(priced.shape),
                ..priced
            },
            false => priced,
        })
    }

    /// The shape at a place that can be null.
    pub(super) fn nullable(&self, shape: Shape) -> Shape {
        match !self.denials.is_empty() && shape.may_be_missing() {
            true => Shape::Nullable(Box::new(shape)),
            false => shape,
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            slots: self.slots.len(),
            placed: self.placed.len(),
            preludes: self.preludes.len(),
            outputs: self.outputs.len(),
            levels: self.levels.iter().map(|level| level.mark()).collect(),
            denials: self.denials.len(),
            predicates: self.predicates,
            cost: self.cost,
        }
    }

    pub(super) fn rewind(&mut self, mark: &Mark) {
        self.slots.truncate(mark.slots);
        self.placed.truncate(mark.placed);
        self.preludes.truncate(mark.preludes);
        self.outputs.truncate(mark.outputs);
        self.levels.truncate(mark.levels.len());
        for (level, was) in self.levels.iter_mut().zip(&mark.levels) {
            level.rewind(*was);
        }
        self.denials.truncate(mark.denials);
        self.predicates = mark.predicates;
        self.cost = mark.cost;
    }
}
