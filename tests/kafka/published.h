#pragma once

#include "eventstore/memory_log.h"
#include "projections/events_publisher.h"
#include "tests/eventstore/answers.h"
#include "tests/eventstore/records.h"
#include "tests/kafka/brokers.h"
#include "tests/kafka/node.h"
#include "tests/kafka/raw_topic.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace bos::projections::test {

using bos::kafka::test::Brokers;
using bos::kafka::test::RawTopic;
using eventstore::test::append;
using eventstore::test::next_prefix;
using eventstore::test::tenant;
using eventstore::test::wait_until;

/// A tenant's log in memory, the topic of its events, and publishers of it.
struct Published {
    explicit Published(std::string_view name = "acme", std::string prefix = next_prefix())
        : acme(tenant(name)), chain(acme) {
        options.brokers = Brokers::one().bootstrap();
        options.topic_prefix = std::move(prefix);
        options.replication_factor = 1;
        options.min_insync_replicas = 1;
        options.retry_min = std::chrono::milliseconds(20);
        options.retry_max = std::chrono::milliseconds(200);
    }

    /// One commit of `events` events of one lead.
    void commit(std::size_t events = 1, std::size_t payload_bytes = 10) {
        REQUIRE(append(log, chain.next([&](eventstore::Commit& commit) {
            commit.events.clear();
            for (std::size_t i = 0; i < events; ++i) {
                commit.events.push_back(
                    eventstore::test::event(eventstore::test::stream(1), ++version,
                                            fmt::format("{}/{} ", commit.position.value, i) +
                                                std::string(payload_bytes, 'x')));
            }
        })));
    }
    void commits(int count, std::size_t events = 1) {
        for (int i = 0; i < count; ++i) commit(events);
    }
    Position head() const { return log.head(acme).value().position; }

    std::unique_ptr<EventsPublisher> publisher() const {
        auto publisher = EventsPublisher::start(options, log).value();
        publisher->begin(acme);
        return publisher;
    }
    /// Waits until everything in the log is acknowledged.
    void wait_for(const EventsPublisher& publisher) const {
        wait_until([&] { return publisher.published(acme) == head(); });
    }

    RawTopic topic() const { return {options.brokers, options.topic_prefix + acme.value()}; }
    std::vector<std::string> ids() const {
        std::vector<std::string> ids;
        for (const RawTopic::Record& record : topic().read()) {
            if (record.headers.contains("ce_id")) ids.push_back(record.headers.at("ce_id"));
        }
        return ids;
    }
    /// Of every event of the log, in order.
    std::vector<std::string> all_ids() const {
        std::vector<std::string> ids;
        REQUIRE(log.scan(acme, Position{1}, head(), [&](Position, std::string_view record) {
            const eventstore::Commit commit = eventstore::decode(record).value();
            for (std::size_t i = 0; i < commit.events.size(); ++i) {
                ids.push_back(fmt::format("{}/{}/{}", acme.value(), commit.position.value, i));
            }
            return true;
        }));
        return ids;
    }

    const TenantId acme;
    eventstore::MemoryLog log;
    eventstore::test::Chain chain;
    EventsOptions options;
    std::uint64_t version = 0;
};

/// Repeats may be; but no event stands in the topic without all those before it before it.
inline void must_have_no_gap(const std::vector<std::string>& ids,
                             const std::vector<std::string>& all) {
    std::size_t seen = 0;  // of `all`, from the first one on
    std::set<std::string> before;
    for (const std::string& id : ids) {
        if (before.contains(id)) continue;
        REQUIRE(seen < all.size());
        CHECK_EQ(id, all[seen]);
        before.insert(id);
        ++seen;
    }
    CHECK_EQ(seen, all.size());
}

}  // namespace bos::projections::test
