#include "projections/runner.h"
#include "tests/eventstore/faulty_env.h"
#include "tests/projections/cards.h"
#include "tests/projections/memory_store.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

namespace bos::projections {
namespace {

using namespace cards;
using eventstore::test::FaultyDisk;

constexpr std::size_t build_bytes = 64 * 1024;

/// Views on a disk that fails when it is told to. Whatever is built goes to files.
class FaultyViews {
  public:
    FaultyViews() : folder_(new_folder()) { reopen(); }
    ~FaultyViews() {
        runner_.reset();
        store_.reset();
        std::filesystem::remove_all(folder_);
    }

    void reopen() {
        runner_.reset();
        store_.reset();
        ViewStoreOptions options;
        options.path = (folder_ / "views").string();
        options.env = disk.env();
        options.cache_bytes = 1 << 20;
        options.file_bytes_min = 1;
        auto opened = ViewStore::open(options);
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
        store_ = *std::move(opened);
        runner_.emplace(*store_, ViewSet(types<Board, Total>{}), sealer_,
                        RunnerOptions{.rebuild_commits_min = 3000, .build_bytes_max = build_bytes});
        const auto live = runner_->open(acme, log.log());
        REQUIRE_MESSAGE(live.has_value(), (live ? "" : live.error().detail));
    }
    [[nodiscard]] Runner& runner() { return *runner_; }
    [[nodiscard]] std::size_t files_of_rows() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(folder_ / "views"))
            count += entry.path().extension() == ".rows";
        return count;
    }

    FaultyDisk disk;
    CardLog log{acme};

  private:
    static std::filesystem::path new_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "bos-views-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        return name;
    }

    const std::filesystem::path folder_;
    NoKeys keys_;
    SystemRandom random_;
    eventstore::FieldSealer sealer_{keys_, random_};
    std::unique_ptr<ViewStore> store_;
    std::optional<Runner> runner_;
};

void fill(FaultyViews& views) {
    for (std::uint64_t i = 0; i < 3000; ++i)
        views.log.append({recorded(card_id(i % 500), CardMade{std::string(40, 'c'), 1})});
    REQUIRE(views.runner().catch_up(acme, views.log.log()));
}

TEST_CASE("a rebuild that the disk stops says so, leaves the views as they were and nothing else") {
    const std::pair<FaultyDisk::Outcome, Code> faults[] = {
        {FaultyDisk::Outcome::no_space, Code::full},
        {FaultyDisk::Outcome::io_error, Code::unavailable}};
    const FaultyDisk::Operation operations[] = {FaultyDisk::Operation::append,
                                                FaultyDisk::Operation::sync};
    // A file of rows itself, and the list of files that it is put into.
    for (const std::string_view file : {".rows", "MANIFEST"}) {
        for (const auto& [outcome, code] : faults) {
            for (const FaultyDisk::Operation faulty : operations) {
                CAPTURE(file);
                CAPTURE(code);
                CAPTURE(static_cast<int>(faulty));
                FaultyViews views;
                fill(views);
                const auto hashes = views.runner().hash(acme).value();
                views.disk.on_operation([&](FaultyDisk::Operation operation,
                                            const std::string& path) {
                    const bool hit = operation == faulty && path.find(file) != std::string::npos;
                    return hit ? outcome : FaultyDisk::Outcome::ok;
                });
                const auto rebuilt = views.runner().rebuild(acme, views.log.log());
                REQUIRE(!rebuilt.has_value());
                CHECK(rebuilt.error().code == code);
                CHECK(views.runner().hash(acme).value() == hashes);
                CHECK(views.files_of_rows() == 0);
                views.disk.heal();
                views.reopen();
                CHECK(views.runner().hash(acme).value() == hashes);
                REQUIRE(views.runner().rebuild(acme, views.log.log()));
                CHECK(views.runner().hash(acme).value() == hashes);
            }
        }
    }
}

TEST_CASE("a tenant larger than a build may keep in memory is built part by part") {
    FaultyViews views;
    fill(views);
    const auto hashes = views.runner().hash(acme).value();
    std::set<std::string> files;
    views.disk.on_operation([&](FaultyDisk::Operation, const std::string& path) {
        if (path.ends_with(".rows")) files.insert(path);
        return FaultyDisk::Outcome::ok;
    });
    REQUIRE(views.runner().rebuild(acme, views.log.log()));
    views.disk.heal();
    CHECK(files.size() > 10);
    CHECK(views.runner().hash(acme).value() == hashes);
    views.reopen();
    CHECK(views.runner().hash(acme).value() == hashes);
}

TEST_CASE("views that are opened far behind their log are built anew, by files") {
    FaultyViews views;
    fill(views);
    for (std::uint64_t i = 0; i < 3100; ++i)
        views.log.append({recorded(card_id(i % 500), CardMade{std::string(20, 'd'), 1})});
    std::set<std::string> files;
    views.disk.on_operation([&](FaultyDisk::Operation, const std::string& path) {
        if (path.ends_with(".rows")) files.insert(path);
        return FaultyDisk::Outcome::ok;
    });
    views.reopen();
    views.disk.heal();
    CHECK(!files.empty());
    const auto opened = views.runner().hash(acme).value();
    REQUIRE(views.runner().rebuild(acme, views.log.log()));
    CHECK(views.runner().hash(acme).value() == opened);
}

TEST_CASE("what a session that builds keeps in memory is what it says, and goes when told") {
    MemoryStore store;
    const auto built = store->start_building(acme, 7, 1);
    auto session = store->write_to(acme, {*built});
    constexpr std::size_t row_bytes = 1000;
    constexpr std::size_t count = 200;
    for (std::uint64_t i = 1; i <= count; ++i) {
        session.begin(Position{i});
        session.writer(7).put(KeyWriter().u8(0).u64(i % 20).bytes(),
                              std::string(row_bytes, static_cast<char>('a' + i % 7)));
    }
    // All versions, until they are written.
    CHECK(session.cached_bytes() > count * row_bytes);
    CHECK(session.cached_bytes() < 2 * count * row_bytes);
    REQUIRE(session.finish());
    session.drop_cache();
    CHECK(session.cached_bytes() == 0);
    CHECK(session.pending_bytes() == 0);
}

TEST_CASE("files that a crash left are removed when the store is opened, or started anew") {
    MemoryStore store;
    make_live(*store, acme, {7});
    store.close();
    REQUIRE(rocksdb::WriteStringToFile(store.env(), "half a file", "/views/3.rows").ok());
    store.reopen();
    CHECK(store.env()->FileExists("/views/3.rows").IsNotFound());
}

}  // namespace
}  // namespace bos::projections
