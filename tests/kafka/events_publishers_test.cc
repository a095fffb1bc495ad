#include "tests/kafka/published.h"

#include <doctest/doctest.h>

// Several publishers: one after the other, and at once, which nobody prevents.

namespace bos::projections {

namespace {

using namespace test;

}  // namespace

TEST_CASE("two publishers of one tenant give repeats and no gap") {
    Published events;
    events.options.records_in_flight_max = 64;
    const auto first = events.publisher();
    const auto second = events.publisher();
    for (int i = 0; i < 500; ++i) {
        events.commit(3);
        // Each hears of it at another time, and begins anew now and then.
        if (i % 3 == 0) first->committed(events.acme, events.head());
        if (i % 5 == 0) second->committed(events.acme, events.head());
        if (i % 90 == 0) {
            second->end(events.acme);
            second->begin(events.acme);
        }
    }
    for (const auto* publisher : {first.get(), second.get()}) {
        publisher == first.get() ? first->committed(events.acme, events.head())
                                 : second->committed(events.acme, events.head());
        events.wait_for(*publisher);
    }
    must_have_no_gap(events.ids(), events.all_ids());
}

TEST_CASE("a tenant that moves to another publisher goes on there without repeats") {
    Published events;
    const auto first = events.publisher();
    events.commits(100);
    first->committed(events.acme, events.head());
    events.wait_for(*first);
    first->end(events.acme);
    wait_until([&] { return !first->published(events.acme); });
    events.commits(100);
    first->committed(events.acme, events.head());

    const auto second = events.publisher();
    events.wait_for(*second);
    CHECK_EQ(events.ids(), events.all_ids());
    CHECK_FALSE(first->published(events.acme));
}

TEST_CASE("many tenants are published side by side, also those that get their first record later") {
    eventstore::MemoryLog log;
    EventsOptions options = Published().options;
    options.topic_prefix = next_prefix();
    const auto publisher = EventsPublisher::start(options, log).value();
    std::vector<eventstore::test::Chain> chains;
    for (int i = 0; i < 20; ++i) {
        chains.emplace_back(tenant(fmt::format("tenant-{}", i)));
        publisher->begin(chains.back().tenant());
    }
    for (int round = 0; round < 50; ++round) {
        for (eventstore::test::Chain& chain : chains) {
            REQUIRE(append(log, chain.next()));
            publisher->committed(chain.tenant(), chain.head().position);
        }
    }
    for (const eventstore::test::Chain& chain : chains) {
        wait_until([&] { return publisher->published(chain.tenant()) == Position{50}; });
    }
    wait_until([&] { return publisher->figures().published == 20 * 50; });
    const EventsFigures figures = publisher->figures();
    CHECK_EQ(figures.tenants, 20);
    CHECK_EQ(figures.tenants_paused, 0);
    CHECK_EQ(figures.commits_behind, 0);
}

}  // namespace bos::projections
