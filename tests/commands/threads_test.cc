#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <future>
#include <thread>

namespace bos::commands::test {

namespace asio = boost::asio;

namespace {

/// A thread that runs what is posted to it, until it goes.
class Worker {
  public:
    ~Worker() { stop(); }
    asio::io_context context{1};

    /// Runs what is there, then ends.
    void stop() {
        guard_.reset();
        if (thread_.joinable()) thread_.join();
    }

  private:
    asio::executor_work_guard<asio::io_context::executor_type> guard_{context.get_executor()};
    std::thread thread_{[this] { context.run(); }};
};

class NoSink final : public CommitSink {
  public:
    void committed(const TenantId&, std::vector<eventstore::Commit> commits,
                   Applied applied) override {
        count += commits.size();
        applied();
    }
    std::size_t count = 0;  ///< touched on the shard only
};

struct Counts {
    std::atomic<std::size_t> done = 0;
    std::atomic<std::size_t> refused = 0;
    std::atomic<std::size_t> other = 0;

    [[nodiscard]] std::size_t all() const { return done + refused + other; }
    void count(const Outcome& outcome) {
        if (outcome) {
            ++done;
        } else if (const Error* error = std::get_if<Error>(&outcome.error());
                   error != nullptr && error->code == Code::unavailable) {
            ++refused;
        } else {
            ++other;
        }
    }
};

asio::awaitable<void> ask_in_turn(Shard& shard, const std::atomic<bool>& stop, Counts& counts,
                                  std::atomic<std::size_t>& asked) {
    while (!stop) {
        ++asked;
        Request next = request(capture());
        counts.count(co_await shard.execute(std::move(next)));
    }
}

}  // namespace

TEST_CASE("four threads ask while the shard drains: everybody is answered, and the log is whole") {
    Machine machine;
    NoSink sink;
    Worker disk;
    // Outlives those that post to it: asio wakes a context after it let go of its lock.
    Worker caller_thread;
    Worker shard_thread;
    eventstore::MemoryLog log(
        [&](eventstore::Step step) { asio::post(disk.context, std::move(step)); }, machine.disk);
    Shard shard(shard_thread.context.get_executor(),
                {log, machine.keys, machine.sealer, sink, machine.clock, machine.random},
                {.commands_in_flight_max = 64});
    Counts counts;
    std::atomic<std::size_t> asked = 0;
    std::atomic<bool> stop = false;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&] {
                while (!stop) {
                    // More than the shard takes, and not more than the test's memory does.
                    if (asked - counts.all() > 200) {
                        std::this_thread::yield();
                        continue;
                    }
                    ++asked;
                    shard.submit(request(capture()),
                                 [&](Outcome outcome) { counts.count(outcome); });
                }
            });
        }
        for (int i = 0; i < 8; ++i) {
            asio::co_spawn(caller_thread.context, ask_in_turn(shard, stop, counts, asked),
                           asio::detached);
        }
        while (counts.done < 500) std::this_thread::yield();
        std::promise<void> drained;
        shard.drain([&] { drained.set_value(); });
        // They still ask.
        REQUIRE(drained.get_future().wait_for(std::chrono::seconds(60)) ==
                std::future_status::ready);
        stop = true;
    }
    caller_thread.stop();
    shard_thread.stop();
    log.stop();
    CHECK_EQ(counts.done + counts.refused, asked);
    CHECK_EQ(counts.other, 0);
    CHECK_EQ(sink.count, counts.done);
    CHECK_EQ(commits_in(machine, acme).size(), counts.done);
    check_sound(machine, acme);
}

}  // namespace bos::commands::test
