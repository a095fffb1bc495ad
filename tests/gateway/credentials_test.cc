#include "gateway/credentials.h"

#include "gateway/api_key.h"
#include "gateway/authenticator.h"
#include "gateway/peer_network.h"
#include "gateway/rate_limit.h"
#include "gateway/roles.h"
#include "schemas/base/random.h"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace bos::gateway {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class SetClock final : public Clock {
  public:
    Timestamp time = *parse_timestamp("2026-06-01T12:00:00Z");
    Timestamp now() override { return time; }
};

/// A data folder of its own with a credential file in it.
class Folder {
  public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "bos-keys-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] fs::path file() const { return path_ / "credentials.jsonl"; }
    [[nodiscard]] std::string content() const {
        std::ifstream in(file(), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    void append(const std::string& bytes) const {
        std::ofstream(file(), std::ios::binary | std::ios::app) << bytes;
    }

  private:
    fs::path path_;
};

struct Keys {
    Folder folder;
    SetClock clock;
    SystemRandom random;
    CredentialFile file{folder.file()};
    Credentials credentials{folder.file(), 0ms};
    Authenticator authenticator{credentials, clock};

    std::string create(const std::string& tenant = "acme", const std::string& role = "agent",
                       std::optional<Timestamp> expires_at = {}) {
        const auto key = create_api_key(file,
                                        {.tenant = *TenantId::parse(tenant),
                                         .user = UserId(new_uuid(clock.now(), random)),
                                         .user_name = "Ada",
                                         .role = role,
                                         .expires_at = expires_at},
                                        clock.now(), random);
        REQUIRE(key);
        return *key;
    }
    auto ask(const std::string& authorization) {
        return authenticator.authenticate(authorization, "192.0.2.1");
    }
};

}  // namespace

TEST_CASE("a new key works at once, and only its hash is stored") {
    Keys keys;
    REQUIRE(keys.credentials.load());
    const std::string key = keys.create("acme", "agent");
    const auto principal = keys.ask("Bearer " + key);
    REQUIRE(principal);
    CHECK(principal->tenant.value() == "acme");
    CHECK(principal->user_name == "Ada");
    CHECK_FALSE(principal->user.is_nil());
    CHECK(principal->grants.scope == Scope::assigned);
    CHECK(find_grant(principal->grants, "leads:lead:update") != nullptr);
    CHECK(find_grant(principal->grants, "leads:pipeline:manage") == nullptr);
    CHECK(key.find(principal->key_id) != std::string::npos);

    const std::string secret = key.substr(key.size() - 43);
    CHECK(keys.folder.content().find(secret) == std::string::npos);
    struct stat status{};
    REQUIRE(::stat(keys.folder.file().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(keys.ask("bEARER " + key));
}

TEST_CASE("what is not a valid key is 401, and all failures look alike") {
    Keys keys;
    const std::string key = keys.create();
    std::string other_secret = key;
    other_secret[30] = other_secret[30] == 'A' ? 'B' : 'A';
    std::string other_id = key;
    other_id[4] = other_id[4] == '0' ? '1' : '0';
    for (const std::string& authorization :
         {"Bearer " + other_secret, "Bearer " + other_id, "Bearer " + key + "x", "Bearer  " + key,
          "Bearer " + key.substr(1), "Basic " + key, key, std::string("Bearer "), std::string(),
          "Bearer " + key + "=", "Bearer bos_" + std::string(16, '0') + "_"}) {
        INFO(authorization);
        const auto refused = keys.ask(authorization);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().status == 401);
        CHECK(refused.error().detail == "The API key is not valid.");
        CHECK(refused.error().headers.get("www-authenticate") == "Bearer error=\"invalid_token\"");
    }
    const auto missing = keys.authenticator.authenticate(std::nullopt, "192.0.2.1");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().status == 401);
    CHECK(missing.error().headers.get("www-authenticate") == "Bearer");
}

TEST_CASE("no changed bit of the file is read as another key, tenant, user or role") {
    Keys keys;
    keys.create("acme", "agent");
    keys.create("acme", "admin");
    const std::string whole = keys.folder.content();
    const CredentialMap credentials = keys.file.read().value();
    // Without its line feed the last line is one that a crash cut off: passed over, and told.
    for (std::size_t at = 0; at + 1 < whole.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string damaged = whole;
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
            std::ofstream(keys.folder.file(), std::ios::binary | std::ios::trunc) << damaged;
            const auto read = keys.file.read();
            INFO("bit ", bit, " of byte ", at);
            if (read) CHECK((*read == credentials));
        }
    }
}

TEST_CASE("a revoked key and an expired key end") {
    Keys keys;
    const std::string key = keys.create();
    const std::string short_lived = keys.create("acme", "viewer", keys.clock.now() + 1h);
    const std::string kept = keys.create("other", "admin");
    const auto principal = keys.ask("Bearer " + key);
    REQUIRE(principal);
    REQUIRE(keys.file.append_revoked(principal->key_id, keys.clock.now()));
    CHECK_FALSE(keys.ask("Bearer " + key));
    CHECK(keys.file.append_revoked(principal->key_id, keys.clock.now()).error().code ==
          Code::not_found);

    CHECK(keys.ask("Bearer " + short_lived));
    keys.clock.time += 1h;
    CHECK_FALSE(keys.ask("Bearer " + short_lived));
    CHECK(keys.ask("Bearer " + kept)->tenant.value() == "other");
}

TEST_CASE("a line that a crash cut off is passed over and then removed") {
    Keys keys;
    const std::string key = keys.create();
    keys.folder.append("{\"type\":\"created\",\"key\":\"torn");
    CHECK(keys.ask("Bearer " + key));
    const std::string second = keys.create();
    CHECK(keys.ask("Bearer " + key));
    CHECK(keys.ask("Bearer " + second));
    CHECK(keys.folder.content().find("torn") == std::string::npos);
}

TEST_CASE("a revocation that an editor left without line end counts") {
    Keys keys;
    const std::string key = keys.create();
    keys.folder.append("{\"type\":\"revoked\",\"key\":\"" + key.substr(4, 16) + "\"}");
    CHECK_FALSE(keys.ask("Bearer " + key));
    const std::string second = keys.create();
    CHECK_FALSE(keys.ask("Bearer " + key));
    CHECK(keys.ask("Bearer " + second));
}

TEST_CASE("a file that does not read lets nobody in until it does") {
    Keys keys;
    const std::string key = keys.create();
    REQUIRE(keys.ask("Bearer " + key));
    const std::string good = keys.folder.content();
    SUBCASE("a line that is none of ours") { keys.folder.append("garbage\n"); }
    SUBCASE("the same key twice") { keys.folder.append(good); }
    CHECK(keys.credentials.load().error().code == Code::corrupt);
    const auto refused = keys.ask("Bearer " + key);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().status == 503);
    CHECK(refused.error().retry_after);

    fs::resize_file(keys.folder.file(), good.size());
    CHECK(keys.ask("Bearer " + key));
}

TEST_CASE("a file that others may read is refused") {
    Keys keys;
    keys.create();
    fs::permissions(keys.folder.file(), fs::perms(0640));
    CHECK(keys.credentials.load().error().code == Code::denied);
    fs::permissions(keys.folder.file(), fs::perms(0600));
    CHECK(keys.credentials.load());
}

TEST_CASE("without its file no key is valid") {
    Keys keys;
    const std::string key = keys.create();
    REQUIRE(keys.ask("Bearer " + key));
    fs::remove(keys.folder.file());
    CHECK(keys.ask("Bearer " + key).error().status == 401);
}

TEST_CASE("keys made at the same time are all there") {
    Keys keys;
    std::vector<std::string> made(16);
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                SystemRandom random;
                for (std::size_t i = 0; i < 4; ++i) {
                    made[t * 4 + i] = create_api_key(keys.file,
                                                     {.tenant = *TenantId::parse("acme"),
                                                      .user = UserId(new_uuid({}, random)),
                                                      .user_name = "Ada",
                                                      .role = "viewer",
                                                      .expires_at = {}},
                                                     {}, random)
                                          .value_or("");
                }
            });
        }
    }
    for (const std::string& key : made) CHECK(keys.ask("Bearer " + key));
}

TEST_CASE("a key needs a role that exists") {
    Keys keys;
    const auto refused = create_api_key(keys.file,
                                        {.tenant = *TenantId::parse("acme"),
                                         .user = {},
                                         .user_name = "Ada",
                                         .role = "god",
                                         .expires_at = {}},
                                        keys.clock.now(), keys.random);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Code::invalid);
}

TEST_CASE("roles grant what their table says") {
    struct Row {
        const char* role;
        const char* permission;
        bool granted;
    };
    const Row rows[] = {
        {"admin", "anything:at:all", true},      {"manager", "leads:pipeline:manage", true},
        {"manager", "roles:role:edit", false},   {"agent", "leads:lead:read", true},
        {"agent", "leads:lead:create", true},    {"agent", "leads:lead:assign", false},
        {"agent", "leads:reason:manage", false}, {"viewer", "leads:lead:read", true},
        {"viewer", "leads:lead:update", false},
    };
    for (const Row& row : rows) {
        INFO(row.role << " " << row.permission);
        const auto grants = grants_of_role(row.role);
        REQUIRE(grants);
        CHECK((find_grant(*grants, row.permission) != nullptr) == row.granted);
    }
    CHECK_FALSE(grants_of_role("god"));
    CHECK(all_roles().size() == 4);
}

TEST_CASE("an API key has one text") {
    SystemRandom random;
    const ApiKey key = new_api_key(random);
    const auto parsed = parse_api_key(to_text(key));
    REQUIRE(parsed);
    CHECK(parsed->id == key.id);
    CHECK(parsed->secret == key.secret);
    CHECK(to_text(key) != to_text(new_api_key(random)));
}

TEST_CASE("a peer that fails too often waits, others do not") {
    Folder folder;
    SetClock clock;
    Credentials credentials(folder.file(), 0ms);
    Authenticator authenticator(credentials, clock, {.burst = 2, .refill_per_second = 0.001});
    const auto status = [&](const char* authorization, const char* peer) {
        return authenticator.authenticate(authorization, peer).error().status;
    };
    CHECK(status("Bearer x", "2001:db8::1") == 401);
    CHECK(status("Bearer x", "2001:db8::2") == 401);
    CHECK(status("Bearer x", "2001:db8::ffff") == 429);
    CHECK(authenticator.authenticate("Bearer x", "2001:db8::1").error().retry_after);
    CHECK(status("Bearer x", "2001:db8:0:1::1") == 401);
    CHECK(status("Bearer x", "192.0.2.1") == 401);
    // Asking without credentials is no attempt.
    for (int i = 0; i < 5; ++i) {
        CHECK(authenticator.authenticate(std::nullopt, "192.0.2.9").error().status == 401);
    }
    CHECK(status("Bearer x", "192.0.2.9") == 401);
}

TEST_CASE("buckets refill with time and do not grow with attackers") {
    PeerBuckets buckets({.burst = 2, .refill_per_second = 0.5, .peers_max = 3});
    const PeerBuckets::Time start{};
    buckets.take("a", start);
    CHECK(buckets.wait_of("a", start) == 0s);
    buckets.take("a", start);
    CHECK(buckets.wait_of("a", start) == 2s);
    CHECK(buckets.wait_of("a", start + 1s) == 1s);
    CHECK(buckets.wait_of("a", start + 2s) == 0s);
    buckets.take("a", start + 100s);  // full again, not more than full
    buckets.take("a", start + 100s);
    CHECK(buckets.wait_of("a", start + 100s) == 2s);
    for (int i = 0; i < 100; ++i) buckets.take("peer" + std::to_string(i), start + 100s);
    CHECK(buckets.size() == 3);
}

TEST_CASE("a peer is an IPv4 address or an IPv6 /64") {
    CHECK(peer_network("192.0.2.7") == "192.0.2.7");
    CHECK(peer_network("::ffff:192.0.2.7") == "192.0.2.7");
    CHECK(peer_network("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    CHECK(peer_network("unix") == "unix");
}

}  // namespace bos::gateway
