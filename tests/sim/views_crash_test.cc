#include "projections/runner.h"
#include "tests/projections/cards.h"
#include "tests/sim/disk_env.h"
#include "tests/sim/disk_faults.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace bos::sim {

namespace {

using namespace projections::cards;
using Hashes = std::vector<projections::ViewHash>;

const TenantId acme = *TenantId::parse("acme");

/// One process with nothing but views, of a log that outlives it.
class ViewsProcess {
  public:
    ViewsProcess(Machine& machine, std::shared_ptr<Disk> disk)
        : disk_(std::move(disk)),
          faults(machine, disk_),
          env_(disk_env(*disk_, machine.scheduler, machine.clock, 1)),
          sealer_(keys_, machine.random) {}

    Result<void> open(const eventstore::EventLog& log) {
        projections::ViewStoreOptions options;
        options.path = "/views";
        options.env = env_.get();
        options.on_corruption = projections::OnCorruption::start_empty;
        options.cache_bytes = 1 << 20;
        options.file_bytes_min = 1;  // whatever is built goes to files
        BOS_TRY(store_, projections::ViewStore::open(options));
        runner_ = std::make_unique<projections::Runner>(
            *store_, projections::ViewSet(types<Board, Total>{}), sealer_,
            projections::RunnerOptions{.build_bytes_max = 8000});
        BOS_CHECK(runner_->open(acme, log));
        return {};
    }
    Result<void> rebuild(const eventstore::EventLog& log) { return runner_->rebuild(acme, log); }
    [[nodiscard]] Hashes hashes() const { return runner_->hash(acme).value(); }

  private:
    const std::shared_ptr<Disk> disk_;

  public:
    DiskFaults faults;

  private:
    std::unique_ptr<rocksdb::Env> env_;
    NoKeys keys_;
    eventstore::FieldSealer sealer_;
    std::unique_ptr<projections::ViewStore> store_;
    std::unique_ptr<projections::Runner> runner_;
};

/// Cards that are made, changed and thrown away: more than a build keeps in memory.
void fill(CardLog& log) {
    for (std::uint64_t i = 0; i < 60; ++i) {
        const std::uint64_t card = i % 23;
        log.append({recorded(card_id(card), CardMade{std::string(20, 'c'), 3}),
                    recorded(card_id(card / 2), CardMoved{Stage::doing})});
        if (i % 5 == 0) log.append({recorded(card_id(card / 3), CardThrownAway{})});
    }
}

/// A process that ends at the n-th change of its disk while it builds its views anew, and the next
/// one. Gives whether the first one got so far.
bool build_and_go_on(std::uint64_t seed, std::uint64_t n, const Disk& before, const CardLog& log,
                     const Hashes& expected) {
    Machine machine(Plan{.seed = seed}, false);
    std::shared_ptr<Disk> disk = before.after_kill();
    bool ended = false;
    {
        ViewsProcess first(machine, disk);
        REQUIRE(first.open(log.log()));
        first.faults.crash_at(n);
        static_cast<void>(first.rebuild(log.log()));
        ended = first.faults.crashed();
        if (!ended) first.faults.crash("end", DiskFaults::End::power_loss);
        disk = first.faults.left();
    }
    ViewsProcess second(machine, disk);
    const Result<void> opened = second.open(log.log());
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
    REQUIRE(second.hashes() == expected);
    // What the first one left must not come up in a generation of the second.
    REQUIRE(second.rebuild(log.log()));
    REQUIRE(second.hashes() == expected);
    for (const std::string& name : disk->children("/views"))
        REQUIRE_MESSAGE(!name.ends_with(".rows"), name);
    second.faults.crash("end", DiskFaults::End::kill);
    return ended;
}

}  // namespace

TEST_CASE("views survive the end of their process at any change of the disk in a rebuild") {
    CardLog log(acme);
    fill(log);
    Machine machine(Plan{.seed = 1}, false);
    auto disk = std::make_shared<Disk>();
    Hashes expected;
    {
        ViewsProcess first(machine, disk);
        REQUIRE(first.open(log.log()));
        expected = first.hashes();
        first.faults.crash("end", DiskFaults::End::kill);
        disk = first.faults.left();
    }
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        std::uint64_t n = 1;
        for (;; ++n) {
            CAPTURE(seed);
            CAPTURE(n);
            if (!build_and_go_on(seed, n, *disk, log, expected)) break;
        }
        CHECK(n > 40);
    }
}

namespace {

constexpr std::uint16_t view = 1;

projections::ViewStoreOptions small_memtables(rocksdb::Env& env) {
    projections::ViewStoreOptions options;
    options.path = "/views";
    options.env = &env;
    options.write_buffer_bytes = 64 << 10;
    return options;
}

std::string key_of(std::uint64_t position) { return fmt::format("row {:05}", position); }

/// Each commit has a row.
void write_commits(projections::ViewStore& store, std::uint64_t from, std::uint64_t to) {
    auto session = store.write(acme);
    REQUIRE(session);
    for (std::uint64_t position = from; position <= to; ++position) {
        session->begin(Position{position});
        session->writer(view).put(key_of(position), std::string(300, 'r'));
        REQUIRE(session->finish());
    }
}

std::size_t wals_of(const Disk& disk) {
    const auto names = disk.children("/views");
    return static_cast<std::size_t>(
        std::ranges::count_if(names, [](const auto& name) { return name.ends_with(".log"); }));
}

/// The rows are those of the commits up to the applied position.
void check_rows(const projections::ViewStore& store) {
    const auto reader = store.read(acme);
    std::uint64_t rows = 0;
    REQUIRE(reader->scan(
        view, "", "", projections::Direction::forward,
        [&](std::string_view key, std::string_view) { return key == key_of(++rows); }));
    CHECK(rows == reader->position().value);
}

}  // namespace

TEST_CASE("after a power loss the views are those of a commit, without a gap before it") {
    Machine machine(Plan{.seed = 1}, false);
    const auto disk = std::make_shared<Disk>();
    const DiskFaults faults(machine, disk);
    {
        const auto threads = disk_env(*disk, machine.clock);
        const auto store = projections::ViewStore::open(small_memtables(*threads)).value();
        const projections::Generation built = *store->start_building(acme, view, 1);
        REQUIRE(store->go_live(acme, std::span(&built, 1), Position{0}));
        disk->sync_folder("/");
    }
    // Flushes are never carried out: nothing else makes a write-ahead log durable.
    const auto env = disk_env(*disk, machine.scheduler, machine.clock, 1);
    const auto store = projections::ViewStore::open(small_memtables(*env)).value();
    std::uint64_t position = 0;
    for (; wals_of(*disk) < 2; ++position) write_commits(*store, position + 1, position + 1);
    write_commits(*store, position + 1, position + 5);
    Draws draws(7);
    for (int loss = 0; loss < 50; ++loss) {
        CAPTURE(loss);
        const auto left = disk->after_power_loss(draws);
        const auto threads = disk_env(*left, machine.clock);
        check_rows(*projections::ViewStore::open(small_memtables(*threads)).value());
    }
}

}  // namespace bos::sim
