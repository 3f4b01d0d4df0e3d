//! Every mutation with ids of another organization, alone and among one's own: nothing of it changes, nothing of it
//! is told, and the answer is that for ids of nothing. Then the rightful owner does the same, and it is done.

use std::collections::{BTreeSet, HashMap};

use eventsphere_graphql::{
    catalog::{Catalog, Entity},
    global_id,
    verb::Verb,
};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    ask::{Answer, Who},
    inputs::{Place, Said, document, gives_way, has_choice, input, places},
    ledger,
    reads::{Secrets, of_nothing},
    rows::{belongs, snapshot},
    secrets::BY_SECRET,
    world::{Side, world},
};
use crate::harness::TestApp;

/// (mutation, place in its input, condition on the row): states that the catalog does not know of. What is not here
/// takes a row of the closed event, else one that nothing needs, else any.
const SUBJECTS: &[(&str, &str, &str)] = &[
    ("publishEvent", "eventId", "slug = '{tag}-draft-day'"),
    ("completeEvent", "eventId", "slug = '{tag}-closed-two-day'"),
    ("cancelEvent", "eventId", "slug = '{tag}-unlisted-day'"),
    ("archiveEvent", "eventId", "slug = '{tag}-over-day'"),
    ("restoreEvent", "eventId", "slug = '{tag}-shelved-day'"),
    ("deleteSession", "id", "title = '{tag} closed closing'"),
    ("deleteEvent", "eventId", "slug = '{tag}-scrap-day'"),
    ("createOnlineAccess", "eventId", "slug = '{tag}-bare-day'"),
    (
        "createTicketTypePool",
        "poolId",
        "name = '{tag} closed spare seats'",
    ),
    (
        "deleteCapacityPool",
        "id",
        "name = '{tag} bare spare seats'",
    ),
    ("deleteTicketType", "id", "name = '{tag} bare hidden'"),
    // Nobody bought in it: of what was sold, less cannot be offered.
    ("updatePriceTier", "id", "name = '{tag} closed spare early'"),
    ("deletePriceTier", "id", "name = '{tag} bare spare early'"),
    (
        "updatePromoCode",
        "id",
        "lower(code) = '{tag}-closed-spare'",
    ),
    ("deletePromoCode", "id", "lower(code) = '{tag}-bare-spare'"),
    (
        "createPromoCodeTicketType",
        "ticketTypeId",
        "name = '{tag} closed hidden'",
    ),
    (
        "createTicketTypeAddOn",
        "addOnId",
        "name = '{tag} closed hidden'",
    ),
    (
        "deleteTicketTypePool",
        "id",
        "event_id = (select id from events where slug = '{tag}-bare-day')",
    ),
    (
        "confirmRegistration",
        "registrationId",
        "status = 'held' and event_id = {closed}",
    ),
    (
        "confirmRegistration",
        "attendees.itemId",
        "registration_id = (select id from registrations where status = 'held' and event_id = {closed} order by id limit 1)",
    ),
    (
        "cancelRegistration",
        "registrationId",
        "id = (select id from registrations where status = 'confirmed' and event_id = {closed} order by id limit 1)",
    ),
    (
        "approveRegistration",
        "registrationId",
        "id = (select r.id from registrations r join events e on e.id = r.event_id where e.slug = '{tag}-careful-day' and r.status = 'pending_approval' order by r.id offset 0 limit 1)",
    ),
    (
        "approveRegistrations",
        "registrationIds",
        "id = (select r.id from registrations r join events e on e.id = r.event_id where e.slug = '{tag}-careful-day' and r.status = 'pending_approval' order by r.id offset 1 limit 1)",
    ),
    (
        "rejectRegistration",
        "registrationId",
        "id = (select r.id from registrations r join events e on e.id = r.event_id where e.slug = '{tag}-careful-day' and r.status = 'pending_approval' order by r.id offset 2 limit 1)",
    ),
    (
        "rejectRegistrations",
        "registrationIds",
        "id = (select r.id from registrations r join events e on e.id = r.event_id where e.slug = '{tag}-careful-day' and r.status = 'pending_approval' order by r.id offset 3 limit 1)",
    ),
    (
        "extendRegistration",
        "registrationId",
        "status = 'held' and event_id = (select id from events where slug = '{tag}-closed-two-day')",
    ),
    (
        "changeRegistration",
        "registrationId",
        "id = (select t.registration_id from ticket_transfers f join tickets t on t.id = f.ticket_id where f.status = 'offered' and f.event_id = {plain})",
    ),
    (
        "changeRegistration",
        "swap.itemId",
        "registration_id = (select t.registration_id from ticket_transfers f join tickets t on t.id = f.ticket_id where f.status = 'offered' and f.event_id = {plain})",
    ),
    (
        "changeRegistration",
        "swap.ticketTypeId",
        "name = '{tag} plain hidden'",
    ),
    (
        "changeRegistration",
        "add.ticketTypeId",
        "name = '{tag} plain standard'",
    ),
    (
        "changeRegistration",
        "reassign.itemId",
        "registration_id = (select t.registration_id from ticket_transfers f join tickets t on t.id = f.ticket_id where f.status = 'offered' and f.event_id = {plain})",
    ),
    (
        "cancelRegistration",
        "itemIds",
        "registration_id = (select id from registrations where status = 'confirmed' and event_id = {closed} order by id limit 1)",
    ),
    (
        "transferTicket",
        "ticketId",
        "status = 'valid' and received and event_id = {plain}",
    ),
    (
        "cancelTransfer",
        "transferId",
        "status = 'offered' and event_id = {plain}",
    ),
    (
        "createCheckInListTicketType",
        "listId",
        "name = '{tag} closed spare door'",
    ),
    (
        "deleteCheckInList",
        "id",
        "name = '{tag} closed spare door'",
    ),
    (
        "reservePromoCodeStock",
        "promoCodeId",
        "lower(code) = '{tag}-closed-keeps'",
    ),
    (
        "reservePromoCodeStock",
        "capacityPoolIds",
        "name = '{tag} closed seats'",
    ),
    ("changeHold", "holdId", "name = '{tag} closed door hold'"),
    ("releaseHold", "holdId", "name = '{tag} closed spare hold'"),
    (
        "acceptWaitlistOffer",
        "waitlistEntryId",
        "name = '{tag} closed wait 2'",
    ),
    (
        "declineWaitlistOffer",
        "waitlistEntryId",
        "name = '{tag} closed wait 3'",
    ),
    (
        "leaveWaitlist",
        "waitlistEntryId",
        "name = '{tag} closed wait 4'",
    ),
    (
        "prioritizeWaitlistEntries",
        "waitlistEntryIds",
        "name = '{tag} closed wait 5'",
    ),
    (
        "createPayment",
        "registrationId",
        "status = 'pending_payment' and event_id = {closed}",
    ),
    ("createPayment", "paymentAccountId", "provider = 'sandbox'"),
    (
        "markPaymentReceived",
        "paymentId",
        "status = 'pending' and provider = 'offline' and event_id = {closed}",
    ),
    (
        "markRefundSent",
        "refundId",
        "status = 'in_transit' and event_id = {closed}",
    ),
    (
        "refundPayment",
        "paymentId",
        "status = 'succeeded' and provider = 'sandbox' and event_id = {closed}",
    ),
    ("replayJobs", "jobIds", "status = 'dead'"),
    ("changeMemberRole", "roleId", "key = 'staff'"),
    ("updateRole", "roleId", "key = 'auditor'"),
    ("deleteRole", "roleId", "key = 'idle'"),
    ("revokeApiToken", "apiTokenId", "revoked_at is null"),
    ("replayWebhookDeliveries", "deliveryIds", "status = 'dead'"),
    (
        "retryWebhookDeliveries",
        "deliveryIds",
        "status = 'pending'",
    ),
    (
        "deleteWebhookEndpoint",
        "id",
        "description = '{tag} spare hooks'",
    ),
    ("revokeInvitation", "invitationId", "status = 'pending'"),
];

/// Nobody buys at a closed event, so the owner's turn is at the open one.
const OWNERS_TURN: &[(&str, &str, &str)] = &[
    ("placeRegistration", "eventId", "slug = '{tag}-open-day'"),
    (
        "placeRegistration",
        "occurrenceId",
        "event_id = (select id from events where slug = '{tag}-open-day')",
    ),
    (
        "placeRegistration",
        "lines.ticketTypeId",
        "name = '{tag} open standard'",
    ),
    (
        "placeRegistration",
        "holdId",
        "name = '{tag} open door hold'",
    ),
    ("priceCheckout", "eventId", "slug = '{tag}-open-day'"),
    (
        "priceCheckout",
        "occurrenceId",
        "event_id = (select id from events where slug = '{tag}-open-day')",
    ),
    (
        "priceCheckout",
        "lines.ticketTypeId",
        "name = '{tag} open standard'",
    ),
    ("joinWaitlist", "eventId", "slug = '{tag}-open-day'"),
    (
        "joinWaitlist",
        "occurrenceId",
        "event_id = (select id from events where slug = '{tag}-open-day')",
    ),
    (
        "joinWaitlist",
        "lines.ticketTypeId",
        "name = '{tag} open scarce'",
    ),
    (
        "acceptWaitlistOffer",
        "waitlistEntryId",
        "name = '{tag} open wait 2'",
    ),
];

fn condition(entity: &Entity, verb: &str, place: &str, first: &[(&str, &str, &str)]) -> String {
    let named = first.iter().chain(SUBJECTS);
    let named = named
        .into_iter()
        .find(|(v, p, _)| *v == verb && *p == place);
    if let Some((_, _, condition)) = named {
        return (*condition).to_owned();
    }
    let default = match entity.table.as_str() {
        "events" => "id = {closed}",
        "roles" => "key = 'viewer'",
        "members" => "user_id = (select id from users where email = 'leaver@{tag}.example')",
        "venues" | "speakers" => "name like '{tag} spare %'",
        _ if entity.column("event_id").is_some() => "event_id = {closed}",
        _ => "true",
    };
    default.to_owned()
}

/// Rows to name, by place of each mutation.
type Subjects = HashMap<(String, String), String>;

async fn subjects(
    admin: &Client,
    catalog: &Catalog,
    side: &Side,
    first: &[(&str, &str, &str)],
) -> Subjects {
    let mut out = HashMap::new();
    for verb in catalog.verbs.values() {
        for (place, name) in places(catalog, verb) {
            let entity = &catalog.entities[&name];
            let columns: Vec<_> = entity
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect();
            let whose = belongs(&entity.table, &columns, side.org).expect("whose row");
            let which = condition(entity, &verb.name, &place, first)
                .replace(
                    "{closed}",
                    "(select id from events where slug = '{tag}-closed-day')",
                )
                .replace(
                    "{plain}",
                    "(select id from events where slug = '{tag}-plain-day')",
                )
                .replace("{tag}", side.tag);
            let sql = format!(
                "select {} from {} where {whose} and {which} order by 1 limit 1",
                entity.key, entity.table
            );
            let row = admin
                .query_opt(&sql, &[])
                .await
                .unwrap_or_else(|error| panic!("{error}: {sql}"));
            let key: Uuid = row
                .unwrap_or_else(|| {
                    panic!(
                        "no {name} for {}.{place}; name one in SUBJECTS: {sql}",
                        verb.name
                    )
                })
                .get(0);
            out.insert(
                (verb.name.clone(), place),
                global_id::encode(entity.tag, key),
            );
        }
    }
    out
}

/// Which ids an attack carries, by the place that is attacked.
#[derive(Clone, Copy)]
enum Ids<'a> {
    /// B's, or of nothing.
    All { nothing: bool },
    /// One of B's, or of nothing, among A's own.
    One { place: &'a str, nothing: bool },
}

struct Attack<'a> {
    catalog: &'a Catalog,
    ours: &'a Subjects,
    theirs: &'a Subjects,
}

impl Attack<'_> {
    fn input(&self, verb: &Verb, said: Said, ids: Ids<'_>) -> Value {
        let id = |(place, _): &Place| {
            let at = (verb.name.clone(), place.clone());
            if !self.theirs.contains_key(&at) {
                return None;
            }
            let theirs = |nothing: bool| match nothing {
                true => of_nothing(&self.theirs[&at]),
                false => self.theirs[&at].clone(),
            };
            Some(match ids {
                Ids::All { nothing } => theirs(nothing),
                Ids::One {
                    place: attacked,
                    nothing,
                } if attacked == place => theirs(nothing),
                Ids::One {
                    place: attacked, ..
                } if gives_way(verb, place, attacked) => return None,
                Ids::One { .. } => self.ours[&at].clone(),
            })
        };
        input(self.catalog, verb, said, &id)
    }

    async fn make(
        &self,
        app: &TestApp,
        who: &Who,
        (verb, said): (&Verb, Said),
        ids: Ids<'_>,
    ) -> Answer {
        let variables = json!({ "input": self.input(verb, said, ids) });
        who.asks(app, &document(self.catalog, verb), &variables)
            .await
    }

    /// Many mutations in one document; each is a transaction of its own.
    async fn make_all(
        &self,
        app: &TestApp,
        who: &Who,
        (verbs, said): (&[&Verb], Said),
        nothing: bool,
    ) -> Answer {
        let (mut header, mut body, mut variables) = (String::new(), String::new(), json!({}));
        for (index, verb) in verbs.iter().enumerate() {
            let one = document(self.catalog, verb).replace("$input", &format!("$i{index}"));
            let inner = one.split_once('{').expect("a body").1.trim();
            body += &format!("m{index}: {} ", inner.strip_suffix('}').expect("an end"));
            header += &format!("$i{index}: {}! ", verb.input.name);
            variables[format!("i{index}")] = self.input(verb, said, Ids::All { nothing });
        }
        who.asks(app, &format!("mutation({header}) {{ {body} }}"), &variables)
            .await
    }
}

part!(
    a_mutation_with_foreign_ids_does_what_one_with_ids_of_nothing_does,
    STRANGERS,
    strangers
);
part!(
    every_mutation_is_done_for_its_rightful_owner,
    OWNERS,
    owners
);

async fn strangers() {
    let (app, world) = world().await;
    let catalog = &app.app.engine.catalog;
    let secrets = Secrets::read(&app, world).await;
    let admin = app.database.admin().await;
    let attack = Attack {
        catalog,
        ours: &subjects(&admin, catalog, &world.a, &[]).await,
        theirs: &subjects(&admin, catalog, &world.b, &[]).await,
    };
    let verbs: Vec<&Verb> = catalog
        .verbs
        .values()
        .filter(|verb| !places(catalog, verb).is_empty())
        .collect();
    let nameless: Vec<&Verb> = catalog
        .verbs
        .values()
        .filter(|verb| places(catalog, verb).is_empty() && !BY_SECRET.contains(&&*verb.name))
        .collect();
    let before = snapshot(&admin, &world.b).await;
    for who in world.strangers() {
        // Everything that may be said is said by a member, by somebody with an account, and by nobody.
        let said = match who.turn {
            0 => Said::All,
            10 | 14 => Said::Other,
            _ => Said::Needed,
        };
        for chunk in verbs.chunks(12) {
            let foreign = attack.make_all(&app, &who, (chunk, said), false).await;
            let nothing = attack.make_all(&app, &who, (chunk, said), true).await;
            let names: Vec<_> = chunk.iter().map(|verb| &verb.name).collect();
            secrets
                .of(world, &who)
                .check(&who, &format!("{names:?}"), &foreign);
            assert_eq!(foreign, nothing, "{} {names:?}", who.name);
        }
        // What names nothing is done among one's own things, or not at all.
        for verb in &nameless {
            let done = attack.make(&app, &who, (verb, said), Ids::All { nothing: true });
            secrets.of(world, &who).check(&who, &verb.name, &done.await);
        }
        unchanged(&before, &admin, &world.b, &who.name).await;
    }
    let owner = world.a.member("owner");
    for verb in verbs {
        let places = places(catalog, verb);
        if places.len() < 2 {
            continue;
        }
        for (place, _) in &places {
            let ids = |nothing| Ids::One { place, nothing };
            let foreign = attack
                .make(&app, owner, (verb, Said::Needed), ids(false))
                .await;
            let nothing = attack
                .make(&app, owner, (verb, Said::Needed), ids(true))
                .await;
            let name = format!("{}.{place}", verb.name);
            secrets.of(world, owner).check(owner, &name, &foreign);
            assert_eq!(foreign, nothing, "{name}");
            assert!(!did(&foreign, &verb.name), "{name}: {}", foreign.text);
        }
        unchanged(&before, &admin, &world.b, &verb.name).await;
    }
}

async fn unchanged(before: &BTreeSet<(String, String)>, admin: &Client, side: &Side, by: &str) {
    let after = snapshot(admin, side).await;
    let changed: Vec<_> = before.symmetric_difference(&after).collect();
    assert!(changed.is_empty(), "{by} changed {changed:?}");
}

/// Whether the mutation was done.
pub(super) fn did(answer: &Answer, verb: &str) -> bool {
    let body = answer.json();
    body.get("errors").is_none() && body["data"][verb]["userErrors"] == json!([])
}

/// Deletes come late, so that there is something to change before; what takes the place of something deleted, last.
fn turn(verb: &Verb) -> u8 {
    match verb.name.as_str() {
        "createBranding" => 3,
        name if name.starts_with("delete") || name.starts_with("remove") => 2,
        "cancelEvent" | "cancelRegistration" | "switchOrganization" => 1,
        _ => 0,
    }
}

async fn owners() {
    let (app, world) = world().await;
    let catalog = &app.app.engine.catalog;
    let admin = app.database.admin().await;
    let owner = world.b.member("owner");
    let mut verbs: Vec<&Verb> = catalog.verbs.values().collect();
    verbs.sort_by_key(|verb| turn(verb));
    let subjects = subjects(&admin, catalog, &world.b, OWNERS_TURN).await;
    let sdl = ledger::schema(|| app.app.engine.sdl());
    let (mut done, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for verb in verbs {
        if BY_SECRET.contains(&verb.name.as_str()) {
            continue;
        }
        let id = |(place, _): &Place| subjects.get(&(verb.name.clone(), place.clone())).cloned();
        let attempt = async |said: Said| {
            let variables = json!({ "input": input(catalog, verb, said, &id) });
            owner.ask(&app, &document(catalog, verb), &variables).await
        };
        let choice = has_choice(catalog, &verb.input, sdl).then_some(Said::Other);
        for said in std::iter::once(Said::All).chain(choice) {
            let mut answer = attempt(said).await;
            // Not everything goes together; what was never said with success is named by `fence::whole`.
            if !did(&answer, &verb.name) {
                answer = attempt(Said::Needed).await;
            }
            match did(&answer, &verb.name) {
                true => done.insert(&verb.name),
                false => {
                    let said = &answer.asked.variables;
                    refused.insert(format!("{} {said}: {}", verb.name, answer.text))
                }
            };
        }
    }
    // Somebody without an account, who is given a secret for it.
    let walk_in = Who {
        name: format!("walk-in-{}", world.b.tag),
        ..Who::anonymous()
    };
    let verb = &catalog.verbs["placeRegistration"];
    // A hold is sold from by its key; by its id, members do.
    let id = |(place, _): &Place| {
        let subject = subjects.get(&(verb.name.clone(), place.clone()));
        subject.filter(|_| place != "holdId").cloned()
    };
    let variables = json!({ "input": input(catalog, verb, Said::Needed, &id) });
    let placed = walk_in
        .ask(&app, &document(catalog, verb), &variables)
        .await;
    assert!(did(&placed, &verb.name), "{}", placed.text);
    println!(
        "mutations: {} of {}, {} by secret",
        done.len(),
        catalog.verbs.len(),
        BY_SECRET.len()
    );
    assert!(
        refused.is_empty(),
        "refused to the owner:\n{}",
        refused.into_iter().collect::<Vec<_>>().join("\n")
    );
    assert_eq!(done.len() + BY_SECRET.len(), catalog.verbs.len());
}
