#!/bin/sh
# Registers the documents of a frontend's manifest, some at a time so that no request grows too large. Takes what
# @graphql-codegen's client preset and relay-compiler write ({"<hash>": "<document>"}), and Apollo's manifest of
# persisted queries ({"operations": [{"id", "name", "body"}]}). Ends with 1 when a document is refused.
#
# Usage: TOKEN=... examples/register-documents.sh MANIFEST [URL]      (http://127.0.0.1:8080 by default)
# Needs curl and jq, and a token with the scope documents:write.
set -eu

manifest=${1:?usage: TOKEN=... examples/register-documents.sh MANIFEST [URL]}
url=${2:-http://127.0.0.1:8080}
query='mutation($input: RegisterTrustedDocumentsInput!) {
  registerTrustedDocuments(input: $input) { added trustedDocuments { id } userErrors { code message field } } }'

jq -c --arg query "$query" '
  [ if (.operations | type) == "array"
    then .operations[] | {id, name, text: .body}
    else to_entries[] | {id: .key, text: .value} end ]
  | range(0; length; 20) as $at
  | {query: $query, variables: {input: {documents: .[$at:$at + 20]}}}' "$manifest" |
while IFS= read -r body; do
  answer=$(printf '%s' "$body" | curl -sS --max-time 30 -H 'content-type: application/json' \
    -H "authorization: Bearer ${TOKEN:?set TOKEN}" --data-binary @- "${url%/}/graphql")
  printf '%s' "$answer" | jq -e '.data.registerTrustedDocuments.userErrors == []' >/dev/null || {
    printf 'refused: %s\n' "$answer" >&2
    exit 1
  }
  printf '%s' "$answer" | jq -r '.data.registerTrustedDocuments | "\(.trustedDocuments | length) registered, \(.added) of them new"'
done
