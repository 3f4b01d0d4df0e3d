//! The main job: an organizer sets up a free event, visitors take its five places, the sixth is told that it is sold out,
//! the organizer pages through registrations and cancels one, another organization sees nothing of it.
//!
//! Usage: `cargo run --bin main-job -- [URL]` (`http://127.0.0.1:8080` by default). Needs a server in development
//! (`make run`), for codes are read from its mailbox.

mod api;
mod client;

use api::*;
use client::{Caller, Failure};
use uuid::Uuid;

fn step(text: &str) {
    println!("ok  {text}");
}

fn expect(holds: bool, what: &str) -> Result<(), Failure> {
    match holds {
        true => Ok(()),
        false => Err(format!("FAILED: {what}").into()),
    }
}

/// The payload of a mutation that was done: it has no user errors.
macro_rules! does {
    ($caller:expr, $operation:ident, $module:ident, $field:ident, $input:ident { $($name:ident: $value:expr),* $(,)? }) => {{
        #[allow(clippy::needless_update, reason = "some inputs have no other fields")]
        let input = $module::$input { $($name: $value,)* ..Default::default() };
        let payload = $caller.ask::<$operation>($module::Variables { input }).await?.$field;
        let payload = payload.ok_or("no payload")?;
        expect(payload.user_errors.is_empty(), &format!("{:?}", payload.user_errors))?;
        payload
    }};
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("http://127.0.0.1:8080");
    let visitor = Caller::visitor(url.trim_end_matches('/'))?;
    let run = &Uuid::new_v4().simple().to_string()[..12];
    let organization = format!("rs-{run}");
    let organizer = found(&visitor, &organization).await?;
    let sale = set_up(&visitor, &organizer, &organization).await?;
    let first = sell_out(&sale).await?;
    look_after(&sale, &organizer, &first).await?;
    let other = found(&visitor, &format!("rs-other-{run}")).await?;
    look_from_elsewhere(&other, &sale.event, &first).await
}

/// Somebody new with an organization of that name.
async fn found(visitor: &Caller, slug: &str) -> Result<Caller, Failure> {
    let email = format!("{slug}@organizers.example");
    let password = format!("correct horse battery {slug}");
    let name = "Olga Organizer".to_owned();
    does!(
        visitor,
        SignUp,
        sign_up,
        sign_up,
        SignUpInput {
            email: email.clone(),
            password: password.clone(),
            name: name
        }
    );
    let code = visitor.mailed_code(&email).await?;
    does!(
        visitor,
        VerifyEmail,
        verify_email,
        verify_email,
        VerifyEmailInput { code: code }
    );
    let session = does!(
        visitor,
        SignIn,
        sign_in,
        sign_in,
        SignInInput {
            email: email,
            password: password
        }
    );
    let somebody = visitor.with_token(&session.access_token.ok_or("no token")?);
    let made = does!(
        somebody,
        CreateOrganization,
        create_organization,
        create_organization,
        CreateOrganizationInput {
            name: format!("Main Job {slug}"),
            slug: Some(slug.to_owned()),
            time_zone: Some("Europe/Berlin".to_owned()),
            default_currency: Some("EUR".to_owned()),
        }
    );
    step(&format!(
        "sign up, verify the address, sign in, make the organization {slug}"
    ));
    Ok(visitor.with_token(&made.access_token.ok_or("no token")?))
}

/// An event on sale.
struct Sale {
    visitor: Caller,
    organization: String,
    event: String,
    standard: String,
    student: String,
}

impl Sale {
    async fn page(&self) -> Result<Option<event_page::EventPageEventBySlug>, Failure> {
        let (organization, slug) = (self.organization.clone(), "open-day".to_owned());
        let variables = event_page::Variables { organization, slug };
        Ok(self
            .visitor
            .ask::<EventPage>(variables)
            .await?
            .event_by_slug)
    }

    async fn left(&self, expected: i64) -> Result<(), Failure> {
        let page = self.page().await?.ok_or("no event")?;
        let left: Vec<_> = page
            .ticket_types
            .nodes
            .iter()
            .map(|one| one.available)
            .collect();
        expect(
            left == [Some(expected); 2],
            &format!("{expected} left, not {left:?}"),
        )
    }
}

/// A session with its speaker.
async fn programme(organizer: &Caller, event: &str) -> Result<(), Failure> {
    let made = does!(
        organizer,
        CreateSpeaker,
        create_speaker,
        create_speaker,
        CreateSpeakerInput {
            name: "Runa Thistlewick".to_owned(),
        }
    );
    let speaker = made.speaker.ok_or("no speaker")?.id;
    let made = does!(
        organizer,
        CreateSession,
        create_session,
        create_session,
        CreateSessionInput {
            event_id: event.to_owned(),
            title: "Opening".to_owned(),
            starts_at: "2031-05-04T09:00:00+02:00".to_owned(),
            ends_at: "2031-05-04T10:00:00+02:00".to_owned(),
        }
    );
    does!(
        organizer,
        CreateSessionSpeaker,
        create_session_speaker,
        create_session_speaker,
        CreateSessionSpeakerInput {
            event_id: event.to_owned(),
            session_id: made.session.ok_or("no session")?.id,
            speaker_id: speaker,
        }
    );
    Ok(())
}

/// A published event with two ticket types that share a pool of five.
async fn set_up(visitor: &Caller, organizer: &Caller, organization: &str) -> Result<Sale, Failure> {
    let made = does!(
        organizer,
        CreateEvent,
        create_event,
        create_event,
        CreateEventInput {
            title: "Open Day".to_owned(),
            slug: "open-day".to_owned(),
            starts_at: "2031-05-04T09:00:00+02:00".to_owned(),
            ends_at: "2031-05-04T18:00:00+02:00".to_owned(),
        }
    );
    let event = made.event.ok_or("no event")?.id;
    programme(organizer, &event).await?;
    let pool = does!(
        organizer,
        CreateCapacityPool,
        create_capacity_pool,
        create_capacity_pool,
        CreateCapacityPoolInput {
            event_id: event.clone(),
            name: "Hall".to_owned(),
            capacity: Some(5),
        }
    );
    let pool = pool.capacity_pool.ok_or("no pool")?.id;
    let mut types = vec![];
    for name in ["Standard", "Student"] {
        let price = create_ticket_type::MoneyInput {
            minor_units: "0".to_owned(),
            currency_code: "EUR".to_owned(),
        };
        let made = does!(
            organizer,
            CreateTicketType,
            create_ticket_type,
            create_ticket_type,
            CreateTicketTypeInput {
                event_id: event.clone(),
                name: name.to_owned(),
                price: price,
            }
        );
        let ticket_type = made.ticket_type.ok_or("no ticket type")?.id;
        does!(
            organizer,
            CreateTicketTypePool,
            create_ticket_type_pool,
            create_ticket_type_pool,
            CreateTicketTypePoolInput {
                event_id: event.clone(),
                ticket_type_id: ticket_type.clone(),
                pool_id: pool.clone(),
            }
        );
        types.push(ticket_type);
    }
    step("make an event as a draft, with two ticket types that share a pool of 5");
    let [standard, student] = <[String; 2]>::try_from(types).map_err(|_| "two types")?;
    let sale = Sale {
        visitor: visitor.clone(),
        organization: organization.to_owned(),
        event,
        standard,
        student,
    };
    expect(sale.page().await?.is_none(), "a draft is nobody's to find")?;
    does!(
        organizer,
        PublishEvent,
        publish_event,
        publish_event,
        PublishEventInput {
            event_id: sale.event.clone()
        }
    );
    sale.left(5).await?;
    step("a visitor finds it when it is published, not before, with 5 places");
    Ok(sale)
}

fn order(
    sale: &Sale,
    ticket_type: &str,
    quantity: i64,
    name: &str,
) -> place_registration::PlaceRegistrationInput {
    use place_registration::{
        PlaceRegistrationInput, RegistrationBuyerInput, RegistrationLineInput,
    };
    PlaceRegistrationInput {
        event_id: sale.event.clone(),
        buyer: RegistrationBuyerInput {
            name: name.to_owned(),
            email: format!("{}@guests.example", name.to_lowercase()),
        },
        lines: vec![RegistrationLineInput {
            ticket_type_id: ticket_type.to_owned(),
            quantity,
            ..Default::default()
        }],
        idempotency_key: Uuid::new_v4().to_string(),
        ..Default::default()
    }
}

/// Places and confirms, each twice with one key; the id.
async fn buy(sale: &Sale, ticket_type: &str, quantity: i64, name: &str) -> Result<String, Failure> {
    let variables = place_registration::Variables {
        input: order(sale, ticket_type, quantity, name),
    };
    let placed = sale
        .visitor
        .ask::<PlaceRegistration>(variables.clone())
        .await?
        .place_registration;
    let again = sale
        .visitor
        .ask::<PlaceRegistration>(variables)
        .await?
        .place_registration;
    expect(placed == again, "the same key gave another answer")?;
    let placed = placed.ok_or("no payload")?;
    let registration = placed.registration.ok_or("not placed")?;
    let guest = sale
        .visitor
        .with_guest_secret(&placed.guest_secret.ok_or("no secret")?);
    let confirmed = does!(
        guest,
        ConfirmRegistration,
        confirm_registration,
        confirm_registration,
        ConfirmRegistrationInput {
            registration_id: registration.id.clone(),
            idempotency_key: Uuid::new_v4().to_string(),
        }
    );
    let confirmed = confirmed.registration.ok_or("not confirmed")?;
    expect(
        confirmed.status == confirm_registration::RegistrationStatus::CONFIRMED,
        "CONFIRMED",
    )?;
    expect(
        confirmed.tickets.nodes.len() as i64 == quantity,
        "a ticket for each place",
    )?;
    step(&format!(
        "{name} takes {quantity}: {}",
        confirmed.confirmation_number
    ));
    Ok(registration.id)
}

/// The five places go; the first registration.
async fn sell_out(sale: &Sale) -> Result<String, Failure> {
    use place_registration::PlaceRegistrationErrorCode;
    let first = buy(sale, &sale.standard, 2, "Alwen").await?;
    buy(sale, &sale.student, 2, "Bastel").await?;
    buy(sale, &sale.student, 1, "Corvin").await?;
    sale.left(0).await?;
    let variables = place_registration::Variables {
        input: order(sale, &sale.standard, 1, "Dalia"),
    };
    let sixth = sale
        .visitor
        .ask::<PlaceRegistration>(variables)
        .await?
        .place_registration
        .ok_or("no payload")?;
    let codes: Vec<_> = sixth.user_errors.iter().map(|error| &error.code).collect();
    expect(codes == [&PlaceRegistrationErrorCode::SOLD_OUT], "SOLD_OUT")?;
    step("the sixth is told SOLD_OUT, as data");
    Ok(first)
}

/// The organizer reads the list, two a page, and cancels one.
async fn look_after(sale: &Sale, organizer: &Caller, first: &str) -> Result<(), Failure> {
    let (mut buyers, mut after) = (vec![], None);
    loop {
        let variables = registrations::Variables {
            event: sale.event.clone(),
            first: 2,
            after,
        };
        let page = organizer
            .ask::<Registrations>(variables)
            .await?
            .registrations
            .ok_or("no list")?;
        expect(page.total_count == 3, "three registrations")?;
        buyers.extend(page.edges.into_iter().map(|edge| edge.node.buyer_name));
        if !page.page_info.has_next_page {
            break;
        }
        after = page.page_info.end_cursor;
    }
    expect(
        buyers == ["Alwen", "Bastel", "Corvin"],
        "the buyers in their order",
    )?;
    step("the organizer pages through registrations, one request a page");
    does!(
        organizer,
        CancelRegistration,
        cancel_registration,
        cancel_registration,
        CancelRegistrationInput {
            registration_id: first.to_owned(),
            idempotency_key: Uuid::new_v4().to_string(),
        }
    );
    sale.left(2).await?;
    step("one registration is cancelled, its 2 places are free again");
    Ok(())
}

async fn look_from_elsewhere(
    other: &Caller,
    event: &str,
    registration: &str,
) -> Result<(), Failure> {
    let variables = seen_from_elsewhere::Variables {
        event: event.to_owned(),
        registration: registration.to_owned(),
    };
    let seen = other.ask::<SeenFromElsewhere>(variables).await?;
    expect(
        seen.node.is_none()
            && seen.registration.is_none()
            && seen.events.is_some_and(|events| events.total_count == 0),
        "nothing seen",
    )?;
    step("another organization sees none of it");
    Ok(())
}
