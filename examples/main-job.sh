#!/bin/sh
# The main job, through HTTP alone: an organizer sets up a free event, visitors take its five places, the sixth is told
# that it is sold out, the organizer cancels a registration, a calendar gets the date, and another organization sees
# nothing of it. Says each step in one line; ends with 1 at the first answer that is not the expected one.
#
# Usage: examples/main-job.sh [URL]      (http://127.0.0.1:8080 by default)
# Needs curl and jq, and a server in development (make run), for codes are read from its mailbox.
set -eu

url=${1:-http://127.0.0.1:8080}
url=${url%/}
run=$(date +%s)-$$
password="correct horse battery $run"

fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }
step() { printf 'ok  %s\n' "$1"; }

for tool in curl jq; do
  command -v "$tool" >/dev/null 2>&1 || fail "$tool is not installed"
done

# Who asks: set before a call, empty for a visitor.
token=
guest=

# gql QUERY VARIABLES: the whole answer.
gql() {
  set -- "$(jq -cn --arg query "$1" --argjson variables "$2" '{query: $query, variables: $variables}')"
  set -- "$1" -H 'content-type: application/json' -H 'accept: application/graphql-response+json'
  [ -z "$token" ] || set -- "$@" -H "authorization: Bearer $token"
  [ -z "$guest" ] || set -- "$@" -H "x-guest-secret: $guest"
  body=$1
  shift
  printf '%s' "$body" | curl -sS --max-time 30 "$@" --data-binary @- "$url/graphql" || fail "no answer from $url"
}

# ask QUERY VARIABLES: the data of an operation that must not fail.
ask() {
  answer=$(gql "$1" "$2")
  printf '%s' "$answer" | jq -e 'has("errors") | not' >/dev/null || fail "unexpected error: $answer"
  printf '%s' "$answer" | jq -c .data
}

# try MUTATION SELECTION INPUT: its payload, with userErrors.
try() {
  input_type=$(printf '%s' "$1" | cut -c1 | tr '[:lower:]' '[:upper:]')$(printf '%s' "$1" | cut -c2-)Input
  answer=$(ask "mutation(\$input: $input_type!) { $1(input: \$input) { $2 userErrors { code message field } } }" \
    "$(jq -cn --argjson input "$3" '{input: $input}')")
  printf '%s' "$answer" | jq -c ".$1"
}

# do_ MUTATION SELECTION INPUT: its payload, which must have no user errors.
do_() {
  payload=$(try "$1" "$2" "$3")
  expect "$payload" '.userErrors == []' "$1"
  printf '%s' "$payload"
}

# get JSON FILTER: one value. expect JSON FILTER WHAT: ends unless the filter says true.
get() { printf '%s' "$1" | jq -er "$2" || fail "no $2 in: $1"; }
expect() { printf '%s' "$1" | jq -e "$2" >/dev/null || fail "$3: expected $2 of: $1"; }

# A key of at least 128 random bits, as every step of a sale needs one.
key() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# code ADDRESS: the newest code mailed there, on a line of its own.
code() {
  curl -sS --max-time 30 --get --data-urlencode "to=$1" "$url/dev/mailbox.json" |
    jq -er '.messages[0].body | split("\n") | map(ltrimstr(" ") | rtrimstr("\r")) | map(select(test("^es[a-z]*_[^ ]+$"))) | first' ||
    fail "no code in the mailbox for $1 (is the server in development?)"
}

# organizer NAME: signs up, verifies, signs in, makes an organization; sets token.
organizer() {
  token=
  email="$1@organizers.example"
  do_ signUp '' "$(jq -cn --arg e "$email" --arg p "$password" '{email: $e, password: $p, name: "Olga Organizer"}')" >/dev/null
  step "sign up as $email"
  do_ verifyEmail '' "$(jq -cn --arg c "$(code "$email")" '{code: $c}')" >/dev/null
  step "verify the address with the code from the mailbox"
  session=$(do_ signIn 'accessToken user { email }' "$(jq -cn --arg e "$email" --arg p "$password" '{email: $e, password: $p}')")
  token=$(get "$session" .accessToken)
  step "sign in"
  made=$(do_ createOrganization 'accessToken organization { id slug }' \
    "$(jq -cn --arg s "$1" '{name: "Main Job \($s)", slug: $s, timeZone: "Europe/Berlin", defaultCurrency: "EUR"}')")
  token=$(get "$made" .accessToken)
  step "make the organization $1"
}

# ---- The organizer sets everything up.
organization=main-job-$run
event_slug=open-day
organizer "$organization"
organizer_token=$token

event=$(do_ createEvent 'event { id status occurrences { nodes { id } } }' \
  "$(jq -cn --arg s "$event_slug" '{title: "Open Day", slug: $s, startsAt: "2031-05-04T09:00:00+02:00", endsAt: "2031-05-04T18:00:00+02:00"}')")
expect "$event" '.event.status == "DRAFT" and (.event.occurrences.nodes | length) == 1' "createEvent"
event_id=$(get "$event" .event.id)
step "make the event as a draft"

speaker=$(do_ createSpeaker 'speaker { id }' '{"name": "Runa Thistlewick", "title": "Gardener"}')
speaker_id=$(get "$speaker" .speaker.id)
for session in Opening:09:10 Closing:17:18; do
  hours=${session#*:}
  made=$(do_ createSession 'session { id }' "$(jq -cn --arg e "$event_id" --arg t "${session%%:*}" --arg a "${hours%:*}" --arg b "${hours#*:}" \
    '{eventId: $e, title: $t, startsAt: "2031-05-04T\($a):00:00+02:00", endsAt: "2031-05-04T\($b):00:00+02:00"}')")
  session_id=$(get "$made" .session.id)
  made=$(do_ createSessionSpeaker 'sessionSpeaker { id }' "$(jq -cn --arg e "$event_id" --arg s "$session_id" --arg p "$speaker_id" \
    '{eventId: $e, sessionId: $s, speakerId: $p}')")
done
step "add two sessions and their speaker"

pool=$(do_ createCapacityPool 'capacityPool { id }' "$(jq -cn --arg e "$event_id" '{eventId: $e, name: "Hall", capacity: 5}')")
pool_id=$(get "$pool" .capacityPool.id)
for name in Standard Student; do
  made=$(do_ createTicketType 'ticketType { id }' "$(jq -cn --arg e "$event_id" --arg n "$name" \
    '{eventId: $e, name: $n, price: {minorUnits: "0", currencyCode: "EUR"}}')")
  type_id=$(get "$made" .ticketType.id)
  made=$(do_ createTicketTypePool 'ticketTypePool { id }' "$(jq -cn --arg e "$event_id" --arg t "$type_id" --arg p "$pool_id" \
    '{eventId: $e, ticketTypeId: $t, poolId: $p}')")
done
step "add two ticket types that share a pool of 5"

find_event='query($o: String!, $s: String!) { eventBySlug(organizationSlug: $o, slug: $s) {
  id title status
  sessions(orderBy: [STARTS_AT_ASC]) { nodes { title speakers { nodes { name } } } }
  ticketTypes { nodes { id name available saleStatus price { amount currencyCode } } } } }'
address=$(jq -cn --arg o "$organization" --arg s "$event_slug" '{o: $o, s: $s}')

token=
found=$(ask "$find_event" "$address")
expect "$found" '.eventBySlug == null' "a draft is nobody's to find"
step "a visitor does not find the draft"
token=$organizer_token
made=$(do_ publishEvent 'event { status }' "$(jq -cn --arg e "$event_id" '{eventId: $e}')")
expect "$made" '.event.status == "PUBLISHED"' "publishEvent"
step "publish the event"

# ---- Visitors take the five places.
token=
found=$(ask "$find_event" "$address")
expect "$found" '.eventBySlug | .title == "Open Day" and .status == "PUBLISHED"' "the event's page"
expect "$found" '[.eventBySlug.sessions.nodes[].title] == ["Opening", "Closing"]' "the event's sessions"
expect "$found" '[.eventBySlug.sessions.nodes[].speakers.nodes[].name] | unique == ["Runa Thistlewick"]' "the event's speaker"
expect "$found" '[.eventBySlug.ticketTypes.nodes[] | .available] == [5, 5]' "availability"
step "a visitor finds it by organization and slug, with 5 places"
standard=$(get "$found" '.eventBySlug.ticketTypes.nodes[] | select(.name == "Standard").id')
student=$(get "$found" '.eventBySlug.ticketTypes.nodes[] | select(.name == "Student").id')

# order TYPE QUANTITY NAME: the input of placeRegistration, with an attendee for each place and a new key.
order() {
  jq -cn --arg e "$event_id" --arg t "$1" --argjson q "$2" --arg n "$3" --arg k "$(key)" '{
    eventId: $e, buyer: {name: $n, email: "\($n | ascii_downcase)@guests.example"}, idempotencyKey: $k,
    lines: [{ticketTypeId: $t, quantity: $q, attendees: [range($q) | {name: "\($n) \(. + 1)", email: "\($n | ascii_downcase).\(. + 1)@guests.example"}]}]}'
}
place='guestSecret registration { id status confirmationNumber expiresAt total { minorUnits currencyCode } }'
confirm='registration { id status confirmationNumber tickets { nodes { code status attendee { name email } } } }'

# buy TYPE QUANTITY NAME: places and confirms; sets registration_id.
buy() {
  token=
  guest=
  request=$(order "$1" "$2" "$3")
  placed=$(do_ placeRegistration "$place" "$request")
  expect "$placed" '.registration.status == "HELD" and .registration.expiresAt != null' "placeRegistration for $3"
  expect "$placed" '.registration.confirmationNumber | test("^REG-[0-9]{8}-[0-9A-HJKMNP-TV-Z]{9}$")' "the confirmation number of $3"
  again=$(do_ placeRegistration "$place" "$request")
  [ "$placed" = "$again" ] || fail "the same key gave another answer: $placed and $again"
  registration_id=$(get "$placed" .registration.id)
  guest=$(get "$placed" .guestSecret)
  request=$(jq -cn --arg r "$registration_id" --arg k "$(key)" '{registrationId: $r, idempotencyKey: $k}')
  confirmed=$(do_ confirmRegistration "$confirm" "$request")
  expect "$confirmed" ".registration.status == \"CONFIRMED\" and (.registration.tickets.nodes | length) == $2" "confirmRegistration for $3"
  expect "$confirmed" 'all(.registration.tickets.nodes[]; .status == "VALID" and (.code | test("^v1[A-Za-z0-9_-]{174}$")))' "the ticket codes of $3"
  expect "$confirmed" "[.registration.tickets.nodes[].attendee.name] | sort == [range($2) | \"$3 \\(. + 1)\"]" "the attendees of $3"
  again=$(do_ confirmRegistration "$confirm" "$request")
  [ "$confirmed" = "$again" ] || fail "the same key gave another answer: $confirmed and $again"
  step "$3 takes $2: $(get "$confirmed" .registration.confirmationNumber), and repeated keys give the same answers"
}

left() {
  guest=
  found=$(ask "$find_event" "$address")
  expect "$found" "[.eventBySlug.ticketTypes.nodes[].available] == [$1, $1]" "places left"
}

buy "$standard" 2 Alwen
first_id=$registration_id
buy "$student" 2 Bastel
left 1
buy "$student" 1 Corvin
left 0
step "the fifth place is sold, none is left"

sixth=$(try placeRegistration "$place" "$(order "$standard" 1 Dalia)")
expect "$sixth" '.registration == null and [.userErrors[].code] == ["SOLD_OUT"]' "the sixth place"
step "the sixth is told SOLD_OUT, as data"

# ---- The organizer looks after them.
token=$organizer_token
list='query($e: ID!, $after: String) { registrations(first: 2, after: $after, filter: {eventId: {eq: $e}}, orderBy: [PLACED_AT_ASC]) {
  totalCount pageInfo { hasNextPage endCursor }
  nodes { buyerName status tickets { nodes { status attendee { name email } } } } } }'
page=$(ask "$list" "$(jq -cn --arg e "$event_id" '{e: $e}')")
expect "$page" '.registrations | .totalCount == 3 and .pageInfo.hasNextPage' "the first page"
expect "$page" '[.registrations.nodes[].buyerName] == ["Alwen", "Bastel"]' "the first page"
expect "$page" '[.registrations.nodes[].tickets.nodes[].attendee.email] | length == 4' "tickets and attendees of the first page"
page=$(ask "$list" "$(jq -cn --arg e "$event_id" --arg a "$(get "$page" .registrations.pageInfo.endCursor)" '{e: $e, after: $a}')")
expect "$page" '[.registrations.nodes[].buyerName] == ["Corvin"] and (.registrations.pageInfo.hasNextPage | not)' "the last page"
step "the organizer pages through registrations with tickets and attendees, one request a page"

made=$(do_ cancelRegistration 'registration { status tickets { nodes { status } } }' \
  "$(jq -cn --arg r "$first_id" --arg k "$(key)" '{registrationId: $r, idempotencyKey: $k, reason: "asked by mail"}')")
expect "$made" '.registration.status == "CANCELLED" and all(.registration.tickets.nodes[]; .status == "CANCELLED")' "cancelRegistration"
token=
left 2
step "one registration is cancelled, its 2 places are free again"

# ---- A calendar gets the date.
calendar=$(curl -sS --fail --max-time 30 "$url/calendar/$organization/$event_slug.ics") || fail "no calendar file"
for line in BEGIN:VCALENDAR BEGIN:VEVENT 'SUMMARY:Open Day' DTSTART:20310504T070000Z DTEND:20310504T160000Z STATUS:CONFIRMED END:VCALENDAR; do
  printf '%s' "$calendar" | tr -d '\r' | grep -qxF "$line" || fail "the calendar file has no line $line: $calendar"
done
step "the calendar file has the event at its time"

# ---- Another organization sees none of it.
organizer "other-$run"
seen=$(ask "$list" "$(jq -cn --arg e "$event_id" '{e: $e}')")
expect "$seen" '.registrations | .totalCount == 0 and .nodes == []' "registrations seen from elsewhere"
seen=$(ask 'query($e: ID!, $r: ID!) { node(id: $e) { id } registration(id: $r) { id } events { totalCount } attendees { totalCount } tickets { totalCount } }' \
  "$(jq -cn --arg e "$event_id" --arg r "$first_id" '{e: $e, r: $r}')")
expect "$seen" '.node == null and .registration == null and .events.totalCount == 0 and .attendees.totalCount == 0 and .tickets.totalCount == 0' \
  "what another organization sees"
refused=$(try cancelRegistration 'registration { id }' "$(jq -cn --arg r "$first_id" --arg k "$(key)" '{registrationId: $r, idempotencyKey: $k}')")
expect "$refused" '.registration == null and [.userErrors[].code] == ["REGISTRATION_NOT_FOUND"]' "cancelling from elsewhere"
step "another organization sees and changes none of it"
