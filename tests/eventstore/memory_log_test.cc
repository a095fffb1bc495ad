#include "eventstore/memory_log.h"

#include "tests/eventstore/event_log_contract.h"

#include <doctest/doctest.h>

#include <deque>

namespace bos::eventstore {

namespace {

using namespace test;

template <Owners owners>
struct MemoryEngine {
    std::unique_ptr<EventLog> open() { return std::make_unique<MemoryLog>(Post{}, disk); }
    std::shared_ptr<MemoryDisk> disk = new_memory_disk(owners);
};

/// Steps that wait to be run by the test, as in a simulation.
struct Schedule {
    Post post() {
        return [this](Step step) { steps.push_back(std::move(step)); };
    }
    void run_last() {
        Step step = std::move(steps.back());
        steps.pop_back();
        step();
    }
    std::deque<Step> steps;
};

}  // namespace

TEST_CASE("the memory log keeps the contract") {
    check_event_log_contract<MemoryEngine<Owners::one>>();
}

TEST_CASE("the memory log of several owners keeps the contract") {
    check_event_log_contract<MemoryEngine<Owners::several>>();
}

TEST_CASE("a memory log's record is durable when its step has run, not before") {
    Schedule schedule;
    MemoryLog log(schedule.post());
    Chain chain(tenant("acme"));
    Answers answers;
    log.append(chain.next(), answers.done());
    CHECK_EQ(log.head(chain.tenant()).value(), Head{});
    CHECK_EQ(answers.count(), 0);
    schedule.run_last();
    CHECK_EQ(log.head(chain.tenant()).value(), chain.head());
    CHECK_EQ(answers.count(), 1);
}

TEST_CASE("a memory log keeps the order of appends whatever the order of steps") {
    Schedule schedule;
    MemoryLog log(schedule.post());
    Chain chain(tenant("acme"));
    Answers answers;
    for (int i = 0; i < 3; ++i) log.append(chain.next(), answers.done());
    for (std::uint64_t expected = 1; expected <= 3; ++expected) {
        schedule.run_last();
        CHECK_EQ(answers.wait_for(expected).back().value().position.value, expected);
    }
}

TEST_CASE("what a dropped memory log had not made durable is gone and answered") {
    Schedule schedule;
    const auto disk = new_memory_disk();
    Chain chain(tenant("acme"));
    const Head empty = chain.head();
    Answers answers;
    {
        MemoryLog log(schedule.post(), disk);
        log.append(chain.next(), answers.done());
    }
    CHECK_EQ(code(answers.wait_for(1).front()), Code::unavailable);
    schedule.run_last();
    CHECK_EQ(MemoryLog({}, disk).head(chain.tenant()).value(), empty);
}

}  // namespace bos::eventstore
