//! Root fields of `Subscription`, described: what happened (when, to what) and the thing itself, read anew each time by
//! the client's own selection.

use crate::catalog::{Argument, Catalog, CatalogError, Scalar};

/// The argument by which a client goes on where it was cut off.
pub const AFTER: &str = "after";

/// A root field of `Subscription`.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Name in the API: `registrationChanged`.
    pub field: String,
    /// Public description.
    pub description: String,
    /// Arguments, all of them ids: which things it is about.
    pub arguments: Vec<Argument>,
    /// Type of its messages: `RegistrationChange`.
    pub message: String,
    /// Entity of the thing that changed.
    pub entity: String,
    /// Field of the message that holds it.
    pub object: String,
    /// What that is, for people.
    pub object_description: String,
}

impl Subscription {
    /// A root field whose messages hold one entity.
    pub fn new(field: &str, message: &str, (object, entity): (&str, &str)) -> Self {
        Self {
            field: field.to_owned(),
            description: String::new(),
            arguments: vec![],
            message: message.to_owned(),
            entity: entity.to_owned(),
            object: object.to_owned(),
            object_description: String::new(),
        }
    }

    /// What it tells of, for people.
    pub fn described(mut self, description: &str, of_object: &str) -> Self {
        self.description = description.to_owned();
        self.object_description = of_object.to_owned();
        self
    }

    /// An id that narrows it down.
    pub fn about(self, name: &str, entity: &str, required: bool, description: &str) -> Self {
        let mut argument = Argument::needed(name, Scalar::Id(entity.to_owned()), description);
        argument.required = required;
        Self {
            arguments: self.arguments.into_iter().chain([argument]).collect(),
            ..self
        }
    }
}

impl Catalog {
    /// Adds a root field of `Subscription`.
    pub fn add_subscription(&mut self, subscription: Subscription) -> Result<(), CatalogError> {
        let field = subscription.field.clone();
        match self.subscriptions.insert(field.clone(), subscription) {
            None => Ok(()),
            Some(_) => Err(CatalogError::Twice(format!("the subscription {field}"))),
        }
    }

    pub(crate) fn check_subscriptions(&self) -> Result<(), CatalogError> {
        for subscription in self.subscriptions.values() {
            let field = &subscription.field;
            let things = subscription
                .arguments
                .iter()
                .map(|argument| match &argument.scalar {
                    Scalar::Id(entity) => Ok(entity),
                    _ => Err(CatalogError::Unknown(format!(
                        "the argument {} of {field} is no id",
                        argument.name
                    ))),
                });
            for entity in things.chain([Ok(&subscription.entity)]) {
                let entity = entity?;
                if !self.entities.contains_key(entity) {
                    return Err(CatalogError::Unknown(format!(
                        "{field} is about {entity}, which is not declared"
                    )));
                }
            }
        }
        Ok(())
    }
}
