//! The schema that clients see: an async-graphql dynamic schema built from the catalog. It parses, validates,
//! introspects and prints itself; it never executes a field of ours.

mod aggregates;
mod deprecated;
mod directives;
mod entities;
mod inputs;
mod mutations;
mod shared;
mod subscriptions;
mod typename;

use std::sync::Arc;

use async_graphql::{
    Request, Response, SDLExportOptions, ServerError,
    dynamic::{Field, FieldFuture, FieldValue, Schema, SchemaBuilder, SchemaError, TypeRef},
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute},
    parser::types::ExecutableDocument,
};

use crate::catalog::Catalog;

/// The schema front.
#[derive(Clone)]
pub struct Front {
    schema: Schema,
}

/// Request data that stops async-graphql after validation.
struct ValidateOnly;

struct StopBeforeExecution;

impl ExtensionFactory for StopBeforeExecution {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for StopBeforeExecution {
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        match ctx.data_opt::<ValidateOnly>() {
            Some(_) => Response::default(),
            None => next.run(ctx, operation_name).await,
        }
    }
}

impl Front {
    /// Builds the schema of the catalog.
    pub fn build(catalog: &Catalog) -> Result<Self, SchemaError> {
        let mutation = (!catalog.verbs.is_empty()).then_some("Mutation");
        let subscription = (!catalog.subscriptions.is_empty()).then_some("Subscription");
        let mut builder = Schema::build("Query", mutation, subscription)
            .extension(StopBeforeExecution)
            // Our own guard has bounded the document before (see `guard.rs`).
            .limit_recursive_depth(64);
        builder = shared::register(builder, catalog);
        builder = entities::register(builder, catalog);
        builder = aggregates::register(builder, catalog);
        builder = inputs::register(builder, catalog);
        builder = mutations::register(builder, catalog);
        builder = subscriptions::register(builder, catalog);
        Ok(Self {
            schema: builder.finish()?,
        })
    }

    /// The schema definition.
    pub fn sdl(&self) -> String {
        let options = SDLExportOptions::new().include_specified_by();
        self.schema.sdl_with_options(options) + directives::DEFINITIONS
    }

    /// Validates a document, whatever variables come with it later.
    pub async fn validate(
        &self,
        document: &ExecutableDocument,
        operation_name: Option<&str>,
    ) -> Result<(), Vec<ServerError>> {
        let mut request = Request::new("").data(ValidateOnly);
        request.operation_name = operation_name.map(str::to_owned);
        request.set_parsed_query(typename::within_fragments(document));
        let response = self.schema.execute(request).await;
        match response.errors.is_empty() {
            true => Ok(()),
            false => Err(response.errors),
        }
    }

    /// Answers `__schema` and `__type`.
    pub async fn introspect(
        &self,
        document: ExecutableDocument,
        operation_name: Option<&str>,
        variables: serde_json::Value,
    ) -> Response {
        let mut request =
            Request::new("").variables(async_graphql::Variables::from_json(variables));
        request.operation_name = operation_name.map(str::to_owned);
        request.set_parsed_query(document);
        self.schema.execute(request).await
    }
}

/// A field that the front only describes: if it were ever resolved, it would be null.
fn described(name: &str, type_ref: TypeRef, description: &str) -> Field {
    let field = Field::new(name, type_ref, |_| {
        FieldFuture::new(async { Ok(None::<FieldValue>) })
    });
    match description.is_empty() {
        true => field,
        false => field.description(description),
    }
}

pub(crate) use mutations::{payload_name, user_error_name};
pub(crate) use subscriptions::META;

type Builder = SchemaBuilder;
