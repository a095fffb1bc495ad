#include "eventstore/key_store.h"

#include "eventstore/memory_key_store.h"
#include "eventstore/rocks_key_store.h"
#include "eventstore/rocks_log.h"
#include "tests/eventstore/faulty_env.h"
#include "tests/eventstore/key_store_contract.h"
#include "tests/eventstore/seeded_random.h"
#include "tests/eventstore/temp_folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <mutex>
#include <sys/stat.h>

namespace bos::eventstore {

namespace {

namespace fs = std::filesystem;
using namespace test;

struct MemoryEngine {
    std::unique_ptr<KeyStore> open() { return std::make_unique<MemoryKeyStore>(random); }
    SeededRandom random{1};
};

struct RocksEngine {
    std::unique_ptr<KeyStore> open() {
        return RocksKeyStore::open({.path = folder / "keys", .pool_keys = 8}).value();
    }
    TempFolder folder;
};

/// A key store, and if wanted a log, on one disk with faults.
struct FaultyStore {
    Result<std::unique_ptr<RocksKeyStore>> open() {
        RocksKeyStoreOptions options{
            .path = folder / "keys", .env = disk.env(), .pool_keys = pool_keys};
        options.fatal = [this](std::string_view) { died = true; };
        return RocksKeyStore::open(std::move(options));
    }
    std::unique_ptr<RocksLog> open_log(KeyStore& keys) {
        RocksLogOptions options{.path = folder / "log", .env = disk.env()};
        options.before_write = [this, &keys] {
            if (before_write) before_write();
            return keys.sync();
        };
        return RocksLog::open(std::move(options)).value();
    }
    TempFolder folder;
    FaultyDisk disk;
    std::size_t pool_keys = 8;
    std::function<void()> before_write;
    std::atomic<bool> died = false;
};

/// All bytes of all files of a folder.
std::string contents(const std::string& folder) {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
}

bool is_wal(const std::string& path) { return path.ends_with(".log"); }

std::string id_bytes(const Uuid& id) {
    return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

std::string stored_row(const std::string& database, const std::string& key) {
    rocksdb::DB* db = nullptr;
    REQUIRE(rocksdb::DB::OpenForReadOnly({}, database, &db).ok());
    const std::unique_ptr<rocksdb::DB> closes(db);
    std::string value;
    REQUIRE(db->Get({}, key, &value).ok());
    return value;
}

const TenantId acme = tenant("acme");

}  // namespace

TEST_CASE("the memory key store keeps the contract") { check_key_store_contract<MemoryEngine>(); }

TEST_CASE("the RocksDB key store keeps the contract") { check_key_store_contract<RocksEngine>(); }

TEST_CASE("keys, erasures and secrets are there after a restart") {
    RocksEngine engine;
    std::optional<SubjectKey> key;
    std::string secret;
    {
        const auto keys = engine.open();
        key = keys->key_for(acme, stream(1)).value();
        REQUIRE(keys->key_for(acme, stream(2)).has_value());
        REQUIRE(keys->destroy(acme, stream(2)).has_value());
        secret = keys->tenant_secret(acme).value();
    }
    const auto keys = engine.open();
    CHECK_EQ(keys->key_for(acme, stream(1)).value().id, key->id);
    CHECK_EQ(keys->find(acme, key->id).value().secret, key->secret);
    CHECK_EQ(code(keys->key_for(acme, stream(2))), Code::not_found);
    CHECK_EQ(keys->tenant_secret(acme).value(), secret);
}

TEST_CASE("a key that no row tells of yet is found, in its tenant, and erased with the others") {
    test::TempFolder folder;
    const auto open = [&] {
        return RocksKeyStore::open({.path = folder / "keys", .keeper = false}).value();
    };
    auto keys = open();
    const SubjectKey key = keys->key_for(acme, stream(1)).value();
    const SubjectKey kept = keys->key_for(acme, stream(2)).value();
    REQUIRE(keys->destroy(acme, stream(3)).has_value());  // nothing stays in memory
    const SubjectKey later = keys->key_for(acme, stream(4)).value();
    REQUIRE(keys->key_for(acme, stream(5)).has_value());
    CHECK_EQ(keys->find(acme, later.id).value().secret, later.secret);
    CHECK_EQ(code(keys->find(tenant("other"), later.id)), Code::not_found);
    REQUIRE(keys->destroy(acme, stream(1)).has_value());
    REQUIRE(keys->destroy(acme, stream(4)).has_value());
    for (int start = 0; start < 2; ++start) {
        for (const SubjectKey& erased : {key, later})
            CHECK_EQ(code(keys->find(acme, erased.id)), Code::not_found);
        CHECK_EQ(code(keys->key_for(acme, stream(4))), Code::not_found);
        CHECK_EQ(keys->key_for(acme, stream(2)).value().id, kept.id);
        CHECK(keys->sync().has_value());
        keys.reset();
        keys = open();
    }
}

TEST_CASE("a synced assignment survives the loss of power") {
    FaultyStore store;
    auto keys = store.open().value();
    std::vector<Uuid> ids;
    for (std::uint64_t i = 0; i < 30; ++i) ids.push_back(keys->key_for(acme, stream(i)).value().id);
    REQUIRE(keys->sync().has_value());
    store.disk.cut_power();
    keys.reset();
    store.disk.restore_power();
    keys = store.open().value();
    for (std::uint64_t i = 0; i < 30; ++i) {
        CHECK_EQ(keys->key_for(acme, stream(i)).value().id, ids[i]);
    }
}

TEST_CASE("a key whose assignment was lost is never another subject's, and is told as lost") {
    FaultyStore store;
    store.pool_keys = 64;  // no refill while the power is off: it would seem to be synced
    auto keys = store.open().value();
    REQUIRE(keys->key_for(acme, stream(0)).has_value());
    REQUIRE(keys->sync().has_value());
    // Written after the power was cut, so lost whatever the background does.
    store.disk.cut_power();
    std::vector<SubjectKey> given;
    for (std::uint64_t i = 1; i < 5; ++i) given.push_back(keys->key_for(acme, stream(i)).value());
    keys.reset();
    store.disk.restore_power();

    keys = store.open().value();
    std::set<Uuid> later;
    for (std::uint64_t i = 1; i < 40; ++i) later.insert(keys->key_for(acme, stream(i)).value().id);
    for (const SubjectKey& key : given) {
        CHECK_FALSE(later.contains(key.id));
        // No record names it. One that does was written when the key was durably somebody's.
        CHECK_EQ(code(keys->find(acme, key.id)), Code::corrupt);
    }
}

TEST_CASE("a record that survives a power cut has its key's assignment with it") {
    // The power goes at one operation on the disk after another; all appends take some 80.
    for (int operations = 1; operations < 80; operations += 3) {
        INFO(operations);
        FaultyStore store;
        auto keys = store.open().value();
        auto log = store.open_log(*keys);
        std::atomic<int> left = operations;
        store.disk.on_operation([&](FaultyDisk::Operation, const std::string&) {
            if (--left == 0) store.disk.cut_power();
            return FaultyDisk::Outcome::ok;
        });
        Chain chain(acme);
        std::vector<Uuid> named;
        for (std::uint64_t i = 0; i < 12; ++i) {
            const auto key = keys->key_for(acme, stream(i));
            REQUIRE(key.has_value());
            named.push_back(key->id);
            REQUIRE(append(*log, chain.next([&](Commit& commit) {
                commit.events = {event(stream(i), 1, id_bytes(key->id))};
            })));
        }
        log.reset();
        keys.reset();
        store.disk.heal();
        store.disk.restore_power();

        keys = store.open().value();
        log = store.open_log(*keys);
        const std::uint64_t survived = log->head(acme).value().position.value;
        for (std::uint64_t i = 0; i < survived; ++i) {
            REQUIRE_EQ(keys->key_for(acme, stream(i)).value().id, named[i]);
        }
    }
}

TEST_CASE("a key store that lost what was synced is refused") {
    test::TempFolder folder;
    const auto path = folder / "keys";
    const auto open = [&] { return RocksKeyStore::open({.path = path, .pool_keys = 4}); };
    {
        const auto keys = open().value();
        REQUIRE(keys->key_for(acme, stream(1)).has_value());
        REQUIRE(keys->tenant_secret(acme).has_value());
    }
    const auto newest = [&](std::string_view begin, std::string_view end) {
        std::string found;
        for (const auto& file : std::filesystem::directory_iterator(path)) {
            const std::string name = file.path().filename();
            if (name.starts_with(begin) && name.ends_with(end) && file.file_size() > 0)
                found = std::max(found, file.path().string());
        }
        return found;
    };
    std::string expected = "has lost";
    SUBCASE("its MANIFEST is cut") {
        const std::string file = newest("MANIFEST", "");
        std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    }
    SUBCASE("an entry of its MANIFEST says that it is longer than the file") {
        std::fstream file(newest("MANIFEST", ""), std::ios::binary | std::ios::in | std::ios::out);
        // Checksum u32, length u16, kind: the head of the first entry.
        file.seekp(5);
        file.put('\x40');
    }
    SUBCASE("its write-ahead log is cut") {
        const std::string file = newest("", ".log");
        std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
        expected = "write-ahead log";
    }
    SUBCASE("the mark itself is damaged") {
        std::filesystem::resize_file(path + "/MARK", 30);
        expected = "MARK is damaged";
    }
    const auto refused = open();
    REQUIRE_EQ(code(refused), Code::corrupt);
    CHECK_MESSAGE(refused.error().detail.contains(expected), refused.error().detail);
    CHECK(refused.error().detail.contains("To do: "));
}

TEST_CASE("no record reaches the log's WAL before its key's assignment is synced") {
    FaultyStore store;
    const auto keys = store.open().value();
    const auto log = store.open_log(*keys);
    Chain chain(acme);
    REQUIRE(append(*log, chain.next()).has_value());  // the database's own files are made

    // The key store's sync waits until the log either asks for it or, wrongly, writes before it.
    std::promise<void> log_came;
    std::once_flag once;
    std::shared_future<void> came = log_came.get_future().share();
    const auto come = [&] { std::call_once(once, [&] { log_came.set_value(); }); };
    store.before_write = come;
    std::atomic<std::uint64_t> unsynced = 0;
    std::atomic<int> key_syncs = 0;
    store.disk.on_operation([&](FaultyDisk::Operation operation, const std::string& path) {
        const bool of_keys = path.starts_with(store.folder / "keys/");
        if (is_wal(path) && of_keys && operation == FaultyDisk::Operation::sync) {
            ++key_syncs;
            came.wait();
        }
        if (is_wal(path) && !of_keys && operation == FaultyDisk::Operation::append) {
            unsynced += store.disk.unsynced_wal_bytes(store.folder / "keys");
            come();
        }
        return FaultyDisk::Outcome::ok;
    });
    REQUIRE(keys->key_for(acme, stream(1)).has_value());
    REQUIRE(append(*log, chain.next()).has_value());
    CHECK_GT(key_syncs, 0);
    CHECK_EQ(unsynced, 0);
    store.disk.heal();
}

TEST_CASE("an erased key's bytes leave the disk") {
    RocksEngine engine;
    auto keys = engine.open();
    const Uuid erased = keys->key_for(acme, stream(1)).value().id;
    const Uuid kept = keys->key_for(acme, stream(2)).value().id;
    keys.reset();
    // The wrapped secrets, as they stand in the files (keys of rows are shortened there).
    const std::string path = engine.folder / "keys";
    const std::string erased_row = stored_row(path, "k" + id_bytes(erased));
    const std::string kept_row = stored_row(path, "k" + id_bytes(kept));
    keys = engine.open();
    CHECK(contents(path).contains(erased_row));
    REQUIRE(keys->destroy(acme, stream(1)).has_value());
    keys.reset();  // the files that the database no longer needs are gone when it closes
    CHECK_FALSE(contents(path).contains(erased_row));
    CHECK(contents(path).contains(kept_row));
}

TEST_CASE("the database alone does not hold a secret") {
    RocksEngine engine;
    std::string secret;
    std::optional<SubjectKey> key;
    {
        const auto keys = engine.open();
        key = keys->key_for(acme, stream(1)).value();
        secret = keys->tenant_secret(acme).value();
    }
    const std::string all = contents(engine.folder / "keys");
    CHECK_FALSE(all.contains(secret));
    CHECK_FALSE(all.contains(
        std::string(reinterpret_cast<const char*>(key->secret.data()), key->secret.size())));
}

TEST_CASE("master key and key store belong together") {
    RocksEngine engine;
    {
        REQUIRE(engine.open()->key_for(acme, stream(1)).has_value());
    }
    const std::string master = engine.folder / "master.key";
    const auto open = [&] { return RocksKeyStore::open({.path = engine.folder / "keys"}); };

    struct stat status{};
    REQUIRE_EQ(::stat(master.c_str(), &status), 0);
    CHECK_EQ(status.st_mode & 07777, 0600);

    SUBCASE("a missing master key") {
        fs::remove(master);
        CHECK_EQ(code(open()), Code::corrupt);
        CHECK_FALSE(fs::exists(master));
    }
    SUBCASE("another master key") {
        std::ofstream(master) << std::string(64, 'a') << '\n';
        CHECK_EQ(code(open()), Code::corrupt);
    }
    SUBCASE("a damaged master key") {
        fs::resize_file(master, 40);
        CHECK_EQ(code(open()), Code::corrupt);
    }
    SUBCASE("a master key for everyone") {
        fs::permissions(master, fs::perms::others_read, fs::perm_options::add);
        CHECK_EQ(code(open()), Code::denied);
    }
    SUBCASE("a missing key store") {
        fs::remove_all(engine.folder / "keys");
        CHECK_EQ(code(open()), Code::corrupt);
    }
}

TEST_CASE("a first start that failed can be repeated") {
    FaultyStore store;
    for (int n = 1; n <= 3; ++n) {
        CAPTURE(n);
        int appends = 0;
        store.disk.on_operation([&](FaultyDisk::Operation operation, const std::string&) {
            return operation == FaultyDisk::Operation::append && ++appends == n
                       ? FaultyDisk::Outcome::io_error
                       : FaultyDisk::Outcome::ok;
        });
        CHECK_FALSE(store.open().has_value());
    }
    store.disk.heal();
    const auto keys = store.open();
    REQUIRE_MESSAGE(keys.has_value(), (keys ? "" : keys.error().detail));
    CHECK((*keys)->key_for(acme, stream(1)).has_value());
}

TEST_CASE("a full disk leaves the keys that are there") {
    FaultyStore store;
    const auto keys = store.open().value();
    const SubjectKey key = keys->key_for(acme, stream(1)).value();
    store.disk.set_free_bytes(0);
    CHECK_EQ(keys->key_for(acme, stream(1)).value().id, key.id);
    const auto other = keys->key_for(acme, stream(2));
    CHECK_EQ(code(keys->sync()), Code::unavailable);  // so no record names it
    store.disk.set_free_bytes(std::uint64_t{1} << 40);
    CHECK(keys->sync().has_value());
    CHECK_EQ(keys->key_for(acme, stream(2)).value().id, other.value().id);
    CHECK_FALSE(store.died);
}

TEST_CASE("a failed sync of an assignment ends the process") {
    FaultyStore store;
    const auto keys = store.open().value();
    REQUIRE(keys->key_for(acme, stream(1)).has_value());
    REQUIRE(keys->sync().has_value());
    store.disk.on_operation([](FaultyDisk::Operation operation, const std::string&) {
        return operation == FaultyDisk::Operation::sync ? FaultyDisk::Outcome::io_error
                                                        : FaultyDisk::Outcome::ok;
    });
    const bool assigned = keys->key_for(acme, stream(2)).has_value();
    const bool synced = keys->sync().has_value();
    CHECK_FALSE((assigned && synced));
    CHECK(store.died);
}

}  // namespace bos::eventstore
