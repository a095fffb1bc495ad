#include "eventstore/log_reader.h"

#include "eventstore/high_water_mark.h"
#include "eventstore/log_tables.h"

#include <fmt/format.h>

#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

namespace bos::eventstore {

namespace {

/// How often files are looked at before what they seem to hold is believed to be broken. The
/// process that writes moves records from one file to another, and deletes the first: a reader
/// without its lock may open the files in between.
constexpr int looks_max = 4;
constexpr auto between_looks = std::chrono::milliseconds(50);

bool may_be_in_between(const Error& error) {
    return error.code == Code::corrupt || error.code == Code::unavailable;
}

/// `look(first)` until it finds nothing wrong, or it is wrong for good.
template <class Look>
auto look_again(const Look& look) {
    auto found = look(1);
    for (int i = 2; i <= looks_max && !found && may_be_in_between(found.error()); ++i) {
        std::this_thread::sleep_for(between_looks);
        found = look(i);
    }
    return found;
}

/// Where the log ends beside where its mark says that it ends. The mark is read first, so that what
/// is written meanwhile makes the log longer, not shorter.
struct Opened {
    std::unique_ptr<LogTables> tables;
    std::optional<Mark> mark;
    Mark end;

    [[nodiscard]] bool reaches_mark() const { return !mark || end.sequence >= mark->sequence; }
};

Result<Opened> open_files(const std::string& path) {
    Opened opened;
    BOS_TRY(const auto mark, HighWaterMark::open(*rocksdb::Env::Default(), path + ".mark"));
    if (mark) opened.mark = mark->last();
    BOS_TRY(opened.tables,
            LogTables::open({.path = path, .env = rocksdb::Env::Default(), .read_only = true}));
    BOS_CHECK(opened.tables->check_index());
    BOS_TRY(opened.end, opened.tables->end());
    return opened;
}

/// `seen` is how far the log was known to reach; the mark can be one group behind. A log that is
/// too short for good is opened all the same: check_mark() tells what is wrong.
Result<Opened> open_whole(const std::string& path, const Mark& seen) {
    return look_again([&](int look) -> Result<Opened> {
        BOS_TRY(Opened now, open_files(path));
        const bool whole = now.reaches_mark() && now.end.sequence >= seen.sequence;
        if (look < looks_max && !whole)
            return fail(Code::unavailable, "the log is being moved from file to file");
        return now;
    });
}

class LogReader final : public EventLog {
    // First, since the others need its type.
    template <class Read>
    auto reading(const Read& read) const {
        return look_again([&](int look) -> decltype(read(*opened_->tables)) {
            if (look > 1) BOS_CHECK(reopen());
            const std::shared_ptr<const Opened> opened = this->opened();
            return read(*opened->tables);
        });
    }
    std::shared_ptr<const Opened> opened() const {
        const std::scoped_lock lock(mutex_);
        return opened_;
    }

    /// Never to an earlier end: what was read once is there.
    Result<void> reopen() const {
        const std::scoped_lock lock(mutex_);
        BOS_TRY(Opened now, open_whole(path_, opened_->end));
        if (now.end.sequence < opened_->end.sequence)
            return fail(Code::corrupt, "the log ends before what was read of it");
        opened_ = std::make_shared<const Opened>(std::move(now));
        return {};
    }

  public:
    LogReader(std::string path, Opened opened)
        : path_(std::move(path)), opened_(std::make_shared<const Opened>(std::move(opened))) {}

    void append(std::string, AppendDone done) override {
        done(fail(Code::unavailable, "this log was opened for reading only"));
    }
    [[nodiscard]] Result<Head> head(const TenantId& tenant) const override {
        return reading([&](const LogTables& tables) { return tables.head(tenant); });
    }
    [[nodiscard]] Result<std::string> read(const TenantId& tenant,
                                           Position position) const override {
        return reading([&](const LogTables& tables) { return tables.read(tenant, position); });
    }
    [[nodiscard]] Result<void> scan(const TenantId& tenant, Position from, Position to,
                                    const Visit& visit) const override {
        return scan_links(tenant, from, to,
                          [&visit](Position at, const Link&, std::string_view record) {
                              return visit(at, record);
                          });
    }
    [[nodiscard]] Result<void> scan_links(const TenantId& tenant, Position from, Position to,
                                          const VisitLink& visit) const override {
        bool stopped = false;
        const auto visit_once = [&](Position at, const Link& link, std::string_view record) {
            from = at.next();
            stopped = !visit(at, link, record);
            return !stopped;
        };
        return reading([&](const LogTables& tables) -> Result<void> {
            if (stopped || from > to) return {};
            return tables.scan_links(tenant, from, to, visit_once);
        });
    }
    [[nodiscard]] Result<std::vector<EventAddress>> stream(const TenantId& tenant,
                                                           const StreamId& stream, Version from,
                                                           std::size_t limit) const override {
        return reading(
            [&](const LogTables& tables) { return tables.stream(tenant, stream, from, limit); });
    }
    [[nodiscard]] Result<std::optional<Position>> find_key(const TenantId& tenant,
                                                           std::string_view key) const override {
        return reading([&](const LogTables& tables) { return tables.find_key(tenant, key); });
    }
    [[nodiscard]] Result<std::vector<TenantId>> tenants() const override {
        return reading([](const LogTables& tables) { return tables.tenants(); });
    }
    void stop() override {}

  private:
    const std::string path_;
    mutable std::mutex mutex_;
    mutable std::shared_ptr<const Opened> opened_;  ///< guarded by mutex_; kept by who reads
};

}  // namespace

Result<std::unique_ptr<EventLog>> open_log_for_reading(const std::string& path) {
    BOS_TRY(Opened opened, open_whole(path, {}));
    return std::unique_ptr<EventLog>(std::make_unique<LogReader>(path, std::move(opened)));
}

Result<void> check_mark(const std::string& path) {
    return look_again([&](int) -> Result<void> {
        BOS_TRY(const Opened opened, open_files(path));
        if (!opened.mark && opened.end.sequence > 0)
            return fail(Code::corrupt, "the log has no mark " + path + ".mark");
        if (!opened.reaches_mark()) {
            return fail(
                Code::corrupt,
                fmt::format("the log ends at record {} of all tenants; {} were acknowledged",
                            opened.end.sequence, opened.mark->sequence));
        }
        return {};
    });
}

}  // namespace bos::eventstore
