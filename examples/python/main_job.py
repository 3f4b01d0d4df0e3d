"""The main job: an organizer sets up a free event, visitors take its five places, the sixth is told that it is sold out,
the organizer pages through registrations and cancels one, another organization sees nothing of it.

Usage: pip install -r requirements.txt && ariadne-codegen && python main_job.py [URL]   (http://127.0.0.1:8080 by default)
Needs a server in development (make run), for codes are read from its mailbox.
"""

import re
import sys
import time
import uuid

import httpx

from eventsphere_client import (
    CancelRegistrationInput,
    Client,
    ConfirmRegistrationInput,
    CreateCapacityPoolInput,
    CreateEventInput,
    CreateOrganizationInput,
    CreateSessionInput,
    CreateSessionSpeakerInput,
    CreateSpeakerInput,
    CreateTicketTypeInput,
    CreateTicketTypePoolInput,
    MoneyInput,
    PlaceRegistrationInput,
    PublishEventInput,
    RegistrationAttendeeInput,
    RegistrationBuyerInput,
    RegistrationLineInput,
    SignInInput,
    SignUpInput,
    VerifyEmailInput,
)

URL = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080").rstrip("/")
RUN = f"{time.time_ns() // 1_000_000}-{uuid.uuid4().hex[:6]}"
PASSWORD = f"correct horse battery {RUN}"


def step(text: str) -> None:
    print(f"ok  {text}", flush=True)


def expect(holds: bool, what: object) -> None:
    if not holds:
        raise SystemExit(f"FAILED: {what}")


def done(payload):
    """A payload that was done: it has no user errors."""
    expect(payload.user_errors == [], payload)
    return payload


def caller(token: str | None = None, guest_secret: str | None = None) -> Client:
    """Nobody, whoever signed in, or a guest with the secret of a registration."""
    headers = {"accept": "application/graphql-response+json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    if guest_secret:
        headers["x-guest-secret"] = guest_secret
    return Client(http_client=httpx.Client(headers=headers, timeout=30), url=f"{URL}/graphql")


VISITOR = caller()


def mailed_code(email: str) -> str:
    """The newest code that was mailed there, on a line of its own."""
    letters = httpx.get(f"{URL}/dev/mailbox.json", params={"to": email}, timeout=30).json()["messages"]
    lines = [line.strip() for line in letters[0]["body"].splitlines()]
    return next(line for line in lines if re.fullmatch(r"es[a-z]*_\S+", line))


def organizer(slug: str) -> Client:
    """Somebody new with an organization of that name."""
    email = f"{slug}@organizers.example"
    done(VISITOR.sign_up(SignUpInput(email=email, password=PASSWORD, name="Olga Organizer")).sign_up)
    done(VISITOR.verify_email(VerifyEmailInput(code=mailed_code(email))).verify_email)
    session = done(VISITOR.sign_in(SignInInput(email=email, password=PASSWORD)).sign_in)
    expect(session.user is not None and session.user.email == email, session)
    wanted = CreateOrganizationInput(name=f"Main Job {slug}", slug=slug, timeZone="Europe/Berlin", defaultCurrency="EUR")
    made = done(caller(session.access_token).create_organization(wanted).create_organization)
    step(f"sign up, verify the address, sign in, make the organization {slug}")
    return caller(made.access_token)


def set_up(api: Client) -> str:
    """A draft with two sessions and two ticket types that share a pool of five; its id."""
    wanted = CreateEventInput(
        title="Open Day", slug="open-day", startsAt="2031-05-04T09:00:00+02:00", endsAt="2031-05-04T18:00:00+02:00"
    )
    event = done(api.create_event(wanted).create_event).event
    expect(event.status.value == "DRAFT", event)
    speaker = done(api.create_speaker(CreateSpeakerInput(name="Runa Thistlewick", title="Gardener")).create_speaker).speaker
    for title, begins, ends in (("Opening", "09", "10"), ("Closing", "17", "18")):
        session = CreateSessionInput(
            eventId=event.id,
            title=title,
            startsAt=f"2031-05-04T{begins}:00:00+02:00",
            endsAt=f"2031-05-04T{ends}:00:00+02:00",
        )
        session = done(api.create_session(session).create_session).session
        speaks = CreateSessionSpeakerInput(eventId=event.id, sessionId=session.id, speakerId=speaker.id)
        done(api.create_session_speaker(speaks).create_session_speaker)
    pool = CreateCapacityPoolInput(eventId=event.id, name="Hall", capacity=5)
    pool = done(api.create_capacity_pool(pool).create_capacity_pool).capacity_pool
    for name in ("Standard", "Student"):
        kind = CreateTicketTypeInput(eventId=event.id, name=name, price=MoneyInput(minorUnits="0", currencyCode="EUR"))
        kind = done(api.create_ticket_type(kind).create_ticket_type).ticket_type
        drawn = CreateTicketTypePoolInput(eventId=event.id, ticketTypeId=kind.id, poolId=pool.id)
        done(api.create_ticket_type_pool(drawn).create_ticket_type_pool)
    step("make an event as a draft, with sessions, a speaker, and two ticket types that share a pool of 5")
    return event.id


def event_page(organization: str):
    return VISITOR.event_page(organization, "open-day").event_by_slug


def places_left(organization: str, expected: int) -> None:
    left = [kind.available for kind in event_page(organization).ticket_types.nodes]
    expect(left == [expected, expected], left)


def order(event_id: str, type_id: str, quantity: int, name: str) -> PlaceRegistrationInput:
    email = f"{name.lower()}@guests.example"
    attendees = [RegistrationAttendeeInput(name=f"{name} {at + 1}", email=f"{at}.{email}") for at in range(quantity)]
    return PlaceRegistrationInput(
        eventId=event_id,
        buyer=RegistrationBuyerInput(name=name, email=email),
        lines=[RegistrationLineInput(ticketTypeId=type_id, quantity=quantity, attendees=attendees)],
        idempotencyKey=uuid.uuid4().hex,
    )


def buy(event_id: str, type_id: str, quantity: int, name: str) -> str:
    """Places and confirms, each twice with one key; the id."""
    wanted = order(event_id, type_id, quantity, name)
    placed = done(VISITOR.place_registration(wanted).place_registration)
    expect(VISITOR.place_registration(wanted).place_registration == placed, "the same key gave another answer")
    registration = placed.registration
    expect(registration.status.value == "HELD", registration)
    number = registration.confirmation_number
    expect(re.fullmatch(r"REG-[0-9]{8}-[0-9A-HJKMNP-TV-Z]{9}", number) is not None, number)
    guest = caller(guest_secret=placed.guest_secret)
    confirm = ConfirmRegistrationInput(registrationId=registration.id, idempotencyKey=uuid.uuid4().hex)
    confirmed = done(guest.confirm_registration(confirm).confirm_registration)
    expect(guest.confirm_registration(confirm).confirm_registration == confirmed, "the same key gave another answer")
    expect(confirmed.registration.status.value == "CONFIRMED", confirmed)
    codes = [ticket.code for ticket in confirmed.registration.tickets.nodes]
    expect(len(codes) == quantity and all(re.fullmatch(r"v1[A-Za-z0-9_-]{174}", code) for code in codes), codes)
    step(f"{name} takes {quantity}: {number}, and repeated keys give the same answers")
    return registration.id


def main() -> None:
    organization = f"py-{RUN}"
    api = organizer(organization)
    event_id = set_up(api)
    expect(event_page(organization) is None, "a draft is nobody's to find")
    published = done(api.publish_event(PublishEventInput(eventId=event_id)).publish_event)
    expect(published.event.status.value == "PUBLISHED", published)
    page = event_page(organization)
    expect([session.title for session in page.sessions.nodes] == ["Opening", "Closing"], page)
    places_left(organization, 5)
    step("a visitor finds it when it is published, not before, with 5 places")

    kinds = {kind.name: kind.id for kind in page.ticket_types.nodes}
    first = buy(event_id, kinds["Standard"], 2, "Alwen")
    buy(event_id, kinds["Student"], 2, "Bastel")
    buy(event_id, kinds["Student"], 1, "Corvin")
    places_left(organization, 0)
    sixth = VISITOR.place_registration(order(event_id, kinds["Standard"], 1, "Dalia")).place_registration
    expect(sixth.registration is None and [error.code.value for error in sixth.user_errors] == ["SOLD_OUT"], sixth)
    step("the sixth is told SOLD_OUT, as data")

    buyers, after = [], None
    while True:
        found = api.registrations(event=event_id, first=2, after=after).registrations
        expect(found.total_count == 3, found)
        buyers += [edge.node.buyer_name for edge in found.edges]
        if not found.page_info.has_next_page:
            break
        after = found.page_info.end_cursor
    expect(buyers == ["Alwen", "Bastel", "Corvin"], buyers)
    step("the organizer pages through registrations, one request a page")

    cancel = CancelRegistrationInput(registrationId=first, idempotencyKey=uuid.uuid4().hex, reason="asked by mail")
    cancelled = done(api.cancel_registration(cancel).cancel_registration)
    expect(cancelled.registration.status.value == "CANCELLED", cancelled)
    places_left(organization, 2)
    step("one registration is cancelled, its 2 places are free again")

    other = organizer(f"py-other-{RUN}")
    seen = other.seen_from_elsewhere(event=event_id, registration=first)
    expect(seen.node is None and seen.registration is None and seen.events.total_count == 0, seen)
    cancel.idempotency_key = uuid.uuid4().hex
    refused = other.cancel_registration(cancel).cancel_registration
    expect([error.code.value for error in refused.user_errors] == ["REGISTRATION_NOT_FOUND"], refused)
    step("another organization sees and changes none of it")


if __name__ == "__main__":
    main()
