#include "eventstore/log_reader.h"
#include "eventstore/log_rows.h"
#include "eventstore/rocks_log.h"
#include "schemas/base/digest.h"
#include "schemas/base/keys.h"
#include "tests/eventstore/event_log_contract.h"
#include "tests/eventstore/faulty_env.h"
#include "tests/eventstore/temp_folder.h"

#include <doctest/doctest.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <deque>
#include <filesystem>

// The index moves from memory to the tables behind the appends: whatever happens meanwhile, each
// record that was answered is found by all of its look-ups.

namespace bos::eventstore {

namespace {

namespace fs = std::filesystem;
using namespace test;

/// So that a few records make a bulk.
constexpr std::size_t few_entries = 24;

struct BulkEngine {
    std::unique_ptr<EventLog> open() {
        return RocksLog::open({.path = folder / "log", .bulk_entries = few_entries}).value();
    }
    TempFolder folder;
};

/// Tenants whose records are remembered. Commits have events of two streams, some have none.
class Story {
  public:
    Story() {
        for (const char* name : {"acme", "a", "acme-2"}) tenants_.emplace_back(tenant(name));
    }

    /// The record of the n-th append.
    std::string next() {
        Tenant& to = tenants_[count_++ % tenants_.size()];
        const std::uint64_t number = to.records.size() + 1;
        std::string record = to.chain.next([&](Commit& commit) {
            commit.events.clear();
            if (number % 5 == 0) return;
            commit.events.push_back(event(stream(1), ++to.versions[0]));
            commit.events.push_back(event(stream(2 + number % 2), ++to.versions[1 + number % 2]));
        });
        to.records.push_back(record);
        return record;
    }
    void append_to(EventLog& log, int count) {
        for (int i = 0; i < count; ++i) REQUIRE(append(log, next()).has_value());
    }
    [[nodiscard]] std::size_t count() const { return count_; }

    /// The last next() may be in the log or not.
    void last_is_unknown() { unknown_ = true; }
    void settle_last(const EventLog& log) {
        if (!std::exchange(unknown_, false)) return;
        const Tenant& to = tenants_[(count_ - 1) % tenants_.size()];
        if (log.head(to.chain.tenant()).value() != head(to)) forget_last();
    }
    /// The last next() was not appended.
    void forget_last() {
        Tenant& to = tenants_[--count_ % tenants_.size()];
        to.records.pop_back();
        to.chain = Chain(to.chain.tenant(), head(to));
        to.versions = {};
        for (const std::string& each : to.records) {
            for (const RecordedEvent& of : decode(each)->events) {
                for (std::uint64_t i = 0; i < to.versions.size(); ++i)
                    if (of.stream == stream(1 + i)) to.versions[i] = of.version.value;
            }
        }
    }

    void check_all_in(const EventLog& log) const {
        std::vector<TenantId> known;
        for (const Tenant& each : tenants_) {
            if (!each.records.empty()) known.push_back(each.chain.tenant());
            check_all_of(log, each);
        }
        std::ranges::sort(known);
        CHECK_EQ(log.tenants().value(), known);
    }

  private:
    struct Tenant {
        explicit Tenant(TenantId id) : chain(std::move(id)) {}
        Chain chain;
        std::vector<std::string> records;
        std::array<std::uint64_t, 3> versions{};
    };

    static Head head(const Tenant& of) {
        if (of.records.empty()) return {};
        return Head{.position = Position{of.records.size()}, .hash = hash_of(of.records.back())};
    }
    static void check_all_of(const EventLog& log, const Tenant& each) {
        const TenantId& id = each.chain.tenant();
        INFO(id.value());
        REQUIRE_EQ(log.head(id).value(), head(each));
        std::map<StreamId, std::vector<EventAddress>> streams;
        for (std::uint64_t i = 0; i < each.records.size(); ++i) {
            const Position at{i + 1};
            const Commit commit = decode(each.records[i]).value();
            REQUIRE_EQ(log.read(id, at).value(), each.records[i]);
            REQUIRE_EQ(log.find_key(id, commit.key).value(), at);
            for (std::uint32_t k = 0; k < commit.events.size(); ++k)
                streams[commit.events[k].stream].push_back({commit.events[k].version, at, k});
        }
        CHECK_EQ(log.find_key(id, "never").value(), std::nullopt);
        CHECK_EQ(code(log.read(id, Position{each.records.size() + 1})), Code::not_found);
        for (const auto& [stream, addresses] : streams) {
            REQUIRE_EQ(log.stream(id, stream, Version{1}, 10'000).value(), addresses);
            for (std::size_t from = 0; from < addresses.size(); from += 7) {
                const std::size_t many = std::min<std::size_t>(addresses.size() - from, 5);
                const auto first = addresses.begin() + static_cast<std::ptrdiff_t>(from);
                REQUIRE_EQ(log.stream(id, stream, addresses[from].version, 5).value(),
                           std::vector(first, first + static_cast<std::ptrdiff_t>(many)));
            }
            REQUIRE_EQ(newest_event(log, id, stream).value(), addresses.back());
        }
        for (const std::uint64_t from : {1UL, 7UL, each.records.size()}) {
            std::vector<std::string> seen;
            const auto scanned = log.scan(id, Position{from}, Position{~std::uint64_t{0}},
                                          [&](Position, std::string_view record) {
                                              seen.emplace_back(record);
                                              return true;
                                          });
            REQUIRE_MESSAGE(scanned.has_value(), (scanned ? "" : scanned.error().detail));
            const auto first = std::min<std::size_t>(from - 1, each.records.size());
            REQUIRE_EQ(seen, std::vector(each.records.begin() + static_cast<std::ptrdiff_t>(first),
                                         each.records.end()));
        }
    }

    std::vector<Tenant> tenants_;
    std::size_t count_ = 0;
    bool unknown_ = false;
};

struct FaultyEngine {
    Result<std::unique_ptr<RocksLog>> open() {
        RocksLogOptions options{.path = folder / "log", .env = disk.env()};
        options.bulk_entries = few_entries;
        options.accept_end = accept_end;
        options.fatal = [this](std::string_view) { died = true; };
        return RocksLog::open(std::move(options));
    }
    TempFolder folder;
    FaultyDisk disk;
    bool accept_end = false;
    std::atomic<bool> died = false;
};

bool is_of_a_bulk(const std::string& path) {
    return path.ends_with(".bulk") || path.ends_with(".sst") || path.contains("MANIFEST");
}

/// Files of the index as tables that the log has now.
std::size_t tables_in(const fs::path& folder) {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".sst") ++count;
    return count;
}

/// A database as the releases before this one wrote it: all index rows beside the records.
class EarlierRelease {
  public:
    explicit EarlierRelease(const std::string& path) {
        rocksdb::Options options;
        options.create_if_missing = options.create_missing_column_families = true;
        rocksdb::DB* db = nullptr;
        const rocksdb::Status opened = rocksdb::DB::Open(
            options, path, {{rocksdb::kDefaultColumnFamilyName, options}, {"index", options}},
            &families_, &db);
        REQUIRE_MESSAGE(opened.ok(), opened.ToString());
        db_.reset(db);
    }
    ~EarlierRelease() {
        for (auto* family : families_)
            db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    }

    void append(std::string_view record) {
        const RecordIndex index = index_of(record).value();
        const TenantId& id = index.link.tenant;
        const Position position = index.link.position;
        ++end_.sequence;
        end_.hash = index.hash;
        rocksdb::WriteBatch batch;
        put(batch, 0, log_rows::record_key(end_.sequence), std::string(record));
        put(batch, 1, log_rows::position_key(id, position),
            KeyWriter().u64(end_.sequence).hash(index.hash).take());
        put(batch, 1, log_rows::key_key(id, index.key_digest), log_rows::key_value(position));
        for (std::uint32_t i = 0; i < index.events.size(); ++i) {
            const auto& event = index.events[i];
            put(batch, 1, log_rows::stream_key(id, event.stream, event.version),
                log_rows::address_value(position, i));
        }
        put(batch, 1, log_rows::end_key(), log_rows::end_value(end_.sequence));
        REQUIRE(db_->Write({}, &batch).ok());
    }
    [[nodiscard]] const Mark& end() const { return end_; }

  private:
    void put(rocksdb::WriteBatch& batch, std::size_t family, const std::string& key,
             const std::string& value) {
        REQUIRE(batch.Put(families_[family], key, value).ok());
    }

    std::vector<rocksdb::ColumnFamilyHandle*> families_;
    std::unique_ptr<rocksdb::DB> db_;
    Mark end_;
};

}  // namespace

TEST_CASE("the log keeps the contract while its index moves to the tables") {
    check_event_log_contract<BulkEngine>();
}

TEST_CASE("what was appended is found after a crash, however much of it was indexed") {
    for (const int count : {1, 5, 9, 20, 40, 75, 200}) {
        INFO(count);
        FaultyEngine engine;
        Story story;
        {
            auto log = engine.open().value();
            story.append_to(*log, count);
            story.check_all_in(*log);
            engine.disk.cut_power();
        }
        engine.disk.restore_power();
        {
            auto log = engine.open().value();
            story.check_all_in(*log);
            story.append_to(*log, count);
            story.check_all_in(*log);
        }
        story.check_all_in(*engine.open().value());
        story.check_all_in(*open_log_for_reading(engine.folder / "log").value());
    }
}

TEST_CASE("power that goes at any moment of a bulk takes nothing that was answered") {
    int moments = 0;
    for (bool reached = true; reached; ++moments) {
        INFO(moments);
        FaultyEngine engine;
        Story story;
        // Both outlive the log, whose indexer writes until it is gone.
        std::atomic<bool> cut = false;
        std::atomic<int> operations = 0;
        {
            const auto log = engine.open().value();
            engine.disk.on_operation([&](FaultyDisk::Operation, const std::string& path) {
                if (is_of_a_bulk(path) && operations++ == moments) {
                    engine.disk.cut_power();
                    cut = true;
                }
                return FaultyDisk::Outcome::ok;
            });
            // What is answered after the cut is a lie of the disk.
            while (!cut && story.count() < 24) {
                const std::string record = story.next();
                const Result<Head> answer = append(*log, record);
                if (!answer || cut) story.last_is_unknown();
            }
        }
        reached = cut;
        engine.disk.heal();
        if (reached) engine.disk.restore_power();
        const auto log = engine.open();
        REQUIRE_MESSAGE(log.has_value(), (log ? "" : log.error().detail));
        story.settle_last(**log);
        story.check_all_in(**log);
        story.append_to(**log, 15);
        story.check_all_in(**log);
    }
    CHECK_GT(moments, 5);
}

TEST_CASE("without room for the index appends go on as far as memory is meant for it") {
    FaultyEngine engine;
    Story story;
    auto log = engine.open().value();
    engine.disk.on_operation([](FaultyDisk::Operation operation, const std::string& path) {
        return operation == FaultyDisk::Operation::append && path.ends_with(".bulk")
                   ? FaultyDisk::Outcome::no_space
                   : FaultyDisk::Outcome::ok;
    });
    // Three full segments wait and none is taken away.
    Result<Head> outcome = Head{};
    int appended = -1;
    for (; outcome && appended < 1000; ++appended) outcome = append(*log, story.next());
    story.forget_last();
    CHECK_EQ(code(outcome), Code::full);
    CHECK_GT(appended, 3 * static_cast<int>(few_entries) / 4 - 1);
    CHECK_LT(appended, 4 * static_cast<int>(few_entries) / 2);
    for (int i = 0; i < 2; ++i) {
        story.check_all_in(*log);
        CHECK_EQ(code(append(*log, story.next())), Code::full);
        story.forget_last();
    }
    story.check_all_in(*log);
    engine.disk.heal();
    story.append_to(*log, 50);
    story.check_all_in(*log);
    CHECK_FALSE(engine.died);
    log.reset();
    story.check_all_in(*engine.open().value());
}

TEST_CASE("reads find all that was answered while the index moves") {
    BulkEngine engine;
    const auto log = engine.open();
    const TenantId acme = tenant("acme");
    std::atomic<std::uint64_t> answered = 0;
    std::atomic<int> failures = 0;
    std::atomic<bool> done = false;
    {
        std::vector<std::jthread> readers;
        for (int reader = 0; reader < 3; ++reader) {
            readers.emplace_back([&, reader] {
                std::uint64_t round = static_cast<std::uint64_t>(reader);
                while (!done) {
                    const std::uint64_t before = answered;
                    if (before == 0) continue;
                    const auto fail_unless = [&](bool ok) { failures += ok ? 0 : 1; };
                    const std::uint64_t some = round++ * 7919 % before + 1;
                    fail_unless(log->head(acme).value().position.value >= before);
                    fail_unless(log->read(acme, Position{some}).has_value());
                    fail_unless(log->find_key(acme, fmt::format("key-{}", some)).value() ==
                                Position{some});
                    const auto events = log->stream(acme, stream(1), Version{some}, 40).value();
                    fail_unless(events.size() >= std::min<std::uint64_t>(40, before - some + 1));
                    for (std::size_t i = 0; i < events.size(); ++i)
                        fail_unless(events[i].version.value == some + i);
                    std::uint64_t expected = some;
                    const auto scanned = log->scan(acme, Position{some}, Position{some + 300},
                                                   [&](Position at, std::string_view) {
                                                       fail_unless(at.value == expected++);
                                                       return true;
                                                   });
                    fail_unless(scanned.has_value());
                    fail_unless(expected > std::min(before, some + 300));
                    fail_unless(log->tenants().value().size() == 1);
                }
            });
        }
        Chain chain(acme);
        for (std::uint64_t i = 1; i <= 800; ++i) {
            REQUIRE(append(*log, chain.next()).has_value());
            answered = i;
        }
        done = true;
    }
    CHECK_EQ(failures, 0);
    CHECK_EQ(verify_chain(*log, acme).value().head.position.value, 800);
}

TEST_CASE("a log of an earlier release opens, and grows") {
    TempFolder folder;
    Story story;
    for (const int count : {1, 100, 300}) {
        INFO(count);
        fs::remove_all(folder / "log");
        story = {};
        {
            EarlierRelease earlier(folder / "log");
            for (int i = 0; i < count; ++i) earlier.append(story.next());
            REQUIRE(
                HighWaterMark::create(*rocksdb::Env::Default(), folder / "log.mark", earlier.end())
                    .has_value());
        }
        story.check_all_in(*open_log_for_reading(folder / "log").value());
        const auto open = [&] {
            return RocksLog::open({.path = folder / "log", .bulk_entries = few_entries}).value();
        };
        {
            const auto log = open();
            story.check_all_in(*log);
            story.append_to(*log, 7);
            story.check_all_in(*log);
        }
        const auto log = open();
        story.append_to(*log, 250);
        story.check_all_in(*log);
        story.check_all_in(*open_log_for_reading(folder / "log").value());
        CHECK(verify_chain(*log, tenant("acme")).has_value());
    }
}

TEST_CASE("an index that knows of records that are gone is refused, and made anew when accepted") {
    FaultyEngine engine;
    Story story;
    {
        auto log = engine.open().value();
        story.append_to(*log, 60);
        // Until a bulk is in the tables.
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (tables_in(engine.folder / "log") == 0 && std::chrono::steady_clock::now() < until)
            std::this_thread::yield();
        REQUIRE_GT(tables_in(engine.folder / "log"), 0);
    }
    for (const auto& entry : fs::directory_iterator(engine.folder / "log"))
        if (entry.path().extension() == ".log") fs::remove(entry.path());
    CHECK_EQ(code(engine.open()), Code::corrupt);
    CHECK_EQ(code(open_log_for_reading(engine.folder / "log")), Code::corrupt);
    engine.accept_end = true;
    REQUIRE(engine.open().has_value());
    engine.accept_end = false;
    auto log = engine.open();
    REQUIRE_MESSAGE(log.has_value(), (log ? "" : log.error().detail));
    CHECK((*log)->tenants().value().empty());
    Story again;
    again.append_to(**log, 60);
    again.check_all_in(**log);
}

TEST_CASE("a reader beside the process that writes finds what is not in the tables yet") {
    BulkEngine engine;
    Story story;
    const auto log = engine.open();
    for (int i = 0; i < 12; ++i) {
        story.append_to(*log, 11);
        story.check_all_in(*open_log_for_reading(engine.folder / "log").value());
    }
}

}  // namespace bos::eventstore
