#include "eventstore/key_cache.h"

#include "tests/eventstore/records.h"

#include <doctest/doctest.h>

namespace bos::eventstore::test {
namespace {

SubjectKey key_number(std::uint8_t number) {
    SubjectKey key;
    key.id.bytes[0] = number;
    key.secret.fill(number);
    return key;
}

const TenantId acme = tenant("acme");

}  // namespace

TEST_CASE("a key is found by its subject, and by its id in its tenant only") {
    KeyCache cache;
    cache.put(cache.erasures(), "owner", acme, key_number(1));
    CHECK_EQ(cache.of_subject("owner")->id, key_number(1).id);
    CHECK_EQ(cache.find(acme, key_number(1).id)->secret, key_number(1).secret);
    CHECK_FALSE(cache.find(tenant("other"), key_number(1).id));
    CHECK_FALSE(cache.of_subject("other"));
}

TEST_CASE("an erasure forgets every key, and those that were read before it come too late") {
    KeyCache cache;
    cache.put(cache.erasures(), "owner", acme, key_number(1));
    const auto read_at = cache.erasures();
    cache.forget();
    cache.put(read_at, "owner", acme, key_number(1));
    cache.put(read_at, acme, key_number(2));
    CHECK_FALSE(cache.of_subject("owner"));
    CHECK_FALSE(cache.find(acme, key_number(1).id));
    CHECK_FALSE(cache.find(acme, key_number(2).id));
    cache.put(cache.erasures(), "owner", acme, key_number(3));
    CHECK_EQ(cache.of_subject("owner")->id, key_number(3).id);
}

TEST_CASE("a key cache keeps no more than it may") {
    KeyCache cache(2);
    for (std::uint8_t i = 1; i <= 9; ++i)
        cache.put(cache.erasures(), std::string(1, static_cast<char>(i)), acme, key_number(i));
    std::size_t kept = 0;
    for (std::uint8_t i = 1; i <= 9; ++i) kept += cache.find(acme, key_number(i).id) ? 1 : 0;
    CHECK_LE(kept, 2);
    CHECK(cache.find(acme, key_number(9).id));
}

}  // namespace bos::eventstore::test
