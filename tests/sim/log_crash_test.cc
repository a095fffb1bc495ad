#include "eventstore/rocks_log.h"
#include "tests/eventstore/records.h"
#include "tests/sim/disk_env.h"
#include "tests/sim/disk_faults.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <optional>

namespace bos::sim {

namespace {

using eventstore::test::Chain;
using eventstore::test::tenant;

/// One process with nothing but a log, whose steps run in their order.
class LogProcess {
  public:
    LogProcess(Machine& machine, std::shared_ptr<Disk> disk)
        : disk_(std::move(disk)),
          faults(machine, disk_),
          env_(disk_env(*disk_, machine.scheduler, machine.clock, 1)) {}
    ~LogProcess() { steps_.clear(); }

    Result<void> open() {
        eventstore::RocksLogOptions options;
        options.path = "/log";
        options.env = env_.get();
        options.bulk_entries = 4;
        options.fatal = [this](std::string_view) {
            faults.crash("fatal", DiskFaults::End::power_loss);
        };
        options.post = [this](eventstore::Step step) { steps_.push_back(std::move(step)); };
        BOS_TRY(log_, eventstore::RocksLog::open(std::move(options)));
        return {};
    }
    /// False: not acknowledged.
    bool append(std::string record) {
        bool done = false;
        log_->append(std::move(record),
                     [&](Result<eventstore::Head> outcome) { done = outcome.has_value(); });
        while (!steps_.empty()) {
            eventstore::Step step = std::move(steps_.front());
            steps_.pop_front();
            step();
        }
        return done && !faults.crashed();
    }
    [[nodiscard]] eventstore::EventLog& log() { return *log_; }

  private:
    const std::shared_ptr<Disk> disk_;

  public:
    DiskFaults faults;

  private:
    std::unique_ptr<rocksdb::Env> env_;
    std::deque<eventstore::Step> steps_;
    std::unique_ptr<eventstore::EventLog> log_;
};

/// A process that ends at the n-th change of its disk, one that goes on from there, and a power
/// loss. Gives whether the first one got so far.
bool live_three_lives(std::uint64_t seed, std::uint64_t n) {
    Machine machine(Plan{.seed = seed}, false);
    const TenantId acme = tenant("acme");
    Chain chain(acme);
    auto disk = std::make_shared<Disk>();
    bool ended = false;
    {
        LogProcess first(machine, disk);
        first.faults.crash_at(n);
        const Result<void> opened = first.open();
        for (int i = 0; opened && i < 4; ++i) {
            Chain next = chain;
            if (!first.append(next.next())) break;
            chain = next;
        }
        ended = first.faults.crashed();
        if (!ended) first.faults.crash("end", DiskFaults::End::kill);
        disk = first.faults.left();
    }
    {
        LogProcess second(machine, disk);
        const Result<void> opened = second.open();
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
        const auto head = second.log().head(acme);
        // One more than was acknowledged may be there.
        REQUIRE(head->position >= chain.head().position);
        if (head->position == chain.head().position) {
            REQUIRE(second.append(chain.next()));
        }
        second.faults.crash("power", DiskFaults::End::power_loss);
        disk = second.faults.left();
    }
    LogProcess third(machine, disk);
    const Result<void> opened = third.open();
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
    REQUIRE(third.log().head(acme)->position >= chain.head().position);
    REQUIRE(eventstore::verify_chain(third.log(), acme).has_value());
    return ended;
}

}  // namespace

TEST_CASE("a log survives the end of its process at any change of the disk, and a power loss") {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        std::uint64_t n = 1;
        for (;; ++n) {
            CAPTURE(seed);
            CAPTURE(n);
            if (!live_three_lives(seed, n)) break;
        }
        CHECK(n > 40);
    }
}

}  // namespace bos::sim
