//! What full text search looks into, and the indexes of filters by related rows.

use crate::sql_migration;

sql_migration!("m20261121_000011_search", UP.to_owned(), DOWN.to_owned());

const UP: &str = r#"
create function es.search_words(value text)
returns text
immutable
strict
parallel safe
-- The columns are in the collation "C", in which only ASCII has small letters.
return lower(extensions.unaccent('extensions.unaccent'::regdictionary, value) collate "default");

comment on function es.search_words(text) is
  'A text as it is searched: small letters without accents. Immutable, so that it can be indexed; whoever changes the rules of the dictionary unaccent reindexes.';

create function es.search_document(title text, summary text, description text)
returns tsvector
immutable
parallel safe
return
  setweight(to_tsvector('pg_catalog.simple'::regconfig, es.search_words(title)), 'A')
  || setweight(to_tsvector('pg_catalog.simple'::regconfig, es.search_words(summary)), 'B')
  || setweight(to_tsvector('pg_catalog.simple'::regconfig, es.search_words(left(description, 2000))), 'D');

comment on function es.search_document(text, text, text) is
  'What full text search looks into. No stemming: titles are in any language, some of which have none.';

-- Whoever writes a row writes its entries in the indexes.
revoke execute on function es.search_words(text) from public;
revoke execute on function es.search_document(text, text, text) from public;
grant execute on function es.search_words(text) to es_verbs, es_system, es_member;
grant execute on function es.search_document(text, text, text) to es_verbs, es_system, es_member;

create index events_search_idx on events using gin (es.search_document(title, summary, description));
create index events_words_idx on events using gin (es.search_words(title) extensions.gin_trgm_ops);

create index ticket_types_price_idx on ticket_types (event_id, price_minor, id);
"#;

const DOWN: &str = "
drop index ticket_types_price_idx;
drop index events_words_idx;
drop index events_search_idx;
drop function es.search_document(text, text, text);
drop function es.search_words(text);
";
