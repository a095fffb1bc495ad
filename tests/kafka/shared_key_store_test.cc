#include "eventstore/shared_key_store.h"

#include "eventstore/rocks_key_store.h"
#include "tests/eventstore/answers.h"
#include "tests/eventstore/key_store_contract.h"
#include "tests/eventstore/records.h"
#include "tests/kafka/key_node.h"
#include "tests/kafka/node.h"
#include "tests/kafka/raw_topic.h"

#include <doctest/doctest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <future>
#include <set>
#include <thread>

namespace bos::eventstore {

namespace {

namespace fs = std::filesystem;
using namespace test;
using bos::kafka::test::Brokers;
using bos::kafka::test::Paused;
using bos::kafka::test::RawTopic;

const TenantId acme = tenant("acme");

std::string next_topic() { return next_prefix() + "keys"; }

struct SharedEngine {
    std::unique_ptr<KeyStore> open() { return SharedKeyStore::open(node.options).value(); }
    TempFolder folder;
    KeyNode node{next_topic(), folder / "master.key"};
};

/// The topic's bytes, as an auditor of the cluster would look at them.
bool topic_holds(const std::string& topic, const std::string& bytes) {
    const auto records = RawTopic(Brokers::one().bootstrap(), topic).records();
    return std::ranges::any_of(records, [&](const std::string& each) { return each == bytes; });
}

std::string id_bytes(const Uuid& id) {
    return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

/// Of a copy that is not open.
std::string stored_row(const std::string& database, const std::string& key) {
    rocksdb::DB* db = nullptr;
    REQUIRE(rocksdb::DB::OpenForReadOnly({}, database, &db).ok());
    const std::unique_ptr<rocksdb::DB> closes(db);
    std::string value;
    REQUIRE(db->Get({}, key, &value).ok());
    return value;
}

std::string contents(const std::string& folder) {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
}

}  // namespace

TEST_CASE("the shared key store keeps the contract") { check_key_store_contract<SharedEngine>(); }

TEST_CASE("a key that one node made opens on the other at once") {
    TwoKeyNodes nodes(next_topic());
    nodes.open();
    for (std::uint64_t i = 0; i < 40; ++i) {
        const SubjectKey key = nodes.a->key_for(acme, stream(i)).value();
        REQUIRE(nodes.a->sync().has_value());
        CHECK_EQ(nodes.b->find(acme, key.id).value().secret, key.secret);
        CHECK_EQ(nodes.b->key_for(acme, stream(i)).value().id, key.id);
        CHECK_EQ(code(nodes.b->find(tenant("other"), key.id)), Code::not_found);
    }
}

TEST_CASE("whoever asks without waiting is told when a tenant's keys are durable, not others'") {
    TwoKeyNodes nodes(next_topic());
    nodes.open();
    for (std::uint64_t i = 0; i < 20; ++i) {
        const SubjectKey key = nodes.a->key_for(acme, stream(i)).value();
        bool at_once = false;
        nodes.a->when_synced(tenant("other"),
                             [&](Result<void> outcome) { at_once = outcome.has_value(); });
        CHECK(at_once);
        std::promise<Result<void>> synced;
        nodes.a->when_synced(acme,
                             [&](Result<void> outcome) { synced.set_value(std::move(outcome)); });
        REQUIRE(synced.get_future().get().has_value());
        // Its row is in the topic: who reads to the end has it.
        REQUIRE(nodes.b->refresh().has_value());
        CHECK_EQ(nodes.b->key_for(acme, stream(i)).value().id, key.id);
    }
}

TEST_CASE("a subject that one node erased has no key on the other") {
    TwoKeyNodes nodes(next_topic());
    nodes.open();
    const SubjectKey key = nodes.a->key_for(acme, stream(1)).value();
    const SubjectKey kept = nodes.a->key_for(acme, stream(2)).value();
    REQUIRE(nodes.a->sync().has_value());
    REQUIRE(nodes.b->find(acme, key.id).has_value());

    SUBCASE("while both run") {
        REQUIRE(nodes.a->destroy(acme, stream(1)).has_value());
        REQUIRE(nodes.b->refresh().has_value());
    }
    SUBCASE("while the other was away") {
        nodes.b.keys.reset();
        REQUIRE(nodes.a->destroy(acme, stream(1)).has_value());
        nodes.b.open();
    }
    SUBCASE("before the other was there") {
        nodes.b.keys.reset();
        fs::remove_all(nodes.b.options.path);
        REQUIRE(nodes.a->destroy(acme, stream(1)).has_value());
        nodes.b.open();
    }
    CHECK_EQ(code(nodes.b->find(acme, key.id)), Code::not_found);
    CHECK_EQ(code(nodes.b->key_for(acme, stream(1))), Code::not_found);
    CHECK_EQ(nodes.b->find(acme, kept.id).value().secret, kept.secret);
}

TEST_CASE("a key that another node gives a subject after its erasure is void") {
    TwoKeyNodes nodes(next_topic());
    nodes.open();
    // B gives out a key before it has read that the subject is erased: it still runs, its reader
    // does not.
    REQUIRE(nodes.b->key_for(acme, stream(9)).has_value());
    REQUIRE(nodes.b->sync().has_value());
    std::optional<SubjectKey> late;
    std::thread giver;
    {
        const Paused broker(Brokers::one());
        giver = std::thread([&] { std::ignore = nodes.a->destroy(acme, stream(1)); });
        late = nodes.b->key_for(acme, stream(1)).value();
    }
    giver.join();
    REQUIRE(nodes.a->destroy(acme, stream(1)).has_value());
    // Whichever was first in the topic, nobody has the key in the end.
    REQUIRE(nodes.b->sync().has_value());
    for (KeyNode* node : {&nodes.a, &nodes.b}) {
        REQUIRE(node->keys->refresh().has_value());
        CHECK_EQ(code(node->keys->find(acme, late->id)), Code::not_found);
        CHECK_EQ(code(node->keys->key_for(acme, stream(1))), Code::not_found);
    }
}

TEST_CASE("an erased key's bytes leave the other node's disk, and the topic when it is compacted") {
    const std::string topic = next_topic();
    RawTopic raw(Brokers::one().bootstrap(), topic);
    raw.create({{"cleanup.policy", "compact"},
                {"segment.ms", "100"},
                {"max.compaction.lag.ms", "100"},
                {"min.cleanable.dirty.ratio", "0.01"},
                {"delete.retention.ms", "604800000"},
                {"min.insync.replicas", "1"},
                {"unclean.leader.election.enable", "false"},
                {"max.message.bytes", "131072"}});
    TwoKeyNodes nodes(topic);
    nodes.open();
    const SubjectKey erased = nodes.a->key_for(acme, stream(1)).value();
    const SubjectKey kept = nodes.a->key_for(acme, stream(2)).value();
    REQUIRE(nodes.a->sync().has_value());
    REQUIRE(nodes.b->refresh().has_value());
    nodes.b.keys.reset();
    const std::string erased_row = stored_row(nodes.b.options.path, "k" + id_bytes(erased.id));
    const std::string kept_row = stored_row(nodes.b.options.path, "k" + id_bytes(kept.id));
    CHECK(topic_holds(topic, erased_row));
    REQUIRE(nodes.a->destroy(acme, stream(1)).has_value());
    // Only what lies before the segment that is written to is compacted.
    std::uint64_t subject = 100;
    wait_until([&] {
        REQUIRE(nodes.a->key_for(acme, stream(++subject)).has_value());
        REQUIRE(nodes.a->sync().has_value());
        return !topic_holds(topic, erased_row);
    });
    CHECK(topic_holds(topic, kept_row));

    // B's copy is older than the compaction, and reads on from an offset that is no more.
    nodes.b.open();
    CHECK_EQ(code(nodes.b->find(acme, erased.id)), Code::not_found);
    CHECK_EQ(code(nodes.b->key_for(acme, stream(1))), Code::not_found);
    CHECK_EQ(nodes.b->find(acme, kept.id).value().secret, kept.secret);
    REQUIRE(nodes.b->destroy(acme, stream(1)).has_value());  // and waits for the purge
    nodes.b.keys.reset();
    CHECK_FALSE(contents(nodes.b.options.path).contains(erased_row));
    CHECK(contents(nodes.b.options.path).contains(kept_row));

    // And a copy that knows nothing but the compacted topic.
    fs::remove_all(nodes.b.options.path);
    nodes.b.open();
    CHECK_EQ(code(nodes.b->find(acme, erased.id)), Code::not_found);
    CHECK_EQ(code(nodes.b->key_for(acme, stream(1))), Code::not_found);
    CHECK_EQ(nodes.b->key_for(acme, stream(2)).value().secret, kept.secret);
    CHECK_EQ(nodes.b->key_for(acme, stream(subject)).value().id,
             nodes.a->key_for(acme, stream(subject)).value().id);
}

TEST_CASE("nodes that make a tenant's secret at the same time have the same one") {
    TwoKeyNodes nodes(next_topic());
    nodes.open();
    for (int i = 0; i < 10; ++i) {
        const TenantId each = tenant("t" + std::to_string(i));
        std::array<std::string, 2> secrets;
        {
            std::latch start(2);
            std::jthread other([&] {
                start.arrive_and_wait();
                secrets[1] = nodes.b->tenant_secret(each).value();
            });
            start.arrive_and_wait();
            secrets[0] = nodes.a->tenant_secret(each).value();
        }
        CHECK_EQ(secrets[0].size(), 32);
        CHECK_EQ(secrets[0], secrets[1]);
    }
}

TEST_CASE("a copy that is lost is filled again") {
    TwoKeyNodes nodes(next_topic());
    nodes.a.open();
    const SubjectKey key = nodes.a->key_for(acme, stream(1)).value();
    REQUIRE(nodes.a->sync().has_value());
    const std::string secret = nodes.a->tenant_secret(acme).value();
    nodes.a.keys.reset();
    fs::remove_all(nodes.a.options.path);
    nodes.a.open();
    CHECK_EQ(nodes.a->key_for(acme, stream(1)).value().id, key.id);
    CHECK_EQ(nodes.a->find(acme, key.id).value().secret, key.secret);
    CHECK_EQ(nodes.a->tenant_secret(acme).value(), secret);
}

TEST_CASE("a node with another master key, or none, is refused") {
    TwoKeyNodes nodes(next_topic());
    nodes.a.open();
    REQUIRE(nodes.a->key_for(acme, stream(1)).has_value());
    REQUIRE(nodes.a->sync().has_value());
    nodes.b.options.master_key = nodes.b.folder / "master.key";

    SUBCASE("none: it makes none of its own") {
        const auto refused = SharedKeyStore::open(nodes.b.options);
        CHECK_EQ(code(refused), Code::corrupt);
        CHECK(refused.error().detail.contains("--master-key"));
        CHECK_FALSE(fs::exists(nodes.b.options.master_key));
    }
    SUBCASE("another") {
        std::ofstream(nodes.b.options.master_key) << std::string(64, 'a') << '\n';
        fs::permissions(nodes.b.options.master_key, fs::perms(0600));
        const auto refused = SharedKeyStore::open(nodes.b.options);
        CHECK_EQ(code(refused), Code::corrupt);
        CHECK(refused.error().detail.contains("another master key"));
    }
    fs::copy_file(nodes.a.options.master_key, nodes.b.options.master_key,
                  fs::copy_options::overwrite_existing);
    nodes.b.open();
    CHECK(nodes.b->key_for(acme, stream(1)).has_value());
}

TEST_CASE("of two new nodes with master keys of their own only one has the cluster") {
    TwoKeyNodes nodes(next_topic());
    nodes.b.options.master_key = nodes.b.folder / "master.key";
    std::array<std::optional<Code>, 2> outcomes;
    std::latch start(2);
    {
        const auto open = [&](KeyNode& node, std::optional<Code>& outcome) {
            start.arrive_and_wait();
            outcome = code(SharedKeyStore::open(node.options));
        };
        std::jthread first([&] { open(nodes.a, outcomes[0]); });
        std::jthread second([&] { open(nodes.b, outcomes[1]); });
    }
    CHECK_EQ(std::ranges::count(outcomes, std::optional<Code>()), 1);
    CHECK_EQ(std::ranges::count(outcomes, std::optional(Code::corrupt)), 1);
}

TEST_CASE(
    "while the broker stands still no new key may be relied on, and those that are there work") {
    TwoKeyNodes nodes(next_topic());
    nodes.a.options.topic.timeout = std::chrono::milliseconds(1500);
    nodes.open();
    const SubjectKey known = nodes.a->key_for(acme, stream(1)).value();
    REQUIRE(nodes.a->sync().has_value());
    std::optional<SubjectKey> made;
    {
        const Paused broker(Brokers::one());
        CHECK_EQ(nodes.a->key_for(acme, stream(1)).value().id, known.id);
        CHECK(nodes.a->sync().has_value());  // nothing is on its way
        made = nodes.a->key_for(acme, stream(2)).value();
        CHECK_EQ(nodes.a->key_for(acme, stream(2)).value().id, made->id);
        CHECK_EQ(code(nodes.a->sync()), Code::unavailable);
        CHECK_EQ(code(nodes.a->sync()), Code::unavailable);
        CHECK_EQ(nodes.a->find(acme, known.id).value().secret, known.secret);
        CHECK_EQ(code(nodes.a->find(acme, uuid(77))), Code::unavailable);
        CHECK_EQ(code(nodes.a->destroy(acme, stream(3))), Code::unavailable);
        CHECK_EQ(code(nodes.a->tenant_secret(acme)), Code::unavailable);
        // The pool ends; nothing waits for ever.
        std::optional<Code> last;
        for (std::uint64_t i = 10; i < 30 && !last; ++i)
            last = code(nodes.a->key_for(acme, stream(i)));
        CHECK_EQ(last, Code::unavailable);
    }
    wait_until([&] { return nodes.a->sync().has_value(); });
    REQUIRE(nodes.b->refresh().has_value());
    CHECK_EQ(nodes.b->key_for(acme, stream(2)).value().id, made->id);
    CHECK_EQ(code(nodes.a->find(acme, uuid(77))), Code::corrupt);
    CHECK(nodes.a->key_for(acme, stream(40)).has_value());
}

TEST_CASE(
    "an assignment that never became durable is found by nobody, and its key is never another's") {
    TwoKeyNodes nodes(next_topic());
    nodes.a.options.topic.timeout = std::chrono::milliseconds(1000);
    nodes.open();
    REQUIRE(nodes.a->key_for(acme, stream(1)).has_value());
    REQUIRE(nodes.a->sync().has_value());
    std::optional<SubjectKey> lost;
    {
        const Paused broker(Brokers::one());
        lost = nodes.a->key_for(acme, stream(2)).value();
        nodes.a.keys.reset();  // with the assignment on its way
    }
    nodes.a.open();
    std::set<Uuid> given;
    for (std::uint64_t i = 3; i < 40; ++i)
        given.insert(nodes.a->key_for(acme, stream(i)).value().id);
    CHECK_FALSE(given.contains(lost->id));
    REQUIRE(nodes.a->sync().has_value());
}

TEST_CASE("a node that reaches no broker serves the keys that it has read") {
    TwoKeyNodes nodes(next_topic());
    nodes.a.open();
    const SubjectKey key = nodes.a->key_for(acme, stream(1)).value();
    REQUIRE(nodes.a->sync().has_value());
    nodes.a.keys.reset();
    nodes.a.options.topic.timeout = std::chrono::milliseconds(500);
    {
        const Paused broker(Brokers::one());
        nodes.a.open();
        CHECK_EQ(nodes.a->find(acme, key.id).value().secret, key.secret);
        CHECK_EQ(nodes.a->key_for(acme, stream(1)).value().id, key.id);
        CHECK_EQ(code(nodes.a->key_for(acme, stream(2))), Code::unavailable);
        nodes.b.options.topic.timeout = std::chrono::milliseconds(500);
        CHECK_EQ(code(SharedKeyStore::open(nodes.b.options)), Code::unavailable);
    }
    wait_until([&] { return nodes.a->key_for(acme, stream(2)).has_value(); });
}

TEST_CASE("a topic that is not what was read is refused") {
    TwoKeyNodes nodes(next_topic());
    nodes.a.open();
    REQUIRE(nodes.a->key_for(acme, stream(1)).has_value());
    REQUIRE(nodes.a->sync().has_value());
    nodes.a.keys.reset();
    RawTopic raw(Brokers::one().bootstrap(), nodes.a.options.topic.topic);

    SUBCASE("gone") {
        raw.remove();
        CHECK_EQ(code(SharedKeyStore::open(nodes.a.options)), Code::corrupt);
    }
    SUBCASE("made anew and shorter") {
        raw.remove();
        nodes.b.options.pool_keys = 1;
        nodes.b.open();
        const auto refused = SharedKeyStore::open(nodes.a.options);
        CHECK_EQ(code(refused), Code::corrupt);
        CHECK(refused.error().detail.contains("ends at offset"));
    }
    SUBCASE("made anew and longer") {
        raw.remove();
        nodes.b.open();
        for (std::uint64_t i = 0; i < 50; ++i)
            REQUIRE(nodes.b->key_for(acme, stream(i)).has_value());
        REQUIRE(nodes.b->sync().has_value());
        const auto refused = SharedKeyStore::open(nodes.a.options);
        CHECK_EQ(code(refused), Code::corrupt);
        CHECK(refused.error().detail.contains("does not begin with"));
    }
    SUBCASE("with settings that lose keys") {
        raw.alter({{"cleanup.policy", "delete"},
                   {"min.insync.replicas", "1"},
                   {"unclean.leader.election.enable", "false"},
                   {"max.message.bytes", "131072"}});
        const auto refused = SharedKeyStore::open(nodes.a.options);
        CHECK_EQ(code(refused), Code::invalid);
        CHECK(refused.error().detail.contains("cleanup.policy=delete"));
    }
}

TEST_CASE("the topic does not hold a secret, and a row that was moved does not open") {
    TwoKeyNodes nodes(next_topic());
    nodes.a.open();
    const SubjectKey key = nodes.a->key_for(acme, stream(1)).value();
    REQUIRE(nodes.a->sync().has_value());
    const std::string secret = nodes.a->tenant_secret(acme).value();
    const std::string key_secret(reinterpret_cast<const char*>(key.secret.data()),
                                 key.secret.size());
    const auto records =
        RawTopic(Brokers::one().bootstrap(), nodes.a.options.topic.topic).records();
    CHECK_GT(records.size(), 8);
    for (const std::string& record : records) {
        CHECK_FALSE(record.contains(secret));
        CHECK_FALSE(record.contains(key_secret));
    }
}

TEST_CASE("what nobody used is taken back, and no key is made before one is asked for") {
    TwoKeyNodes nodes(next_topic());
    nodes.a.open();
    nodes.a.keys.reset();
    RawTopic raw(Brokers::one().bootstrap(), nodes.a.options.topic.topic);
    CHECK_EQ(raw.records().size(), 1);  // whose master key it is
    nodes.a.open();
    REQUIRE(nodes.a->key_for(acme, stream(1)).has_value());
    REQUIRE(nodes.a->sync().has_value());
    nodes.a.keys.reset();
    const auto records = raw.records();
    const auto made = std::ranges::count_if(
        records, [](const std::string& each) { return each.size() == wrapped_key_bytes; });
    const auto taken_back =
        std::ranges::count_if(records, [](const std::string& each) { return each.empty(); });
    CHECK_EQ(taken_back, made - 1);
}

TEST_CASE("keys of a node by itself become shared, and come back") {
    TempFolder folder;
    const std::string topic = next_topic();
    const std::string own_path = folder / "keys";
    std::optional<SubjectKey> key;
    std::optional<SubjectKey> erased;
    std::string secret;
    {
        const auto own = RocksKeyStore::open({.path = own_path, .pool_keys = 4}).value();
        key = own->key_for(acme, stream(1)).value();
        erased = own->key_for(acme, stream(2)).value();
        REQUIRE(own->destroy(acme, stream(2)).has_value());
        secret = own->tenant_secret(acme).value();
    }
    KeyNode shared(topic, folder / "master.key");
    shared.open();
    for (int twice = 0; twice < 2; ++twice) {
        const auto own = KeyRows::open({.path = own_path}).value();
        REQUIRE(shared->adopt(*own).has_value());
    }
    KeyNode other(topic, folder / "master.key");
    other.open();
    CHECK_EQ(other->find(acme, key->id).value().secret, key->secret);
    CHECK_EQ(code(other->find(acme, erased->id)), Code::not_found);
    CHECK_EQ(code(other->key_for(acme, stream(2))), Code::not_found);
    CHECK_EQ(other->tenant_secret(acme).value(), secret);
    REQUIRE(other->key_for(acme, stream(3)).has_value());
    REQUIRE(other->sync().has_value());
    const Uuid third = other->key_for(acme, stream(3)).value().id;

    fs::remove_all(own_path);
    {
        const auto own = KeyRows::open({.path = own_path}).value();
        REQUIRE(shared->copy_to(*own).has_value());
    }
    const auto own = RocksKeyStore::open({.path = own_path, .pool_keys = 4}).value();
    CHECK_EQ(own->find(acme, key->id).value().secret, key->secret);
    CHECK_EQ(code(own->key_for(acme, stream(2))), Code::not_found);
    CHECK_EQ(own->key_for(acme, stream(3)).value().id, third);
    CHECK_EQ(own->tenant_secret(acme).value(), secret);
}

TEST_CASE("tenants with two secrets do not become one") {
    TempFolder folder;
    const auto own_path = folder / "keys";
    {
        const auto own = RocksKeyStore::open({.path = own_path}).value();
        REQUIRE(own->tenant_secret(acme).has_value());
    }
    KeyNode shared(next_topic(), folder / "master.key");
    shared.open();
    REQUIRE(shared->tenant_secret(acme).has_value());
    const auto own = KeyRows::open({.path = own_path}).value();
    CHECK_EQ(code(shared->adopt(*own)), Code::conflict);
}

}  // namespace bos::eventstore
