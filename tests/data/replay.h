#pragma once

#include "commands/shard.h"
#include "eventstore/event_log.h"
#include "eventstore/memory_key_store.h"
#include "projections/leads/queries.h"
#include "projections/runner.h"
#include "tests/eventstore/temp_folder.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace bos::data_test {

/// Stands where the history is at.
class HistoryClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() override { return now_; }
    void set(Timestamp now) { now_ = now; }

  private:
    Timestamp now_;
};

enum class Engine : std::uint8_t { memory, rocks };

/// A tenant's history as commands at the times of its events, with all views, as a node runs them.
/// Commands are decided as they are given and may become durable later.
class Replay final : private commands::CommitSink {
  public:
    explicit Replay(Engine engine);
    ~Replay() override;

    /// The id that stands for a person of the history.
    [[nodiscard]] static UserId user(std::uint64_t number);

    /// From now on it is `time`, and `actor` acts.
    void at(Timestamp time, UserId actor);
    /// Must be done, in the end. Gives a number by which created() knows it.
    std::size_t give(leads::Command command);
    /// The lead or pipeline that a command created; waits for it.
    [[nodiscard]] Uuid created(std::size_t number);
    /// Waits until everything is done; then `line` says how fast that was.
    void finish(const std::string& line);

    template <class Query>
    [[nodiscard]] auto ask(const Query& query, projections::Viewer viewer = {{}, Scope::all}) {
        return answer_at(query, std::nullopt, viewer);
    }
    /// As it was at the end of an instant.
    template <class Query>
    [[nodiscard]] auto ask_as_of(Timestamp instant, const Query& query) {
        const Position then = eventstore::position_at(*log_, tenant_, instant).value();
        return answer_at(query, then, {{}, Scope::all});
    }

    /// Live views are those that a rebuild gives, and the chain is whole.
    void check_end();

  private:
    void committed(const TenantId& tenant, std::vector<eventstore::Commit> commits,
                   Applied applied) override;
    void wait_until_in_flight_is(std::size_t most);

    template <class Query>
    auto answer_at(const Query& query, std::optional<Position> as_of, projections::Viewer viewer) {
        const auto reader = as_of ? views_->read_as_of(tenant_, *as_of) : views_->read(tenant_);
        REQUIRE(reader.has_value());
        const std::string secret = keys_.tenant_secret(tenant_).value();
        const projections::QueryContext context{.reader = *reader,
                                                .as_of = as_of,
                                                .viewer = viewer,
                                                .sealer = sealer_,
                                                .log = *log_,
                                                .secret = secret,
                                                .now = clock_.now()};
        auto answered = projections::answer(query, context);
        REQUIRE(answered.has_value());
        return *std::move(answered);
    }

    const TenantId tenant_ = *TenantId::parse("history");
    eventstore::test::TempFolder folder_;
    HistoryClock clock_;
    SystemRandom random_;
    eventstore::MemoryKeyStore keys_{random_};
    eventstore::FieldSealer sealer_{keys_, random_};
    std::unique_ptr<eventstore::EventLog> log_;
    std::unique_ptr<projections::ViewStore> views_;
    std::unique_ptr<projections::Runner> runner_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    std::unique_ptr<commands::Shard> shard_;
    UserId actor_;
    std::vector<std::optional<Uuid>> created_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace bos::data_test
