//! The subscription type and its messages.

use async_graphql::{
    dynamic::{
        InputValue, Object, Subscription as Root, SubscriptionField, SubscriptionFieldFuture,
        TypeRef,
    },
    futures_util::stream,
};

use super::{Builder, deprecated, described, directives, entities::scalar_ref};
use crate::{
    catalog::Catalog,
    subscription::{AFTER, Subscription},
};

/// Fields that every message has beside the thing that changed: name, type, description.
pub(crate) const META: [(&str, &str, &str); 5] = [
    (
        "id",
        "ID",
        "Key of what happened; the same however often it is told, and the same as in a webhook.",
    ),
    (
        "type",
        "String",
        "What happened, such as `registration.confirmed`; `subscription.started` in the first message. Expect new ones.",
    ),
    ("version", "Int", "Version of what that type means."),
    ("at", "DateTime", "When it happened."),
    (
        "cursor",
        "String",
        "Where this stands in all that happens: give it as `after` to go on behind it.",
    ),
];

pub(super) fn register(mut builder: Builder, catalog: &Catalog) -> Builder {
    if catalog.subscriptions.is_empty() {
        return builder;
    }
    let mut root = Root::new("Subscription").description(
        "What changes, as it changes, over WebSocket or server-sent events. One field an operation.",
    );
    for subscription in catalog.subscriptions.values() {
        builder = builder.register(message(subscription, catalog));
        root = root.field(field(subscription, catalog));
    }
    builder.register(root)
}

fn field(subscription: &Subscription, catalog: &Catalog) -> SubscriptionField {
    let scope = catalog.entities.get(&subscription.entity);
    let scope = scope.and_then(|entity| entity.scope.as_ref());
    let description = match scope {
        Some(scope) => directives::scope_sentence(&subscription.description, scope, false),
        None => subscription.description.clone(),
    };
    // It is never resolved: the front validates only.
    let field = SubscriptionField::new(
        &subscription.field,
        TypeRef::named(&subscription.message),
        |_| {
            SubscriptionFieldFuture::new(async {
                Ok(stream::empty::<async_graphql::Result<async_graphql::Value>>())
            })
        },
    )
    .description(description);
    let owner = ("Subscription", subscription.field.as_str());
    let after = InputValue::new(AFTER, TypeRef::named(TypeRef::STRING)).description(
        "Cursor of the last message that was seen: what happened since then is told first. With an error that says \
         `CURSOR_EXPIRED`, read anew and subscribe without it.",
    );
    let given = subscription.arguments.iter().map(|argument| {
        let value = InputValue::new(
            &argument.name,
            scalar_ref(&argument.scalar, !argument.required),
        )
        .description(&argument.description);
        deprecated::argument(catalog, owner, &argument.name, value)
    });
    given
        .chain([after])
        .fold(field, SubscriptionField::argument)
}

fn message(subscription: &Subscription, catalog: &Catalog) -> Object {
    let own = &subscription.message;
    let object = Object::new(own)
        .description(format!("A message of `{}`.", subscription.field))
        .directive(directives::cost(0));
    let object = META.iter().fold(object, |object, (name, type_name, text)| {
        let field = described(name, TypeRef::named_nn(*type_name), text);
        object.field(deprecated::field(catalog, own, name, field))
    });
    let thing = described(
        &subscription.object,
        TypeRef::named(&subscription.entity),
        &subscription.object_description,
    );
    object.field(deprecated::field(catalog, own, &subscription.object, thing))
}
