#include "projections/events_publisher.h"

#include "tests/kafka/published.h"

#include <doctest/doctest.h>

// One publisher and a real broker: what analysts get, and what happens when either is interrupted.

namespace bos::projections {

namespace {

using namespace test;
using bos::kafka::test::Paused;

}  // namespace

TEST_CASE("each event is one CloudEvents record, in the order of the log") {
    Published events;
    const auto publisher = events.publisher();
    events.commit(3);
    events.commit(0);
    events.commit(1);
    publisher->committed(events.acme, events.head());
    events.wait_for(*publisher);

    CHECK_EQ(events.ids(), events.all_ids());
    const auto records = events.topic().read();
    REQUIRE_EQ(records.size(), 4);
    const auto& last = records[3];
    const std::string lead = to_string(eventstore::test::uuid(1));
    CHECK_EQ(last.key, lead);
    CHECK_EQ(last.value, "3/0 xxxxxxxxxx");
    CHECK_EQ(last.timestamp_ms, 3000);
    CHECK_EQ(last.headers, std::map<std::string, std::string>{
                               {"content-type", "application/vnd.bos.flatbuffers"},
                               {"ce_specversion", "1.0"},
                               {"ce_id", "acme/3/0"},
                               {"ce_source", "urn:bos:tenant:acme"},
                               {"ce_type", "leads.lead-captured.v1"},
                               {"ce_subject", "7/" + lead},
                               {"ce_time", "1970-01-01T00:00:03.000000Z"},
                               {"ce_tenant", "acme"},
                               {"ce_position", "3"},
                               {"ce_index", "0"},
                               {"ce_events", "1"},
                               {"ce_version", "4"},
                               {"ce_command", "leads.capture-lead"},
                               {"ce_correlation", to_string(eventstore::test::uuid(3))}});
}

TEST_CASE("the next publisher goes on where the last one stopped, without repeats") {
    Published events;
    for (int i = 0; i < 4; ++i) {
        events.commits(50, 2);
        const auto publisher = events.publisher();
        events.wait_for(*publisher);
        publisher->stop();
    }
    CHECK_EQ(events.ids(), events.all_ids());
}

TEST_CASE("a publisher goes on in the middle of a commit") {
    Published events;
    events.commit(5);
    {
        const auto publisher = events.publisher();
        events.wait_for(*publisher);
    }
    const auto records = events.topic().read();
    Published half;
    half.commit(5);
    half.topic().create();
    for (int i = 0; i < 2; ++i) half.topic().produce(records[static_cast<std::size_t>(i)]);
    const auto publisher = half.publisher();
    half.wait_for(*publisher);
    CHECK_EQ(half.ids(), half.all_ids());
}

TEST_CASE("records of strangers at the end of the topic are passed over") {
    Published events;
    events.commits(20);
    {
        const auto publisher = events.publisher();
        events.wait_for(*publisher);
    }
    RawTopic topic = events.topic();
    topic.produce("no headers");
    topic.produce({.value = "x", .headers = {{"ce_id", "acme/no/number"}}});
    topic.produce({.value = "x", .headers = {{"ce_id", "acme/9999/0"}}});  // not in the log
    topic.produce({.value = "x", .headers = {{"ce_id", "acme/20/7"}}});    // no such event
    topic.produce({.value = "x", .headers = {{"ce_id", "acme/20/0"}}});    // other bytes
    topic.produce({.value = "x", .headers = {{"ce_id", "other/20/0"}}});   // another tenant
    const std::size_t before = topic.read().size();
    events.commits(20);
    SUBCASE("when ours is found behind them, nothing is repeated") {
        const auto publisher = events.publisher();
        events.wait_for(*publisher);
        CHECK_EQ(topic.read().size(), before + 20);
    }
    SUBCASE("when they are too many to look behind, all is published once more") {
        events.options.foreign_records_max = 3;
        const auto publisher = events.publisher();
        events.wait_for(*publisher);
        CHECK_EQ(topic.read().size(), before + 40);
    }
    std::vector<std::string> ids;
    for (const RawTopic::Record& record : topic.read()) {
        if (record.value != "x" && record.headers.contains("ce_id")) {
            ids.push_back(record.headers.at("ce_id"));
        }
    }
    must_have_no_gap(ids, events.all_ids());
}

TEST_CASE("while the broker stands still the publisher waits, and goes on when it answers") {
    Published events;
    events.commits(100);
    const auto publisher = events.publisher();
    events.wait_for(*publisher);
    {
        const Paused paused(Brokers::one());
        for (int i = 0; i < 300; ++i) {
            events.commit();
            publisher->committed(events.acme, events.head());
        }
        CHECK_EQ(publisher->published(events.acme), Position{100});
    }
    events.wait_for(*publisher);
    must_have_no_gap(events.ids(), events.all_ids());
}

TEST_CASE("a publisher that is cut off at any moment leaves no gap") {
    Published events;
    events.options.stop_timeout = std::chrono::milliseconds(0);
    events.options.records_in_flight_max = 64;
    for (int round = 0; round < 15; ++round) {
        events.commits(200, 3);
        const auto publisher = events.publisher();
        // Somewhere on the way: later in each round.
        const Position somewhere{events.head().value - 200 +
                                 static_cast<std::uint64_t>(round) * 10};
        wait_until([&] { return publisher->published(events.acme) >= somewhere; });
    }
    const auto publisher = events.publisher();
    events.wait_for(*publisher);
    must_have_no_gap(events.ids(), events.all_ids());
}

TEST_CASE("a record that the broker refuses stops its tenant alone, without a gap") {
    Published events;
    Published other("other", events.options.topic_prefix);
    events.commits(3);
    auto publisher = events.publisher();
    events.wait_for(*publisher);
    events.topic().alter({{"max.message.bytes", "4000"}});
    // Brokers learn of the setting a little later, so more than one may be taken.
    const auto stopped = [&] {
        events.commits(20);  // under way when the next one is refused
        events.commit(1, 8000);
        events.commits(20);
        publisher->committed(events.acme, events.head());
        return !publisher->published(events.acme);
    };
    wait_until(stopped);
    {
        const auto others = other.publisher();
        other.commits(10);
        others->committed(other.acme, other.head());
        other.wait_for(*others);
    }
    events.topic().alter({{"max.message.bytes", "1000000"}});
    events.wait_for(*publisher);
    must_have_no_gap(events.ids(), events.all_ids());
}

TEST_CASE("a topic that was deleted is made again with everything in it") {
    Published events;
    events.commits(50);
    const auto publisher = events.publisher();
    events.wait_for(*publisher);
    events.topic().remove();
    wait_until([&] {
        events.commit();
        publisher->committed(events.acme, events.head());
        return !publisher->published(events.acme);
    });
    events.wait_for(*publisher);
    must_have_no_gap(events.ids(), events.all_ids());
}

}  // namespace bos::projections
