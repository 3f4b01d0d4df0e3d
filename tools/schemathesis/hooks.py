"""What schemathesis has to know of our schema, for `make conformance`: scalars, values that lead somewhere, and what a fault is.

`EVENTSPHERE_IDS` names a JSON file with ids of things that are there, by type.
"""

import dataclasses
import json
import os

import graphql
import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

INSTANTS = ["2026-11-21T12:00:00Z", "2031-05-04T09:00:00+02:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "soon"]
AMOUNTS = ["0", "1", "1250", "-1", "9223372036854775807", "9223372036854775808", "1.5", "many"]

schemathesis.graphql.scalar("BigInt", st.sampled_from(AMOUNTS).map(nodes.String))
schemathesis.graphql.scalar("CurrencyCode", st.sampled_from(["EUR", "JPY", "KWD", "XXX", "eur", ""]).map(nodes.String))
schemathesis.graphql.scalar("Date", st.sampled_from(["2026-11-21", "2024-02-29", "2023-02-29", "9999-12-31"]).map(nodes.String))
schemathesis.graphql.scalar("DateTime", st.sampled_from(INSTANTS).map(nodes.String))
schemathesis.graphql.scalar("Decimal", st.sampled_from(["0", "12.50", "-1", "1e9", "NaN"]).map(nodes.String))

with open(os.environ["EVENTSPHERE_IDS"], encoding="utf-8") as file:
    IDS = json.load(file)


class Helpful(graphql.Visitor):
    """Makes some of what was made up lead to something: pages of a size that is answered, ids of things that are there."""

    def __init__(self, random):
        super().__init__()
        self.random = random

    def enter_field(self, node, *_):
        named = {argument.name.value: argument for argument in node.arguments}
        if "first" not in named and "last" not in named or self.random.random() < 0.1:
            return None
        # Cursors that were made up and `first` beside `last` are refused: kept seldom.
        kept = [one for one in node.arguments if one.name.value not in ("first", "last", "after", "before")]
        page = graphql.ArgumentNode(name=graphql.NameNode(value="first"), value=nodes.Int(self.random.randint(1, 5)))
        return dataclasses.replace(node, arguments=(*kept, page))

    def enter_argument(self, node, *_):
        return self.found(node)

    def enter_object_field(self, node, *_):
        return self.found(node)

    def found(self, node):
        name = node.name.value
        kind = name[:-2] if name.endswith("Id") else "any" if name == "id" else None
        known = IDS.get(kind) or (IDS["any"] if kind else None)
        if known is None or not isinstance(node.value, graphql.StringValueNode) or self.random.random() < 0.2:
            return None
        return dataclasses.replace(node, value=nodes.String(self.random.choice(known)))


@schemathesis.hook
def before_generate_body(_context, strategy):
    return st.builds(lambda body, random: graphql.visit(body, Helpful(random)), strategy, st.randoms(use_true_random=False))


@schemathesis.check
def the_server_is_not_at_fault(_context, response, case):
    """No status from 500 on, an answer in JSON, and no error whose code lays it to the server's charge.

    The built-in check takes every error without a code of Apollo's for the server's, `FORBIDDEN` among them.
    """
    assert response.status_code < 500, f"status {response.status_code}"
    answer = response.json()
    assert "data" in answer or "errors" in answer, answer
    codes = {error.get("extensions", {}).get("code") for error in answer.get("errors", [])}
    assert None not in codes, "an error without a code"
    assert not codes & {"INTERNAL", "TIMEOUT", "UNAVAILABLE"}, codes
