//! The operations of the main job as types: `graphql_client` makes them from `schema.graphql` when this is compiled.

use graphql_client::GraphQLQuery;

// Exact as texts.
type BigInt = String;
type CurrencyCode = String;
type DateTime = String;
type Decimal = String;

/// A type for each operation, with a module of its own for what it takes and answers.
macro_rules! operations {
    ($($name:ident),+ $(,)?) => {
        $(
            #[derive(GraphQLQuery)]
            #[graphql(
                schema_path = "../../schema.graphql",
                query_path = "../main-job.graphql",
                response_derives = "Clone,Debug,PartialEq",
                variables_derives = "Clone,Debug,Default",
                skip_serializing_none
            )]
            pub struct $name;
        )+
    };
}

operations!(
    SignUp,
    VerifyEmail,
    SignIn,
    CreateOrganization,
    CreateEvent,
    CreateSpeaker,
    CreateSession,
    CreateSessionSpeaker,
    CreateCapacityPool,
    CreateTicketType,
    CreateTicketTypePool,
    PublishEvent,
    EventPage,
    PlaceRegistration,
    ConfirmRegistration,
    Registrations,
    CancelRegistration,
    SeenFromElsewhere,
);
