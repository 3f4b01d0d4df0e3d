#!/bin/sh
# A paid ticket, through HTTP alone: an organizer opens an account at the sandbox (a payment provider inside the program that
# takes test money), a visitor takes a place, pays on the provider's page, and has a ticket when the provider's webhook has
# come; then a part of the money goes back, then the rest. Says each step in one line; ends with 1 at the first answer
# that is not the expected one.
#
# Usage: examples/paid.sh [URL]      (http://127.0.0.1:8080 by default)
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

# ask QUERY VARIABLES: the data of an operation that must not fail.
ask() {
  set -- "$(jq -cn --arg query "$1" --argjson variables "$2" '{query: $query, variables: $variables}')" \
    -H 'content-type: application/json' -H 'accept: application/graphql-response+json'
  [ -z "$token" ] || set -- "$@" -H "authorization: Bearer $token"
  [ -z "$guest" ] || set -- "$@" -H "x-guest-secret: $guest"
  body=$1
  shift
  answer=$(printf '%s' "$body" | curl -sS --max-time 30 "$@" --data-binary @- "$url/graphql") || fail "no answer from $url"
  printf '%s' "$answer" | jq -e 'has("errors") | not' >/dev/null || fail "unexpected error: $answer"
  printf '%s' "$answer" | jq -c .data
}

# do_ MUTATION SELECTION INPUT: its payload, which must have no user errors.
do_() {
  input_type=$(printf '%s' "$1" | cut -c1 | tr '[:lower:]' '[:upper:]')$(printf '%s' "$1" | cut -c2-)Input
  payload=$(ask "mutation(\$input: $input_type!) { $1(input: \$input) { $2 userErrors { code message field } } }" \
    "$(jq -cn --argjson input "$3" '{input: $input}')" | jq -c ".$1")
  expect "$payload" '.userErrors == []' "$1"
  printf '%s' "$payload"
}

# get JSON FILTER: one value. expect JSON FILTER WHAT: ends unless the filter says true.
get() { printf '%s' "$1" | jq -er "$2" || fail "no $2 in: $1"; }
expect() { printf '%s' "$1" | jq -e "$2" >/dev/null || fail "$3: expected $2 of: $1"; }

# A key of 128 random bits, as every step of a sale needs one.
key() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# becomes FILTER: waits until the guest's registration is so.
becomes() {
  read_it='query($id: ID!) { registration(id: $id) { status paymentState paid { minorUnits }
    tickets { nodes { code status } } refunds { nodes { status amount { minorUnits } } } } }'
  tries=0
  until found=$(ask "$read_it" "$(jq -cn --arg id "$registration" '{id: $id}')") &&
    printf '%s' "$found" | jq -e ".registration | $1" >/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || fail "never $1: $found"
    sleep 0.1
  done
}

# ---- The organizer.
organization=paid-$run
email="$organization@organizers.example"
made=$(do_ signUp '' "$(jq -cn --arg e "$email" --arg p "$password" '{email: $e, password: $p, name: "Olga Organizer"}')")
code=$(curl -sS --max-time 30 --get --data-urlencode "to=$email" "$url/dev/mailbox.json" |
  jq -er '.messages[0].body | split("\n") | map(ltrimstr(" ") | rtrimstr("\r")) | map(select(test("^es[a-z]*_[^ ]+$"))) | first') ||
  fail "no code in the mailbox for $email (is the server in development?)"
made=$(do_ verifyEmail '' "$(jq -cn --arg c "$code" '{code: $c}')")
made=$(do_ signIn 'accessToken' "$(jq -cn --arg e "$email" --arg p "$password" '{email: $e, password: $p}')")
token=$(get "$made" .accessToken)
made=$(do_ createOrganization 'accessToken' \
  "$(jq -cn --arg s "$organization" '{name: "Paid \($s)", slug: $s, timeZone: "Europe/Berlin", defaultCurrency: "EUR"}')")
token=$(get "$made" .accessToken)
organizer_token=$token
step "sign up and make the organization $organization"

made=$(do_ createPaymentAccount 'webhookUrl paymentAccount { id provider active }' '{"provider": "sandbox", "name": "Test money", "returnOrigins": ["https://shop.example"]}')
expect "$made" '.paymentAccount.active' "createPaymentAccount"
step "open an account at the sandbox; its webhooks come to $(get "$made" .webhookUrl)"

event=$(get "$(do_ createEvent 'event { id }' \
  '{"title": "Paid Day", "slug": "paid-day", "startsAt": "2031-05-04T09:00:00+02:00", "endsAt": "2031-05-04T18:00:00+02:00"}')" .event.id)
pool=$(get "$(do_ createCapacityPool 'capacityPool { id }' \
  "$(jq -cn --arg e "$event" '{eventId: $e, name: "Hall", capacity: 5}')")" .capacityPool.id)
type=$(get "$(do_ createTicketType 'ticketType { id }' \
  "$(jq -cn --arg e "$event" '{eventId: $e, name: "Standard", price: {minorUnits: "2500", currencyCode: "EUR"}}')")" .ticketType.id)
made=$(do_ createTicketTypePool '' "$(jq -cn --arg e "$event" --arg t "$type" --arg p "$pool" '{eventId: $e, ticketTypeId: $t, poolId: $p}')")
made=$(do_ publishEvent 'event { status }' "$(jq -cn --arg e "$event" '{eventId: $e}')")
step "publish an event with tickets for 25.00 EUR"

# ---- A visitor.
token=
made=$(do_ placeRegistration 'guestSecret registration { id total { minorUnits } }' "$(jq -cn --arg e "$event" --arg t "$type" --arg k "$(key)" \
  '{eventId: $e, buyer: {name: "Gus Guest", email: "gus@guests.example"}, idempotencyKey: $k, lines: [{ticketTypeId: $t, quantity: 1}]}')")
guest=$(get "$made" .guestSecret)
registration=$(get "$made" .registration.id)
made=$(do_ confirmRegistration 'registration { status paymentState }' \
  "$(jq -cn --arg r "$registration" --arg k "$(key)" '{registrationId: $r, idempotencyKey: $k}')")
expect "$made" '.registration | .status == "PENDING_PAYMENT" and .paymentState == "UNPAID"' "confirmRegistration"
step "take a place, which waits for money"

request=$(jq -cn --arg r "$registration" --arg k "$(key)" \
  '{registrationId: $r, returnUrl: "https://shop.example/thanks", idempotencyKey: $k}')
paying='payment { id status checkoutUrl amount { minorUnits currencyCode } }'
made=$(do_ createPayment "$paying" "$request")
expect "$made" '.payment | .status == "PENDING" and .amount == {minorUnits: "2500", currencyCode: "EUR"}' "createPayment"
again=$(do_ createPayment "$paying" "$request")
[ "$made" = "$again" ] || fail "the same key gave another answer: $made and $again"
payment=$(get "$made" .payment.id)
page=$(get "$made" .payment.checkoutUrl)
step "start to pay; saying it twice starts one payment"

curl -sS --max-time 30 -d outcome=challenge "$page" | grep -q 'is it you' || fail "the bank does not ask back"
step "pay with a card whose bank asks back"
becomes '.status == "PENDING_PAYMENT"'
curl -sS --max-time 30 -d outcome=approve "$page" | grep -q succeeded || fail "the payment did not succeed"
becomes '.status == "CONFIRMED" and .paymentState == "PAID" and [.tickets.nodes[].status] == ["VALID"]'
step "say that it is me: the webhook comes, and there is a ticket"

# ---- The organizer gives money back.
guest_secret=$guest
refund() { # AMOUNT or nothing
  guest=
  token=$organizer_token
  made=$(do_ refundPayment 'refund { status amount { minorUnits } }' "$(jq -cn --arg p "$payment" --arg k "$(key)" --arg a "${1:-}" \
    '{paymentId: $p, reason: "as agreed", idempotencyKey: $k} + if $a == "" then {} else {amount: {minorUnits: $a, currencyCode: "EUR"}} end')")
  token=
  guest=$guest_secret
}
refund 1000
becomes '.paymentState == "PARTIALLY_REFUNDED" and .paid.minorUnits == "1500" and [.refunds.nodes[].status] == ["DONE"]'
step "give 10.00 EUR back"
refund
becomes '.paymentState == "REFUNDED" and .paid.minorUnits == "0" and ([.refunds.nodes[].status] | all(. == "DONE"))'
step "give the rest back"

guest=
token=$organizer_token
books=$(ask '{ ledgerEntries { nodes { kind amount { minorUnits } } } }' '{}')
expect "$books" '[.ledgerEntries.nodes[] | select(.kind == "CAPTURE" or .kind == "REFUND_PAID") | .amount.minorUnits | tonumber] | sort == [1000, 1500, 2500]' "the books"
step "the books say the same"
