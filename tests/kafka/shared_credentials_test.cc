#include "gateway/shared_credentials.h"

#include "gateway/api_key.h"
#include "gateway/authenticator.h"
#include "gateway/credentials.h"
#include "schemas/base/random.h"
#include "tests/eventstore/temp_folder.h"
#include "tests/kafka/brokers.h"
#include "tests/kafka/raw_topic.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <thread>

namespace bos::gateway {

namespace {

using namespace std::chrono_literals;
using bos::kafka::test::Brokers;
using bos::kafka::test::Paused;
using bos::kafka::test::RawTopic;

std::string next_topic() {
    static int count = 0;
    return "c" + std::to_string(++count) + ".credentials";
}

/// A node as far as it lets clients in.
struct Door {
    explicit Door(std::string topic) {
        options.topic.properties = {{"bootstrap.servers", Brokers::one().bootstrap()}};
        options.topic.topic = std::move(topic);
        options.topic.replicas = 1;
        options.topic.min_insync_replicas = 1;
        options.copy = folder / "shared-credentials";
        open();
    }
    void open() {
        authenticator.reset();
        shared.reset();
        shared = SharedCredentials::open(options).value();
        authenticator = std::make_unique<Authenticator>(*shared, clock);
    }
    std::string create() {
        return create_api_key(*shared,
                              {.tenant = *TenantId::parse("acme"),
                               .user = UserId(new_uuid(clock.now(), random)),
                               .user_name = "Ada",
                               .role = "agent",
                               .expires_at = {}},
                              clock.now(), random)
            .value();
    }
    bool lets_in(const std::string& key) {
        return authenticator->authenticate("Bearer " + key, "192.0.2.1").has_value();
    }

    eventstore::test::TempFolder folder;
    SystemClock clock;
    SystemRandom random;
    SharedCredentialsOptions options;
    std::unique_ptr<SharedCredentials> shared;
    std::unique_ptr<Authenticator> authenticator;
};

std::string id_of(const std::string& key) { return parse_api_key(key)->id; }

}  // namespace

TEST_CASE("a key that one node made works at once on the other, and ends on both") {
    const std::string topic = next_topic();
    Door a(topic);
    Door b(topic);
    for (int i = 0; i < 5; ++i) {
        const std::string key = a.create();
        CHECK(b.lets_in(key));
        REQUIRE(b.shared->append_revoked(id_of(key), b.clock.now()));
        CHECK_FALSE(b.lets_in(key));
        while (a.lets_in(key)) std::this_thread::sleep_for(5ms);
        CHECK(a.shared->append_revoked(id_of(key), a.clock.now()).error().code == Code::not_found);
    }
}

TEST_CASE("a record that the topic has twice does not bring a revoked key back") {
    const std::string topic = next_topic();
    Door a(topic);
    const std::string key = a.create();
    const std::string kept = a.create();
    const std::string line = a.shared->lines().value().front();
    REQUIRE(a.shared->append_revoked(id_of(key), a.clock.now()));
    RawTopic raw(Brokers::one().bootstrap(), topic);
    raw.produce(line);
    raw.produce("bytes of a stranger");
    REQUIRE(a.shared->read());
    CHECK_FALSE(a.lets_in(key));
    CHECK(a.lets_in(kept));
    a.open();
    CHECK_FALSE(a.lets_in(key));
    CHECK(a.lets_in(kept));
}

TEST_CASE("a node that reaches no broker lets in whom it knows") {
    const std::string topic = next_topic();
    Door a(topic);
    const std::string key = a.create();
    const std::string revoked = a.create();
    REQUIRE(a.shared->append_revoked(id_of(revoked), a.clock.now()));
    a.authenticator.reset();
    a.shared.reset();
    a.options.topic.timeout = 500ms;
    const Paused broker(Brokers::one());
    a.open();
    CHECK(a.lets_in(key));
    CHECK_FALSE(a.lets_in(revoked));
    // Wrong keys do not each wait for the broker.
    for (int i = 0; i < 200; ++i) CHECK_FALSE(a.lets_in(to_text(new_api_key(a.random))));
}

TEST_CASE("the keys of a node by itself become shared once") {
    const std::string topic = next_topic();
    Door a(topic);
    const std::string key = a.create();
    const auto lines = a.shared->lines().value();
    Door b(next_topic());
    for (int twice = 0; twice < 2; ++twice) REQUIRE(b.shared->adopt(lines));
    CHECK(b.lets_in(key));
    CHECK(b.shared->lines().value() == lines);
}

TEST_CASE("a copy that is open to others is refused, and one that is damaged is read again") {
    const std::string topic = next_topic();
    Door a(topic);
    const std::string key = a.create();
    a.authenticator.reset();
    a.shared.reset();
    std::filesystem::permissions(a.options.copy, std::filesystem::perms(0640));
    CHECK(SharedCredentials::open(a.options).error().code == Code::denied);
    std::filesystem::permissions(a.options.copy, std::filesystem::perms(0600));
    std::filesystem::resize_file(a.options.copy, std::filesystem::file_size(a.options.copy) - 9);
    a.open();
    CHECK(a.lets_in(key));
}

}  // namespace bos::gateway
