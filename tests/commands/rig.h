#pragma once

#include "commands/shard.h"
#include "tests/commands/answer.h"
#include "tests/commands/machine.h"
#include "tests/commands/requests.h"
#include "tests/commands/shutter.h"
#include "tests/eventstore/faulty_log.h"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace bos::commands::test {

/// Keeps what it is given, and insists that nothing is missing and nothing comes twice.
class RecordingSink final : public CommitSink {
  public:
    using Also = std::function<void(const TenantId&, std::span<const eventstore::Commit>)>;

    RecordingSink(std::vector<std::string>& journal, Also also)
        : journal_(journal), also_(std::move(also)) {}

    void committed(const TenantId& tenant, std::vector<eventstore::Commit> batch,
                   Applied applied) override {
        for (const eventstore::Commit& commit : batch) {
            const auto last = last_.find(tenant);
            BOS_ASSERT(commit.tenant == tenant);
            BOS_ASSERT(last == last_.end() || commit.position == last->second.next());
            last_[tenant] = commit.position;
            commits.push_back(commit);
            journal_.push_back(fmt::format("sink {}", commit.position.value));
        }
        if (also_) also_(tenant, batch);
        if (!slow) return applied();
        applying_.push_back(std::move(applied));
    }

    /// The oldest batch that a slow sink was given is applied. False when there is none.
    bool apply_one() {
        if (applying_.empty()) return false;
        Applied oldest = std::move(applying_.front());
        applying_.pop_front();
        oldest();
        return true;
    }

    std::vector<eventstore::Commit> commits;
    bool slow = false;  ///< applies only in apply_one()

  private:
    std::vector<std::string>& journal_;
    const Also also_;
    std::map<TenantId, Position> last_;
    std::deque<Applied> applying_;
};

/// One process with one shard, every step of which the test takes by hand: the shard does something
/// only in poll(), and a record becomes durable only in step(). Its end is a crash: what was not
/// durable is lost, and who was not answered never will be.
class Rig {
    // What the public members stand on.
    boost::asio::io_context context_{1};
    std::deque<eventstore::Step> steps_;
    eventstore::MemoryLog memory_;

  public:
    explicit Rig(Machine& machine, ShardLimits limits = {}, RecordingSink::Also also = {})
        : memory_([this](eventstore::Step step) { steps_.push_back(std::move(step)); },
                  machine.disk),
          faults(memory_),
          log(faults),
          sink(journal, std::move(also)),
          shard(context_.get_executor(),
                {log, machine.keys, machine.sealer, sink, machine.clock, machine.random}, limits) {}
    ~Rig() { log.stop(); }
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    eventstore::test::FaultyLog faults;
    Shutter log;
    std::vector<std::string> journal;  ///< what the sink got and who was answered, in order
    RecordingSink sink;
    Shard shard;

    /// Hands the command over; the shard has not looked at it yet.
    Answer submit(Request request) {
        Answer answer;
        auto note = [this, key = request.key](const Outcome& outcome) {
            journal.push_back(fmt::format("{} {}", outcome ? "done" : "refused", key));
        };
        shard.submit(std::move(request), answer.reply(std::move(note)));
        return answer;
    }
    /// The shard decides it; nothing becomes durable.
    Answer send(Request request) {
        Answer answer = submit(std::move(request));
        poll();
        return answer;
    }
    template <class Command>
    Answer send_for(Command command) {
        return send(request(std::move(command)));
    }
    /// Until it is answered.
    Answer ask(Request request) {
        Answer answer = submit(std::move(request));
        settle();
        REQUIRE(answer.given());
        return answer;
    }
    template <class Command>
    Answer ask_for(Command command) {
        return ask(request(std::move(command)));
    }

    /// The shard does all it can without the disk.
    void poll() {
        context_.restart();
        context_.poll();
    }
    /// The oldest append becomes durable or fails; the shard does not hear of it before poll().
    bool step() {
        if (steps_.empty()) return false;
        auto oldest = std::move(steps_.front());
        steps_.pop_front();
        oldest();
        return true;
    }
    /// All that waits becomes durable as one group.
    void step_all() {
        while (step()) {
        }
    }
    /// Until nothing is left to do.
    void settle() {
        do {
            poll();
        } while (step());
    }

    [[nodiscard]] std::size_t appends_waiting() const { return steps_.size(); }
};

}  // namespace bos::commands::test
