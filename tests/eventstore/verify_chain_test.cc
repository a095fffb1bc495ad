#include "eventstore/log_reader.h"
#include "eventstore/rocks_log.h"
#include "tests/eventstore/answers.h"
#include "tests/eventstore/records.h"
#include "tests/eventstore/temp_folder.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

// A long chain is followed in pieces by several threads. What is told of it must be what one thread
// would tell that reads from the first record on.

namespace bos::eventstore {

namespace {

using namespace test;

/// Pieces of so many positions: the second begins at this one (see verify_chain.cc).
constexpr std::uint64_t piece = 16 * 1024;
constexpr std::uint64_t length = 2 * piece + piece / 2;

struct Stored {
    std::vector<std::string> records = {};
    Head end = {};
    Position unreadable = {};  ///< 0: none
};

/// Hands out what it is given, as a log does that does not look at its records.
class UncheckedLog final : public EventLog {
  public:
    explicit UncheckedLog(const Stored& stored) : stored_(stored) {}

    void append(std::string, AppendDone done) override { done(fail(Code::unavailable, "")); }
    [[nodiscard]] Result<Head> head(const TenantId&) const override { return stored_.end; }
    [[nodiscard]] Result<std::string> read(const TenantId&, Position at) const override {
        return stored_.records.at(at.value - 1);
    }
    [[nodiscard]] Result<void> scan(const TenantId&, Position from, Position to,
                                    const Visit& visit) const override {
        for (Position at = from; at <= to && at.value <= stored_.records.size(); at = at.next()) {
            if (at == stored_.unreadable)
                return fail(Code::corrupt, fmt::format("no {}", at.value));
            if (!visit(at, stored_.records[at.value - 1])) break;
        }
        return {};
    }
    [[nodiscard]] Result<std::vector<EventAddress>> stream(const TenantId&, const StreamId&,
                                                           Version, std::size_t) const override {
        return {};
    }
    [[nodiscard]] Result<std::optional<Position>> find_key(const TenantId&,
                                                           std::string_view) const override {
        return std::nullopt;
    }
    [[nodiscard]] Result<std::vector<TenantId>> tenants() const override { return {}; }
    void stop() override {}

  private:
    const Stored& stored_;
};

Stored sound_log() {
    Stored log;
    Chain chain(tenant("acme"));
    while (log.records.size() < length) log.records.push_back(chain.next());
    log.end = chain.head();
    return log;
}

template <class Change>
void rewrite(std::string& record, const Change& change) {
    Commit commit = decode(record).value();
    change(commit);
    record = encode(commit);
}

struct Damage {
    std::string what;
    void (*make)(std::string& record);
    std::uint64_t told_after;  ///< positions behind the damaged one
    std::string why;
};

const std::vector<Damage>& damages() {
    static const std::vector<Damage> all{
        {"cut short", [](std::string& record) { record.resize(40); }, 0,
         "record: not a sound buffer"},
        {"of another tenant",
         [](std::string& record) {
             rewrite(record, [](Commit& commit) { commit.tenant = tenant("other"); });
         },
         0, "record belongs to other"},
        {"with another number",
         [](std::string& record) {
             rewrite(record, [](Commit& commit) { commit.position = Position{7'000'000}; });
         },
         0, "record says it is number 7000000"},
        {"chained on another record",
         [](std::string& record) {
             rewrite(record, [](Commit& commit) { commit.previous_hash.bytes.fill(1); });
         },
         0, "previous_hash is not the hash of the record before"},
        {"rewritten",
         [](std::string& record) {
             rewrite(record, [](Commit& commit) { commit.command = "leads.other"; });
         },
         1, "previous_hash is not the hash of the record before"},
    };
    return all;
}

std::string told_of(const Stored& log) {
    const auto verified = verify_chain(UncheckedLog(log), tenant("acme"));
    REQUIRE_FALSE(verified.has_value());
    CHECK_EQ(verified.error().code, Code::corrupt);
    return verified.error().detail;
}

std::string broken_at(std::uint64_t position, const std::string& why) {
    return fmt::format("acme: log is broken at position {}: {}", position, why);
}

}  // namespace

TEST_CASE("of a long chain the first damage is told, on whichever side of a seam it lies") {
    const Stored sound = sound_log();
    REQUIRE_EQ(verify_chain(UncheckedLog(sound), tenant("acme")).value().head, sound.end);
    for (const std::uint64_t at : {std::uint64_t{1}, piece - 1, piece, piece + 1, 2 * piece - 1,
                                   2 * piece, length - 1, length}) {
        for (const Damage& damage : damages()) {
            INFO(damage.what << " at " << at);
            Stored log = sound;
            damage.make(log.records[at - 1]);
            const std::string expected =
                at + damage.told_after > length
                    ? broken_at(length, "the log's head is not the last record")
                    : broken_at(at + damage.told_after, damage.why);
            CHECK_EQ(told_of(log), expected);
            // More of it in the pieces behind.
            for (const std::uint64_t later :
                 {at + damage.told_after + 1, piece + 5, 2 * piece, 2 * piece + 1, length}) {
                if (later > at + damage.told_after && later <= length)
                    log.records[later - 1].resize(40);
            }
            CHECK_EQ(told_of(log), expected);
        }
    }
}

TEST_CASE("a time before that of the record before is told, on whichever side of a seam") {
    for (const std::uint64_t at : {std::uint64_t{2}, piece - 1, piece, piece + 1, length}) {
        INFO(at);
        Stored log;
        Chain chain(tenant("acme"));
        while (log.records.size() < length) {
            const bool early = chain.head().position.next().value == at;
            log.records.push_back(chain.next([&](Commit& commit) {
                if (early) commit.recorded_at -= std::chrono::hours(1'000'000);
            }));
        }
        log.end = chain.head();
        CHECK_EQ(told_of(log), broken_at(at, "recorded_at is before that of the record before"));
    }
}

TEST_CASE("a record that cannot be read is told unless one before it is wrong") {
    const Stored sound = sound_log();
    for (const std::uint64_t at : {std::uint64_t{1}, piece - 1, piece, piece + 1, length}) {
        INFO(at);
        Stored log = sound;
        log.unreadable = Position{at};
        CHECK_EQ(told_of(log), fmt::format("no {}", at));
        if (at == 1) continue;
        log.records[at - 2].resize(40);
        CHECK_EQ(told_of(log), broken_at(at - 1, "record: not a sound buffer"));
    }
}

TEST_CASE("a chain that ends before its head is told, wherever it ends") {
    const Stored sound = sound_log();
    for (const std::uint64_t left : {std::uint64_t{0}, piece - 1, piece, length - 1}) {
        INFO(left);
        Stored log = sound;
        log.records.resize(left);
        CHECK_EQ(told_of(log), broken_at(length, "the log's head is not the last record"));
    }
}

TEST_CASE("chains of every length around a seam verify, with all of their bytes") {
    Stored log;
    Chain chain(tenant("acme"));
    std::uint64_t bytes = 0;
    while (log.records.size() < piece + 3) {
        log.records.push_back(chain.next());
        log.end = chain.head();
        bytes += log.records.back().size();
        const std::uint64_t size = log.records.size();
        if (size > 3 && size < piece - 3) continue;
        INFO(size);
        const Verified verified = verify_chain(UncheckedLog(log), chain.tenant()).value();
        CHECK_EQ(verified.head, chain.head());
        CHECK_EQ(verified.bytes, bytes);
    }
}

TEST_CASE("a long log verifies with its index in tables and in memory, beside its owner too") {
    TempFolder folder;
    Chain chain(tenant("acme"));
    Answers answers;
    const auto log = RocksLog::open({.path = folder / "log", .bulk_entries = 6'000}).value();
    constexpr std::size_t at_once = 1'000;
    for (std::size_t i = 1; i <= length; ++i) {
        log->append(chain.next(), answers.done());
        if (i % at_once == 0) answers.wait_for(i - at_once + 1);
    }
    answers.wait_for(length);
    CHECK_EQ(verify_chain(*log, chain.tenant()).value().head, chain.head());
    CHECK_EQ(
        verify_chain(*open_log_for_reading(folder / "log").value(), chain.tenant()).value().head,
        chain.head());
}

}  // namespace bos::eventstore
