#include "eventstore/copy_log.h"

#include "eventstore/memory_log.h"
#include "eventstore/rocks_log.h"
#include "tests/eventstore/event_log_contract.h"
#include "tests/eventstore/faulty_log.h"
#include "tests/eventstore/temp_folder.h"

#include <doctest/doctest.h>

namespace bos::eventstore {

using namespace test;

namespace {

void fill(EventLog& log, Chain& chain, int count) {
    for (int i = 0; i < count; ++i) REQUIRE(append(log, chain.next()).has_value());
}

std::string bytes_of(const EventLog& log, const TenantId& tenant) {
    std::string bytes;
    const auto all = Position{UINT64_MAX};
    REQUIRE(log.scan(tenant, Position{1}, all,
                     [&](Position, std::string_view record) {
                         bytes += record;
                         return true;
                     })
                .has_value());
    return bytes;
}

}  // namespace

TEST_CASE("a copy is the same bytes with the same head, from one engine to another and back") {
    TempFolder folder;
    MemoryLog first;
    Chain chain(tenant("acme"));
    fill(first, chain, 3000);
    const auto rocks = RocksLog::open({.path = folder / "log"}).value();
    CHECK_EQ(copy_tenant(first, *rocks, chain.tenant()).value(), chain.head());
    CHECK(verify_chain(*rocks, chain.tenant()).has_value());
    MemoryLog back;
    CHECK_EQ(copy_tenant(*rocks, back, chain.tenant()).value(), chain.head());
    CHECK(bytes_of(back, chain.tenant()) == bytes_of(first, chain.tenant()));
    CHECK_EQ(back.find_key(chain.tenant(), "key-7").value(), Position{7});
}

TEST_CASE("a copy goes on where it ended, and a whole one is nothing to do") {
    MemoryLog from;
    MemoryLog to;
    Chain chain(tenant("acme"));
    fill(from, chain, 5);
    REQUIRE(copy_tenant(from, to, chain.tenant()).has_value());
    fill(from, chain, 5);
    std::vector<std::uint64_t> copied;
    const auto note = [&](Position position) { copied.push_back(position.value); };
    CHECK_EQ(copy_tenant(from, to, chain.tenant(), note).value(), chain.head());
    CHECK(copied == std::vector<std::uint64_t>{6, 7, 8, 9, 10});
    copied.clear();
    CHECK_EQ(copy_tenant(from, to, chain.tenant(), note).value(), chain.head());
    CHECK(copied.empty());
    CHECK_EQ(copy_tenant(from, to, tenant("nobody")).value(), Head{});
}

TEST_CASE("a copy that fails says why, and goes on later") {
    MemoryLog from;
    MemoryLog behind;
    Chain chain(tenant("acme"));
    fill(from, chain, 50);
    FaultyLog to(behind);
    to.fail_append(21, FaultyLog::Fault::full);
    CHECK_EQ(code(copy_tenant(from, to, chain.tenant())), Code::full);
    CHECK_EQ(behind.head(chain.tenant()).value().position, Position{20});
    CHECK_EQ(copy_tenant(from, to, chain.tenant()).value(), chain.head());
}

TEST_CASE("a log with another history is not copied over") {
    MemoryLog from;
    Chain chain(tenant("acme"));
    fill(from, chain, 3);
    for (const int records : {2, 3, 5}) {
        MemoryLog to;
        Chain other(tenant("acme"));
        for (int i = 0; i < records; ++i) {
            REQUIRE(
                append(to, other.next([](Commit& commit) { commit.key += "-other"; })).has_value());
        }
        CHECK_EQ(code(copy_tenant(from, to, chain.tenant())), Code::conflict);
        CHECK_EQ(to.head(chain.tenant()).value(), other.head());
    }
}

}  // namespace bos::eventstore
