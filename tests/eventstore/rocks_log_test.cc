#include "eventstore/rocks_log.h"

#include "tests/eventstore/event_log_contract.h"
#include "tests/eventstore/faulty_env.h"
#include "tests/eventstore/temp_folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <latch>
#include <sys/wait.h>
#include <unistd.h>

namespace bos::eventstore {

namespace {

namespace fs = std::filesystem;
using namespace test;

struct RocksEngine {
    std::unique_ptr<EventLog> open() { return RocksLog::open({.path = folder / "log"}).value(); }
    TempFolder folder;
};

/// A log on a disk with faults, whose fatal end is only noted.
struct FaultyEngine {
    Result<std::unique_ptr<RocksLog>> open() {
        RocksLogOptions options{.path = path(), .env = disk.env()};
        options.queue_records_max = queue_records_max;
        options.before_write = before_write;
        options.accept_end = accept_end;
        options.fatal = [this](std::string_view message) {
            const std::lock_guard lock(mutex);
            fatal.emplace_back(message);
        };
        return RocksLog::open(std::move(options));
    }
    std::string path() { return folder / "log"; }
    std::string mark() { return folder / "log.mark"; }
    bool died() {
        const std::lock_guard lock(mutex);
        return !fatal.empty();
    }

    /// The files as they are now, to be put back later.
    void save(const std::string& what) {
        fs::copy(folder / what, folder / ("saved-" + what), fs::copy_options::recursive);
    }
    void restore(const std::string& what) {
        fs::remove_all(folder / what);
        fs::copy(folder / ("saved-" + what), folder / what, fs::copy_options::recursive);
    }

    std::vector<fs::path> wal_files() {
        std::vector<fs::path> files;
        for (const auto& entry : fs::directory_iterator(path())) {
            if (entry.path().extension() == ".log") files.push_back(entry.path());
        }
        return files;
    }

    TempFolder folder;
    FaultyDisk disk;
    std::size_t queue_records_max = 1000;
    std::function<Result<void>()> before_write = [] { return Result<void>(); };
    bool accept_end = false;
    std::mutex mutex;
    std::vector<std::string> fatal;
};

void append_many(EventLog& log, Chain& chain, int count) {
    for (int i = 0; i < count; ++i) REQUIRE(append(log, chain.next()).has_value());
}

bool is_wal(const std::string& path) { return path.ends_with(".log"); }

FaultyDisk::Fault on(FaultyDisk::Operation operation, FaultyDisk::Outcome outcome,
                     std::string suffix) {
    return [=](FaultyDisk::Operation each, const std::string& path) {
        return each == operation && path.ends_with(suffix) ? outcome : FaultyDisk::Outcome::ok;
    };
}

/// The refusal names all that an operator needs.
void check_refused(FaultyEngine& engine) {
    const auto refused = engine.open();
    REQUIRE_FALSE(refused.has_value());
    CHECK_EQ(refused.error().code, Code::corrupt);
    INFO(refused.error().detail);
    CHECK(refused.error().detail.contains("Found:"));
    CHECK(refused.error().detail.contains("Expected:"));
    CHECK(refused.error().detail.contains("To do:"));
}

}  // namespace

TEST_CASE("the RocksDB log keeps the contract") { check_event_log_contract<RocksEngine>(); }

TEST_CASE("a log that another has open is refused") {
    RocksEngine engine;
    const auto first = engine.open();
    const auto second = RocksLog::open({.path = engine.folder / "log"});
    REQUIRE_FALSE(second.has_value());
    CHECK_EQ(second.error().code, Code::unavailable);
    CHECK(second.error().detail.contains("another process"));
}

TEST_CASE("a log that ends before its mark is refused") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    append_many(**engine.open(), chain, 10);
    engine.save("log");
    append_many(**engine.open(), chain, 10);

    SUBCASE("an older copy of its folder was put back") { engine.restore("log"); }
    SUBCASE("its WAL was deleted") {
        for (const fs::path& file : engine.wal_files()) fs::remove(file);
    }
    SUBCASE("its WAL was cut in half") {
        for (const fs::path& file : engine.wal_files()) {
            fs::resize_file(file, fs::file_size(file) / 2);
        }
    }
    SUBCASE("its last acknowledged record was torn off") {
        for (const fs::path& file : engine.wal_files()) {
            fs::resize_file(file, fs::file_size(file) - 37);
        }
    }
    SUBCASE("it is gone") { fs::remove_all(engine.path()); }
    SUBCASE("its mark is gone") { fs::remove(engine.mark()); }
    SUBCASE("its mark is not a mark") { std::ofstream(engine.mark()) << "something else"; }
    SUBCASE("it was replaced by another log of the same length") {
        fs::remove_all(engine.path());
        fs::rename(engine.mark(), engine.folder / "mark-of-the-first");
        Chain other(tenant("other"));
        append_many(**engine.open(), other, 20);
        fs::rename(engine.folder / "mark-of-the-first", engine.mark());
    }
    check_refused(engine);

    // The operator has looked, and takes what there is.
    engine.accept_end = true;
    REQUIRE(engine.open().has_value());
    engine.accept_end = false;
    const auto accepted = engine.open();
    REQUIRE(accepted.has_value());
    CHECK(verify_chain(**accepted, chain.tenant()).has_value());
}

TEST_CASE("a log damaged in its middle is refused") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    append_many(**engine.open(), chain, 20);
    const fs::path wal = engine.wal_files().front();
    std::fstream file(wal, std::ios::in | std::ios::out | std::ios::binary);
    const auto middle = static_cast<std::streamoff>(fs::file_size(wal) / 2);
    file.seekg(middle);
    const int byte = file.get();
    file.seekp(middle);
    file.put(static_cast<char>(byte ^ 1));
    file.close();
    CHECK_EQ(code(engine.open()), Code::corrupt);
}

TEST_CASE("a record torn by a crash is dropped, for it was never acknowledged") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    append_many(**engine.open(), chain, 5);
    const Head acknowledged = chain.head();
    {
        const auto log = engine.open().value();
        engine.save("log.mark");
        append_many(*log, chain, 1);
    }
    engine.restore("log.mark");
    const fs::path wal = engine.wal_files().back();
    fs::resize_file(wal, fs::file_size(wal) - 37);
    const auto log = engine.open();
    REQUIRE(log.has_value());
    CHECK_EQ((*log)->head(chain.tenant()).value(), acknowledged);
}

TEST_CASE("a log longer than its mark opens: the crash came before the mark") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    append_many(**engine.open(), chain, 5);
    engine.save("log");
    engine.save("log.mark");
    append_many(**engine.open(), chain, 5);
    engine.restore("log.mark");
    REQUIRE(engine.open().has_value());
    // And the mark has caught up: the log may not fall back any more.
    engine.restore("log");
    check_refused(engine);
}

TEST_CASE("a torn slot of the mark leaves the one before it") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    append_many(**engine.open(), chain, 5);
    for (const std::streamoff slot : {0, 4096}) {
        engine.save("log.mark");
        std::fstream(engine.mark(), std::ios::in | std::ios::out | std::ios::binary)
            .seekp(slot + 20)
            .put('\x55');
        CHECK(engine.open().has_value());
        engine.restore("log.mark");
        fs::remove(engine.folder / "saved-log.mark");
    }
}

TEST_CASE("an acknowledged record survives the loss of power") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    for (int round = 0; round < 5; ++round) {
        auto log = engine.open();
        REQUIRE(log.has_value());
        append_many(**log, chain, 7);
        engine.disk.cut_power();
        log->reset();
        engine.disk.restore_power();
    }
    const auto log = engine.open();
    REQUIRE(log.has_value());
    CHECK_EQ(verify_chain(**log, chain.tenant()).value().head, chain.head());
}

TEST_CASE("with too little space an append is refused, and taken when there is space again") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    const auto log = engine.open().value();
    append_many(*log, chain, 3);
    engine.disk.set_free_bytes(1024 * 1024);
    for (int i = 0; i < 2; ++i) {
        Chain refused = chain;
        CHECK_EQ(code(append(*log, refused.next())), Code::full);
    }
    CHECK(verify_chain(*log, chain.tenant()).has_value());
    engine.disk.set_free_bytes(std::uint64_t{1} << 40);
    append_many(*log, chain, 3);
    CHECK_FALSE(engine.died());
}

TEST_CASE("a WAL write that meets a full disk loses nothing") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    int before = 0;
    SUBCASE("as the first record of all") {}
    SUBCASE("after others") { before = 3; }
    auto log = engine.open().value();
    append_many(*log, chain, before);

    engine.disk.on_operation(
        on(FaultyDisk::Operation::append, FaultyDisk::Outcome::no_space, ".log"));
    const Head head = chain.head();
    for (int i = 0; i < 2; ++i) {
        Chain refused = chain;
        CHECK_EQ(code(append(*log, refused.next())), Code::full);
    }
    CHECK_EQ(log->head(chain.tenant()).value(), head);

    engine.disk.heal();
    append_many(*log, chain, 3);
    CHECK_EQ(verify_chain(*log, chain.tenant()).value().head, chain.head());

    SUBCASE("and a crash follows") { engine.disk.cut_power(); }
    SUBCASE("and a clean stop follows") {}
    log.reset();
    engine.disk.restore_power();
    const auto again = engine.open();
    REQUIRE(again.has_value());
    CHECK_EQ(verify_chain(**again, chain.tenant()).value().head, chain.head());
    CHECK_FALSE(engine.died());
}

TEST_CASE("a disk that stays full is survived for as long as it stays") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    const auto log = engine.open().value();
    append_many(*log, chain, 3);
    engine.disk.on_operation([](FaultyDisk::Operation operation, const std::string& path) {
        const bool data = is_wal(path) || path.ends_with(".sst") || path.contains("MANIFEST");
        return operation == FaultyDisk::Operation::append && data ? FaultyDisk::Outcome::no_space
                                                                  : FaultyDisk::Outcome::ok;
    });
    for (int i = 0; i < 4; ++i) {
        Chain refused = chain;
        CHECK_EQ(code(append(*log, refused.next())), Code::full);
        // A shard that cannot read does not append either, so that nobody would find space again.
        CHECK_EQ(verify_chain(*log, chain.tenant()).value().head, chain.head());
    }
    engine.disk.heal();
    append_many(*log, chain, 3);
    CHECK_EQ(verify_chain(*log, chain.tenant()).value().head, chain.head());
    CHECK_FALSE(engine.died());
}

TEST_CASE("a failed sync ends the process and acknowledges nothing") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    const auto log = engine.open().value();
    append_many(*log, chain, 3);
    auto outcome = FaultyDisk::Outcome::io_error;
    SUBCASE("with an input/output error") {}
    SUBCASE("with a full disk") { outcome = FaultyDisk::Outcome::no_space; }
    engine.disk.on_operation(on(FaultyDisk::Operation::sync, outcome, ".log"));
    CHECK_FALSE(append(*log, chain.next()).has_value());
    CHECK(engine.died());
}

TEST_CASE("a failed write of the WAL ends the process and acknowledges nothing") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    const auto log = engine.open().value();
    append_many(*log, chain, 3);
    engine.disk.on_operation(
        on(FaultyDisk::Operation::append, FaultyDisk::Outcome::io_error, ".log"));
    CHECK_EQ(code(append(*log, chain.next())), Code::unknown);
    CHECK(engine.died());
    CHECK_EQ(code(append(*log, chain.next())), Code::unavailable);
}

TEST_CASE("a mark that cannot be synced ends the process, and the next group is not acknowledged") {
    FaultyEngine engine;
    Chain chain(tenant("acme"));
    const auto log = engine.open().value();
    append_many(*log, chain, 3);
    engine.disk.on_operation(
        on(FaultyDisk::Operation::sync, FaultyDisk::Outcome::io_error, ".mark"));
    // The mark of the third record may be on its way or written already.
    Result<Head> outcome = Head{};
    for (int i = 0; i < 3 && outcome; ++i) outcome = append(*log, chain.next());
    CHECK_EQ(code(outcome), Code::unknown);
    CHECK(engine.died());
}

TEST_CASE("a full queue refuses at once and in order") {
    FaultyEngine engine;
    std::latch writing(1);
    std::latch go(1);
    std::atomic<int> writes = 0;
    engine.before_write = [&]() -> Result<void> {
        if (writes++ == 0) {
            writing.count_down();
            go.wait();
        }
        return {};
    };
    engine.queue_records_max = 2;
    Chain chain(tenant("acme"));
    const auto log = engine.open().value();
    Answers answers;
    log->append(chain.next(), answers.done());
    writing.wait();
    for (int i = 0; i < 3; ++i) log->append(chain.next(), answers.done());
    CHECK_EQ(answers.count(), 0);
    go.count_down();
    const auto outcomes = answers.wait_for(4);
    CHECK(outcomes[0].has_value());
    CHECK(outcomes[1].has_value());
    CHECK(outcomes[2].has_value());
    CHECK_EQ(code(outcomes[3]), Code::unavailable);
}

TEST_CASE("nothing is written when what must come before it fails") {
    FaultyEngine engine;
    bool ready = false;
    engine.before_write = [&]() -> Result<void> {
        if (ready) return {};
        return fail(Code::full, "keys");
    };
    Chain chain(tenant("acme"));
    const auto log = engine.open().value();
    Chain refused = chain;
    CHECK_EQ(code(append(*log, refused.next())), Code::unavailable);
    ready = true;
    append_many(*log, chain, 1);
}

TEST_CASE("the end of the process is at once and says why") {
    const pid_t child = ::fork();
    REQUIRE_GE(child, 0);
    if (child == 0) {
        ::close(STDERR_FILENO);
        end_process("test");
    }
    int status = 0;
    REQUIRE_EQ(::waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 74);
}

}  // namespace bos::eventstore
