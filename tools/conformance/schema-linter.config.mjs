// Rules of graphql-schema-linter that schema.graphql does not keep, each with its reason. All others are on.

export const EXCEPTIONS = {
  "enum-values-sorted-alphabetically": "values stand in the order of a life cycle or of importance, as people read them",
  "type-fields-sorted-alphabetically": "fields stand in the order in which a person would ask for them, the id first",
  "input-object-fields-sorted-alphabetically": "what must be given stands first",
};
