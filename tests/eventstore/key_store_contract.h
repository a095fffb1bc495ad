#pragma once

#include "eventstore/key_store.h"
#include "tests/eventstore/answers.h"
#include "tests/eventstore/records.h"

#include <doctest/doctest.h>

#include <latch>
#include <memory>
#include <set>
#include <thread>

namespace bos::eventstore::test {

/// What every key store promises. `Engine::open()` gives an empty store.
template <class Engine>
void check_key_store_contract() {
    Engine engine;
    const std::unique_ptr<KeyStore> keys = engine.open();
    const TenantId acme = tenant("acme");

    SUBCASE("a subject keeps its key, and no other has it") {
        const SubjectKey key = keys->key_for(acme, stream(1)).value();
        const SubjectKey again = keys->key_for(acme, stream(1)).value();
        CHECK_EQ(again.id, key.id);
        CHECK_EQ(again.secret, key.secret);
        const SubjectKey other = keys->key_for(acme, stream(2)).value();
        CHECK_NE(other.id, key.id);
        CHECK_NE(other.secret, key.secret);
        CHECK_NE(keys->key_for(tenant("other"), stream(1)).value().id, key.id);
        CHECK(keys->sync().has_value());
    }

    SUBCASE("a key is found by its id, in its tenant only") {
        const SubjectKey key = keys->key_for(acme, stream(1)).value();
        CHECK_EQ(keys->find(acme, key.id).value().secret, key.secret);
        CHECK_EQ(code(keys->find(tenant("other"), key.id)), Code::not_found);
        CHECK_EQ(code(keys->find(tenant("acm"), key.id)), Code::not_found);
        CHECK_EQ(code(keys->find(acme, uuid(77))), Code::corrupt);
    }

    SUBCASE("an erased subject has no key any more and gets none") {
        const SubjectKey key = keys->key_for(acme, stream(1)).value();
        const SubjectKey other = keys->key_for(acme, stream(2)).value();
        REQUIRE(keys->destroy(acme, stream(1)).has_value());
        REQUIRE(keys->destroy(acme, stream(1)).has_value());
        CHECK_EQ(code(keys->find(acme, key.id)), Code::not_found);
        CHECK_EQ(code(keys->key_for(acme, stream(1))), Code::not_found);
        CHECK_EQ(keys->find(acme, other.id).value().secret, other.secret);
    }

    SUBCASE("a subject may be erased before it has a key") {
        REQUIRE(keys->destroy(acme, stream(1)).has_value());
        CHECK_EQ(code(keys->key_for(acme, stream(1))), Code::not_found);
    }

    SUBCASE("a tenant's secret stays, and each tenant has its own") {
        const std::string secret = keys->tenant_secret(acme).value();
        CHECK_EQ(secret.size(), 32);
        CHECK_EQ(keys->tenant_secret(acme).value(), secret);
        CHECK_NE(keys->tenant_secret(tenant("other")).value(), secret);
    }

    SUBCASE("threads that ask at once get one key per subject") {
        constexpr std::size_t threads = 8;
        constexpr std::size_t subjects = 100;
        std::vector<std::vector<Uuid>> seen(threads);
        std::latch start(threads);
        {
            std::vector<std::jthread> askers;
            for (std::size_t i = 0; i < threads; ++i) {
                askers.emplace_back([&, i] {
                    start.arrive_and_wait();
                    for (std::size_t k = 0; k < subjects; ++k) {
                        const auto key = keys->key_for(acme, stream(k));
                        seen[i].push_back(key && keys->sync() ? key->id : Uuid{});
                    }
                });
            }
        }
        for (const std::vector<Uuid>& ids : seen) CHECK_EQ(ids, seen.front());
        const std::set<Uuid> distinct(seen.front().begin(), seen.front().end());
        CHECK_EQ(distinct.size(), subjects);
        CHECK_FALSE(distinct.contains(Uuid{}));
    }
}

}  // namespace bos::eventstore::test
