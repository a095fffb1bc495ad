#include "tests/eventstore/faulty_log.h"

#include "eventstore/memory_log.h"
#include "tests/eventstore/answers.h"
#include "tests/eventstore/records.h"

#include <doctest/doctest.h>

namespace bos::eventstore::test {

TEST_CASE("the chosen append fails and those chained on it meet a conflict") {
    using Fault = FaultyLog::Fault;
    MemoryLog memory;
    FaultyLog log(memory);
    Chain chain(tenant("acme"));
    Answers answers;
    log.fail_append(2, Fault::full);
    for (int i = 0; i < 3; ++i) log.append(chain.next(), answers.done());
    const auto outcomes = answers.wait_for(3);
    CHECK(outcomes[0].has_value());
    CHECK_EQ(code(outcomes[1]), Code::full);
    CHECK_EQ(code(outcomes[2]), Code::conflict);
}

TEST_CASE("an unknown outcome may have been written or not") {
    using Fault = FaultyLog::Fault;
    MemoryLog memory;
    FaultyLog log(memory);
    Chain chain(tenant("acme"));
    log.fail_append(1, Fault::unknown_lost);
    Chain lost = chain;
    CHECK_EQ(code(append(log, lost.next())), Code::unknown);
    CHECK_EQ(log.head(chain.tenant()).value(), Head{});
    log.fail_append(1, Fault::unknown_written);
    CHECK_EQ(code(append(log, chain.next())), Code::unknown);
    CHECK_EQ(log.head(chain.tenant()).value(), chain.head());
}

TEST_CASE("held answers come when they are released, in order") {
    MemoryLog memory;
    FaultyLog log(memory);
    Chain chain(tenant("acme"));
    Answers answers;
    log.hold();
    for (int i = 0; i < 3; ++i) log.append(chain.next(), answers.done());
    CHECK_EQ(answers.count(), 0);
    CHECK_EQ(log.head(chain.tenant()).value(), chain.head());
    log.release();
    REQUIRE_EQ(answers.count(), 3);
    CHECK_EQ(answers.wait_for(3)[2].value(), chain.head());
    log.stop();
}

}  // namespace bos::eventstore::test
