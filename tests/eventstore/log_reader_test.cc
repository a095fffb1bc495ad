#include "eventstore/log_reader.h"

#include "eventstore/rocks_log.h"
#include "tests/eventstore/event_log_contract.h"
#include "tests/eventstore/temp_folder.h"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <thread>

namespace bos::eventstore {

using namespace test;

TEST_CASE("a reader sees what was there when it opened the log, and writes nothing") {
    TempFolder folder;
    Chain chain(tenant("acme"));
    const auto log = RocksLog::open({.path = folder / "log"}).value();
    REQUIRE(append(*log, chain.next()).has_value());
    const auto reader = open_log_for_reading(folder / "log").value();
    REQUIRE(append(*log, chain.next()).has_value());
    CHECK_EQ(reader->head(chain.tenant()).value().position, Position{1});
    CHECK_EQ(reader->tenants().value(), std::vector{chain.tenant()});
    CHECK_EQ(code(append(*reader, chain.next())), Code::unavailable);
    CHECK_EQ(open_log_for_reading(folder / "log").value()->head(chain.tenant()).value().position,
             Position{2});
}

TEST_CASE("no log, or one without its mark, is told") {
    TempFolder folder;
    CHECK_FALSE(open_log_for_reading(folder / "log").has_value());
    Chain chain(tenant("acme"));
    REQUIRE(append(*RocksLog::open({.path = folder / "log"}).value(), chain.next()).has_value());
    CHECK(check_mark(folder / "log").has_value());
    std::filesystem::remove(folder / "log.mark");
    CHECK_EQ(check_mark(folder / "log").error().code, Code::corrupt);
}

TEST_CASE("a log is whole for those who read it while it is opened, written and closed") {
    TempFolder folder;
    Chain chain(tenant("acme"));
    REQUIRE(append(*RocksLog::open({.path = folder / "log"}).value(), chain.next()).has_value());
    std::atomic<bool> done = false;
    std::jthread writer([&] {
        // Opening moves what was in the write-ahead log to a table, and deletes the former.
        for (int i = 0; i < 60; ++i) {
            const auto log = RocksLog::open({.path = folder / "log"}).value();
            for (int each = 0; each < 5; ++each) append(*log, chain.next()).value();
        }
        done = true;
    });
    Position seen;
    while (!done) {
        const auto marked = check_mark(folder / "log");
        CHECK_MESSAGE(marked.has_value(), (marked ? "" : marked.error().detail));
        const auto reader = open_log_for_reading(folder / "log");
        REQUIRE_MESSAGE(reader.has_value(), (reader ? "" : reader.error().detail));
        const auto verified = verify_chain(**reader, chain.tenant());
        REQUIRE_MESSAGE(verified.has_value(), (verified ? "" : verified.error().detail));
        CHECK(verified->head.position >= seen);
        seen = verified->head.position;
    }
}

}  // namespace bos::eventstore
