#pragma once

#include "eventstore/event_log.h"
#include "tests/eventstore/answers.h"
#include "tests/eventstore/records.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <thread>

namespace bos::eventstore::test {

/// What every engine promises, whatever is underneath. An Engine has
///   std::unique_ptr<EventLog> open();   a log on the engine's storage; again after the last one is
///   gone
/// and starts with empty storage.
template <class Engine>
void check_event_log_contract() {
    Engine engine;
    std::unique_ptr<EventLog> log = engine.open();
    const TenantId acme = tenant("acme");
    Chain chain(acme);

    const auto append_many = [&](Chain& to, int count) {
        for (int i = 0; i < count; ++i) REQUIRE(append(*log, to.next()).has_value());
    };
    const auto positions_of_scan = [&](std::uint64_t from, std::uint64_t to) {
        std::vector<std::uint64_t> seen;
        const auto scanned =
            log->scan(acme, Position{from}, Position{to}, [&](Position position, std::string_view) {
                seen.push_back(position.value);
                return true;
            });
        REQUIRE(scanned.has_value());
        return seen;
    };
    using Numbers = std::vector<std::uint64_t>;

    SUBCASE("an empty log has nothing and says so") {
        CHECK_EQ(log->head(acme).value(), Head{});
        CHECK_EQ(code(log->read(acme, Position{0})), Code::not_found);
        CHECK_EQ(code(log->read(acme, Position{1})), Code::not_found);
        CHECK_EQ(positions_of_scan(1, 100), Numbers{});
        CHECK(log->stream(acme, stream(1), Version{1}, 10).value().empty());
        CHECK_EQ(log->find_key(acme, "key-1").value(), std::nullopt);
        CHECK(log->tenants().value().empty());
        CHECK_EQ(position_at(*log, acme, from_micros(0)).value(), Position{0});
        CHECK_EQ(verify_chain(*log, acme).value().head, Head{});
    }

    SUBCASE("a record is read back byte for byte") {
        const std::string first = chain.next();
        const Result<Head> appended = append(*log, first);
        REQUIRE(appended.has_value());
        CHECK_EQ(*appended, chain.head());
        CHECK_EQ(log->head(acme).value(), chain.head());
        CHECK_EQ(log->read(acme, Position{1}).value(), first);
        CHECK_EQ(code(log->read(acme, Position{2})), Code::not_found);
    }

    SUBCASE("an append that does not continue the chain is a conflict and writes nothing") {
        append_many(chain, 3);
        const Head head = log->head(acme).value();

        Chain behind(acme, Head{.position = Position{1}, .hash = head.hash});
        CHECK_EQ(code(append(*log, behind.next())), Code::conflict);
        Chain ahead(acme, Head{.position = Position{4}, .hash = head.hash});
        CHECK_EQ(code(append(*log, ahead.next())), Code::conflict);
        Chain other_past(acme, Head{.position = Position{3}, .hash = hash_of("another past")});
        CHECK_EQ(code(append(*log, other_past.next())), Code::conflict);

        CHECK_EQ(log->head(acme).value(), head);
        CHECK(append(*log, chain.next()).has_value());
    }

    SUBCASE("bytes that are no record are refused as invalid") {
        CHECK_EQ(code(append(*log, "not a record")), Code::invalid);
        CHECK(append(*log, chain.next()).has_value());
    }

    SUBCASE("pipelined appends are answered in order") {
        constexpr int count = 500;
        Answers answers;
        std::vector<Head> expected;
        for (int i = 0; i < count; ++i) {
            log->append(chain.next(), answers.done());
            expected.push_back(chain.head());
        }
        const auto outcomes = answers.wait_for(count);
        for (std::size_t i = 0; i < count; ++i) {
            REQUIRE(outcomes[i].has_value());
            REQUIRE_EQ(*outcomes[i], expected[i]);
        }
        CHECK_EQ(verify_chain(*log, acme).value().head, chain.head());
    }

    SUBCASE("after a failed append all that are chained on it fail, and the log goes on") {
        append_many(chain, 1);
        Answers answers;
        Chain broken(acme, Head{.position = Position{1}, .hash = hash_of("another past")});
        for (int i = 0; i < 5; ++i) log->append(broken.next(), answers.done());
        log->append(chain.next(), answers.done());
        const auto outcomes = answers.wait_for(6);
        for (std::size_t i = 0; i < 5; ++i) CHECK_EQ(code(outcomes[i]), Code::conflict);
        CHECK(outcomes[5].has_value());
        CHECK_EQ(log->head(acme).value(), chain.head());
    }

    SUBCASE("an answered record is durable: its done can read it") {
        std::promise<Result<std::string>> promise;
        auto future = promise.get_future();
        const std::string record = chain.next();
        log->append(record, [&, promise = std::move(promise)](Result<Head> head) mutable {
            promise.set_value(head ? log->read(acme, head->position)
                                   : Result<std::string>(std::unexpected(head.error())));
        });
        CHECK_EQ(future.get().value(), record);
    }

    SUBCASE("a done may append the next record") {
        std::promise<Result<Head>> promise;
        auto future = promise.get_future();
        const std::string first = chain.next();
        const std::string second = chain.next();
        log->append(first, [&, promise = std::move(promise)](Result<Head>) mutable {
            log->append(second, [promise = std::move(promise)](Result<Head> head) mutable {
                promise.set_value(std::move(head));
            });
        });
        CHECK_EQ(future.get().value(), chain.head());
    }

    SUBCASE("a scan visits what is asked for, in order") {
        append_many(chain, 10);
        CHECK_EQ(positions_of_scan(1, 10), Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
        CHECK_EQ(positions_of_scan(0, 2), Numbers{1, 2});
        CHECK_EQ(positions_of_scan(4, 6), Numbers{4, 5, 6});
        CHECK_EQ(positions_of_scan(9, ~std::uint64_t{0}), Numbers{9, 10});
        CHECK_EQ(positions_of_scan(11, 20), Numbers{});
        CHECK_EQ(positions_of_scan(6, 5), Numbers{});
    }

    SUBCASE("a scan stops when the visitor has seen enough") {
        append_many(chain, 10);
        int seen = 0;
        CHECK(log->scan(acme, Position{1}, Position{10},
                        [&](Position, std::string_view) { return ++seen < 3; })
                  .has_value());
        CHECK_EQ(seen, 3);
    }

    SUBCASE("a visitor may read the log") {
        append_many(chain, 3);
        CHECK(log->scan(acme, Position{1}, Position{3},
                        [&](Position at, std::string_view record) {
                            CHECK_EQ(log->read(acme, at).value(), record);
                            return true;
                        })
                  .has_value());
    }

    SUBCASE("a stream's events are found across commits") {
        const auto with = [](std::vector<RecordedEvent> events) {
            return [events = std::move(events)](Commit& commit) { commit.events = events; };
        };
        REQUIRE(append(*log, chain.next(with({event(stream(1), 1), event(stream(2), 1)}))));
        REQUIRE(append(*log, chain.next(with({event(stream(2), 2), event(stream(1), 2),
                                              event(stream(1), 3)}))));
        REQUIRE(append(*log, chain.next(with({}))));
        REQUIRE(append(*log, chain.next(with({event(stream(1), 4)}))));
        using Addresses = std::vector<EventAddress>;
        const EventAddress first{Version{1}, Position{1}, 0};
        const EventAddress second{Version{2}, Position{2}, 1};
        const EventAddress third{Version{3}, Position{2}, 2};
        const EventAddress fourth{Version{4}, Position{4}, 0};
        CHECK_EQ(log->stream(acme, stream(1), Version{1}, 10).value(),
                 Addresses{first, second, third, fourth});
        CHECK_EQ(log->stream(acme, stream(1), Version{0}, 2).value(), Addresses{first, second});
        CHECK_EQ(log->stream(acme, stream(1), Version{3}, 10).value(), Addresses{third, fourth});
        CHECK_EQ(log->stream(acme, stream(1), Version{5}, 10).value(), Addresses{});
        CHECK_EQ(log->stream(acme, stream(2), Version{1}, 10).value().size(), 2);
        CHECK_EQ(log->stream(acme, {.type = 8, .id = uuid(1)}, Version{1}, 10).value(),
                 Addresses{});
        CHECK_EQ(log->stream(tenant("other"), stream(1), Version{1}, 10).value(), Addresses{});
    }

    SUBCASE("an idempotency key leads to its commit, in its tenant only") {
        append_many(chain, 3);
        CHECK_EQ(log->find_key(acme, "key-2").value(), Position{2});
        CHECK_EQ(log->find_key(acme, "key-4").value(), std::nullopt);
        CHECK_EQ(log->find_key(tenant("other"), "key-2").value(), std::nullopt);
    }

    SUBCASE("tenants are apart and listed in order") {
        // One name is the beginning of another: no key of one may look like a key of the other.
        Chain a(tenant("a"));
        Chain ab(tenant("ab"));
        Chain z(tenant("z"));
        append_many(z, 1);
        append_many(ab, 3);
        append_many(a, 2);
        append_many(ab, 1);
        CHECK_EQ(log->tenants().value(), std::vector{tenant("a"), tenant("ab"), tenant("z")});
        for (const Chain* each : {&a, &ab, &z}) {
            CHECK_EQ(log->head(each->tenant()).value(), each->head());
            CHECK_EQ(verify_chain(*log, each->tenant()).value().head, each->head());
        }
    }

    SUBCASE("a conflict of a tenant's first record leaves no tenant behind") {
        Chain ghost(tenant("ghost"), Head{.position = Position{7}, .hash = {}});
        CHECK_EQ(code(append(*log, ghost.next())), Code::conflict);
        CHECK(log->tenants().value().empty());
    }

    SUBCASE("an instant leads to the last position recorded until then") {
        // Recorded at second 1, 2, 2, 2, 5.
        for (const std::int64_t second : {1, 2, 2, 2, 5}) {
            REQUIRE(append(*log, chain.next([&](Commit& commit) {
                commit.recorded_at = from_micros(second * 1'000'000);
            })));
        }
        const auto at = [&](std::int64_t micros) {
            return position_at(*log, acme, from_micros(micros)).value().value;
        };
        CHECK_EQ(at(999'999), 0);
        CHECK_EQ(at(1'000'000), 1);
        CHECK_EQ(at(1'999'999), 1);
        CHECK_EQ(at(2'000'000), 4);
        CHECK_EQ(at(4'999'999), 4);
        CHECK_EQ(at(5'000'000), 5);
        CHECK_EQ(at(9'000'000), 5);
    }

    SUBCASE("a chain whose time runs backwards does not verify") {
        append_many(chain, 2);
        REQUIRE(append(*log, chain.next([](Commit& commit) { commit.recorded_at = {}; })));
        const Result<Verified> verified = verify_chain(*log, acme);
        CHECK_EQ(code(verified), Code::corrupt);
        CHECK(verified.error().detail.contains("position 3"));
    }

    SUBCASE("many threads and tenants append at once") {
        constexpr int threads = 8;
        constexpr int records = 60;
        std::atomic<int> failures = 0;
        std::latch start(threads);
        std::vector<std::jthread> writers;
        for (int i = 0; i < threads; ++i) {
            writers.emplace_back([&, i] {
                Chain own(tenant(fmt::format("tenant-{}", i)));
                start.arrive_and_wait();
                for (int k = 0; k < records; ++k) {
                    if (append(*log, own.next()) != Result<Head>(own.head())) ++failures;
                    if (log->head(own.tenant()) != Result<Head>(own.head())) ++failures;
                }
                if (!verify_chain(*log, own.tenant())) ++failures;
            });
        }
        writers.clear();
        CHECK_EQ(failures, 0);
        CHECK_EQ(log->tenants().value().size(), threads);
    }

    SUBCASE("of two owners of a tenant exactly one wins each position") {
        constexpr int records = 50;
        std::atomic<int> won = 0;
        std::latch start(2);
        std::vector<std::jthread> owners;
        for (std::uint64_t owner = 0; owner < 2; ++owner) {
            owners.emplace_back([&, owner] {
                start.arrive_and_wait();
                while (true) {
                    const Head head = log->head(acme).value();
                    if (head.position.value >= records) return;
                    Chain own(acme, head);
                    const auto mine = [&](Commit& commit) {
                        commit.correlation = uuid(100 + owner);
                    };
                    const Result<Head> outcome = append(*log, own.next(mine));
                    if (outcome) ++won;
                    if (!outcome && outcome.error().code != Code::conflict) return;
                }
            });
        }
        owners.clear();
        CHECK_EQ(log->head(acme).value().position.value, static_cast<std::uint64_t>(won));
        CHECK(verify_chain(*log, acme).has_value());
    }

    SUBCASE("whether the log ends where somebody thinks is told after what was appended before") {
        CHECK_EQ(confirm(*log, acme, Head{}).value(), Head{});
        append_many(chain, 3);
        Answers answers;
        for (int i = 0; i < 20; ++i) log->append(chain.next(), answers.done());
        CHECK_EQ(confirm(*log, acme, chain.head()).value(), chain.head());
        answers.wait_for(20);
        if (log->is_shared())
            CHECK_EQ(code(confirm(*log, acme, log->head(tenant("other")).value())), Code::conflict);
        log->stop();
        if (log->is_shared()) CHECK_EQ(code(confirm(*log, acme, chain.head())), Code::unavailable);
    }

    SUBCASE("what was answered is there after the log is opened again") {
        append_many(chain, 20);
        log.reset();
        log = engine.open();
        CHECK_EQ(verify_chain(*log, acme).value().head, chain.head());
        CHECK_EQ(log->find_key(acme, "key-7").value(), Position{7});
        append_many(chain, 1);
        CHECK_EQ(positions_of_scan(20, 30), Numbers{20, 21});
    }

    SUBCASE("stop answers every outstanding append, and reads go on") {
        constexpr int count = 200;
        Answers answers;
        for (int i = 0; i < count; ++i) log->append(chain.next(), answers.done());
        log->stop();
        REQUIRE_EQ(answers.count(), count);
        std::uint64_t written = 0;
        for (const Result<Head>& outcome : answers.wait_for(count)) {
            if (outcome) written = outcome->position.value;
            if (!outcome) CHECK_EQ(outcome.error().code, Code::unavailable);
        }
        CHECK_EQ(log->head(acme).value().position.value, written);
        log->stop();
        CHECK_EQ(code(append(*log, chain.next())), Code::unavailable);
    }
}

}  // namespace bos::eventstore::test
