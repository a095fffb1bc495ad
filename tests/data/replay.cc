#include "tests/data/replay.h"

#include "eventstore/memory_log.h"
#include "eventstore/rocks_log.h"
#include "projections/views.h"

#include <fmt/format.h>

#include <iostream>

namespace bos::data_test {

namespace {

/// As many as some dozen busy users have.
constexpr std::size_t in_flight_max = 512;

std::string reason_of(const commands::Refusal& refusal) {
    if (const auto* rejected = std::get_if<Rejected>(&refusal)) {
        return fmt::format("{} {}", rejected->info.code, rejected->detail);
    }
    if (const auto* error = std::get_if<Error>(&refusal)) return error->detail;
    return "conflict, key or permission";
}

std::unique_ptr<eventstore::EventLog> open_log(Engine engine,
                                               const eventstore::test::TempFolder& folder) {
    if (engine == Engine::memory) return std::make_unique<eventstore::MemoryLog>();
    eventstore::RocksLogOptions options;
    options.path = folder / "log";
    return eventstore::RocksLog::open(options).value();
}

}  // namespace

Replay::Replay(Engine engine) : log_(open_log(engine, folder_)) {
    projections::ViewStoreOptions view_options;
    view_options.path = folder_ / "views";
    views_ = projections::ViewStore::open(view_options).value();
    runner_ = std::make_unique<projections::Runner>(
        *views_, projections::ViewSet(projections::Views{}), sealer_);
    REQUIRE(runner_->open(tenant_, *log_).has_value());
    shard_ = std::make_unique<commands::Shard>(
        context_.get_executor(),
        commands::Surroundings{*log_, keys_, sealer_, *this, clock_, random_});
}

Replay::~Replay() { log_->stop(); }

UserId Replay::user(std::uint64_t number) {
    Uuid id;
    id.bytes[0] = 1;
    for (std::size_t i = 0; i < 8; ++i) {
        id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    }
    return UserId(id);
}

void Replay::at(Timestamp time, UserId actor) {
    clock_.set(time);
    actor_ = actor;
}

std::size_t Replay::give(leads::Command command) {
    const std::size_t number = created_.size();
    created_.emplace_back();
    commands::Request request{
        .tenant = tenant_,
        .caller = {.actor = {.kind = ActorKind::user, .id = actor_},
                   .on_behalf_of = std::nullopt,
                   .grants = {.permissions = {"leads:*:*"}, .scope = Scope::all}},
        .command = std::move(command),
        .key = fmt::format("event {}", number),
        .expected_version = std::nullopt,
        .correlation = {},
        .causation = {}};
    shard_->submit(std::move(request), [this, number](const commands::Outcome& outcome) {
        if (!outcome) FAIL("command ", number, ": ", reason_of(outcome.error()));
        REQUIRE(outcome->changed);
        created_[number] = outcome->target.id;
    });
    context_.poll();  // decided at this time of the history
    wait_until_in_flight_is(in_flight_max);
    return number;
}

Uuid Replay::created(std::size_t number) {
    while (!created_[number]) context_.run_one();
    return *created_[number];
}

void Replay::wait_until_in_flight_is(std::size_t most) {
    while (shard_->in_flight() > most) context_.run_one();
}

void Replay::finish(const std::string& line) {
    wait_until_in_flight_is(0);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
    std::cout << fmt::format("{}: {} commands, {:.0f} a second\n", line, created_.size(),
                             static_cast<double>(created_.size()) / took.count());
}

void Replay::committed(const TenantId& tenant, std::vector<eventstore::Commit> commits,
                       Applied applied) {
    REQUIRE(runner_->project(tenant, commits).has_value());
    applied();
}

void Replay::check_end() {
    CHECK_EQ(eventstore::verify_chain(*log_, tenant_)->head.position.value, created_.size());
    const auto live = runner_->hash(tenant_).value();
    REQUIRE(runner_->rebuild(tenant_, *log_).has_value());
    CHECK((runner_->hash(tenant_).value() == live));
}

}  // namespace bos::data_test
