"""What Schemathesis must know beside the document: rules between fields, and values that only a server can give.

Two thirds of the requests have such values replaced by ones that fit, so that they come far; the rest is sent as drawn.
"""
import itertools
import os
import re

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation

POSITIONS = 400  # the demo's log is longer
FILTERS = ['stage eq "new"', 'score ge 10 and tags has_tag "vip"', 'owner eq me or owner is_null', 'given_name eq "Ada"',
           'expected_value.minor between 1 and 100000', 'not category in ("won", "lost")', 'created_at within last 30d',
           'company_name contains "air"', '']
SORTS = ["created_at", "-created_at", "updated_at", "-updated_at", "expected_value", "-expected_value"]
# Refusals of requests that obey the document, by problem code: what the answer's detail must say.
RULES = {
    # The key was drawn before, for another request; keys are remembered for ever.
    "idempotency_mismatch": "",
    # A version that the record does not have.
    "precondition_failed": "",
    # Rules between the stages of a pipeline and the fields of a lead.
    "pipeline_incomplete": "", "stage_key_not_unique": "", "field_not_known": "",
    # Texts that are within their length in characters, and together over the request line's in bytes.
    "target_too_long": "",
    # A grammar, a cursor that no page gave, a position that is not there yet, months in reverse.
    "invalid_parameter": r"^(filter, column|filter |sort|cursor|as_of is past|email stands alone|assignee must be|from_month must not)",
}

numbers = itertools.count()


def is_positive(case, location):
    component = case.meta.components.get(location) if case.meta else None
    return component is not None and component.mode.is_positive


def fold_position(query, name):
    if str(query.get(name, "")).isdecimal() and int(query[name]) < 2 ** 53:
        query[name] = str(int(query[name]) % POSITIONS)


@schemathesis.hook
def before_call(context, case, kwargs):
    number = next(numbers)
    # Otherwise every read would be refused with 400 or 503: both are tested in api_test.py.
    fold_position(case.query or {}, "as_of")
    fold_position(case.query or {}, "min_position")
    # What is wrong on purpose stays as it is.
    query = case.query if case.query and is_positive(case, ParameterLocation.QUERY) else {}
    headers = case.headers if case.headers and is_positive(case, ParameterLocation.HEADER) else {}
    if "as_of" in query and "{" in case.path:
        # Before it was made a record is rightly not there, which the tool takes for a fault.
        query["as_of"] = "2999-01-01T00:00:00Z"
    if number % 3 == 0:
        return
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = headers["Idempotency-Key"][:200] + f"-{number}"
    if "If-Match" in headers:
        headers["If-Match"] = "*"
    if "filter" in query:
        query["filter"] = FILTERS[number % len(FILTERS)]
    if "sort" in query:
        query["sort"] = SORTS[number % len(SORTS)]
    if "assignee" in query:
        query["assignee"] = "me"
    query.pop("cursor", None)
    if "email" in query:
        query.pop("filter", None)
        query.pop("sort", None)


@schemathesis.hook
def filter_case(context, case):
    """Leaves out what cannot be sent as it was drawn: an empty list or object has no place in a query string, so a
    parameter that is wrong by being there would not be there."""
    return not any(value in ([], {}) for value in (case.query or {}).values())


@schemathesis.check
def refused_by_a_rule_with_a_name(ctx, response, case):
    """A request that obeys the document is refused with 400, 412, 414 or 422 only by a rule that it cannot say."""
    if response.status_code not in (400, 412, 414, 422) or not case.meta.generation.mode.is_positive:
        return
    # The tool takes quotes for no characters of a header, and sends 0 for a text that needs them.
    if response.request.headers.get("If-Match") == "0":
        return
    problem = response.json()
    detail = RULES.get(problem["code"])
    assert detail is not None, f"{problem['code']} is no rule beside the document: {problem}"
    assert re.search(detail, problem.get("detail", "")), f"not a rule beside the document: {problem}"


@schemathesis.check
def the_right_key_is_let_in(ctx, response, case):
    """Were it limited because of the wrong keys that are tried too, nothing after that would prove anything."""
    if response.request.headers.get("Authorization") == "Bearer " + os.environ["BOS_API_KEY"]:
        assert response.status_code not in (401, 429), response.text


refused_without_a_key = set()


@schemathesis.check
def nobody_is_let_in_without_the_key(ctx, response, case):
    """In place of the tool's ignored_auth. It tries more wrong keys than a peer may try at once, and does not know that
    being told to wait (429) is a refusal as well."""
    sent = response.request
    if not response.status_code < 300 or sent.method != case.operation.method.upper():
        return
    if case.operation.label in refused_without_a_key or case.operation.definition.raw.get("security") == []:
        return
    refused_without_a_key.add(case.operation.label)
    headers = {name: value for name, value in sent.headers.items() if name != "Authorization"}
    for key in ({}, {"Authorization": "Bearer wrong"}):
        answer = requests.request(sent.method, sent.url, headers={**headers, **key}, data=sent.body, timeout=10)
        assert answer.status_code in (401, 429), f"{answer.status_code} with {key}: {answer.text}"
