#include "projections/event_record.h"

#include "schemas/leads.gen.h"
#include "tests/eventstore/records.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace bos::projections {

namespace {

using eventstore::test::tenant;

std::string header(const EventRecord& record, std::string_view name) {
    const auto found =
        std::ranges::find(record.headers, name, &std::pair<std::string_view, std::string>::first);
    return found == record.headers.end() ? "none" : found->second;
}

}  // namespace

TEST_CASE("an event's id is read back for its own tenant only, in exactly its own form") {
    const TenantId acme = tenant("acme");
    const EventPlace place{Position{42}, 7};
    CHECK_EQ(event_id(acme, place), "acme/42/7");
    CHECK_EQ(parse_event_id(acme, "acme/42/7"), place);
    for (const char* other : {"", "acme", "acme/42", "acme/42/7/1", "acme/042/7", "acme/42/-7",
                              "acme/ 42/7", "acme/42/7 ", "acme/42/", "other/42/7", "/42/7",
                              "acme/99999999999999999999/0", "acme/42/4294967296"}) {
        CHECK_FALSE_MESSAGE(parse_event_id(acme, other), other);
    }
}

TEST_CASE(
    "the subject names the kind of aggregate by its word, and by its number when that is new") {
    eventstore::Commit commit = eventstore::test::commit_after({}, tenant("acme"));
    const Uuid id = commit.events[0].stream.id;
    commit.events[0].stream.type = leads::LeadCaptured::aggregate;
    CHECK_EQ(header(event_record(commit, 0), "ce_subject"), "lead/" + to_string(id));
    commit.events[0].stream.type = 60'000;
    CHECK_EQ(header(event_record(commit, 0), "ce_subject"), "60000/" + to_string(id));
}

}  // namespace bos::projections
