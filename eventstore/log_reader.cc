#include "eventstore/log_reader.h"

#include "eventstore/high_water_mark.h"
#include "eventstore/log_tables.h"

#include <fmt/format.h>

#include <utility>

namespace bos::eventstore {

namespace {

class LogReader final : public EventLog {
  public:
    explicit LogReader(std::unique_ptr<LogTables> tables) : tables_(std::move(tables)) {}

    void append(std::string, AppendDone done) override {
        done(fail(Code::unavailable, "this log was opened for reading only"));
    }
    [[nodiscard]] Result<Head> head(const TenantId& tenant) const override {
        return tables_->head(tenant);
    }
    [[nodiscard]] Result<std::string> read(const TenantId& tenant,
                                           Position position) const override {
        return tables_->read(tenant, position);
    }
    [[nodiscard]] Result<void> scan(const TenantId& tenant, Position from, Position to,
                                    const Visit& visit) const override {
        return tables_->scan(tenant, from, to, visit);
    }
    [[nodiscard]] Result<std::vector<EventAddress>> stream(const TenantId& tenant,
                                                           const StreamId& stream, Version from,
                                                           std::size_t limit) const override {
        return tables_->stream(tenant, stream, from, limit);
    }
    [[nodiscard]] Result<std::optional<Position>> find_key(const TenantId& tenant,
                                                           std::string_view key) const override {
        return tables_->find_key(tenant, key);
    }
    [[nodiscard]] Result<std::vector<TenantId>> tenants() const override {
        return tables_->tenants();
    }
    void stop() override {}

  private:
    const std::unique_ptr<LogTables> tables_;
};

}  // namespace

Result<std::unique_ptr<EventLog>> open_log_for_reading(const std::string& path) {
    BOS_TRY(auto tables,
            LogTables::open({.path = path, .env = rocksdb::Env::Default(), .read_only = true}));
    return std::unique_ptr<EventLog>(std::make_unique<LogReader>(std::move(tables)));
}

/// The mark is read before the log, so that what is written meanwhile makes the log longer, not
/// shorter.
Result<void> check_mark(const std::string& path) {
    BOS_TRY(const auto mark, HighWaterMark::open(*rocksdb::Env::Default(), path + ".mark"));
    BOS_TRY(const auto tables,
            LogTables::open({.path = path, .env = rocksdb::Env::Default(), .read_only = true}));
    BOS_TRY(const Mark end, tables->end());
    if (!mark && end.sequence > 0)
        return fail(Code::corrupt, "the log has no mark " + path + ".mark");
    if (mark && end.sequence < mark->last().sequence) {
        return fail(Code::corrupt,
                    fmt::format("the log ends at record {} of all tenants; {} were acknowledged",
                                end.sequence, mark->last().sequence));
    }
    return {};
}

}  // namespace bos::eventstore
