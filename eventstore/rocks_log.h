#pragma once

#include "eventstore/committer.h"
#include "eventstore/event_log.h"

#include <memory>
#include <string>

namespace bos::eventstore {

struct RocksLogOptions {
    /// The database's folder. Beside it stand <path>.mark (the high-water mark: a copy of the
    /// folder alone does not turn it back) and <path>.lock. Its parent exists.
    std::string path;
    rocksdb::Env* env = nullptr;  ///< null = the machine's
    std::size_t queue_records_max = 16'384;
    std::size_t queue_bytes_max = 64 * 1024 * 1024;
    std::size_t cache_bytes = 64 * 1024 * 1024;
    std::size_t memtable_bytes = 32 * 1024 * 1024;
    std::size_t bulk_entries = LogTablesOptions{}.bulk_entries;
    /// Appends get `full` when less than this is free, so that the database can always flush.
    std::uint64_t free_bytes_min = 128 * 1024 * 1024;
    /// See CommitterOptions::before_write.
    std::function<Result<void>()> before_write = [] { return Result<void>(); };
    /// For an operator who has checked that the log on disk is what there is: takes its end as the
    /// truth and writes the mark anew. What lay beyond is given up.
    bool accept_end = false;
    Fatal fatal = end_process;
    /// None = threads of its own. Else the log has none: what they do comes as steps, and who runs
    /// them decides in which order groups, marks and parts of the index are written. Steps are run
    /// or dropped before the log goes.
    Post post = {};
};

/// The embedded engine: one RocksDB for all tenants of the machine, written by one thread that
/// groups what waits. An acknowledged record survives a crash and a power loss; a log that ends
/// before what was acknowledged does not open (window: see mark_writer.h).
///
/// Thread-safe.
class RocksLog final : public EventLog {
  public:
    /// Errors: corrupt when the log is damaged, or ends before its mark, or one of the two is
    /// missing: the detail says what was found, what was expected and what to do. unavailable when
    /// another process has the log.
    [[nodiscard]] static Result<std::unique_ptr<RocksLog>> open(RocksLogOptions options);
    ~RocksLog() override;

    void append(std::string record, AppendDone done) override;
    [[nodiscard]] Result<Head> head(const TenantId& tenant) const override;
    [[nodiscard]] Result<std::string> read(const TenantId& tenant,
                                           Position position) const override;
    [[nodiscard]] Result<void> scan(const TenantId& tenant, Position from, Position to,
                                    const Visit& visit) const override;
    [[nodiscard]] Result<void> scan_links(const TenantId& tenant, Position from, Position to,
                                          const VisitLink& visit) const override;
    [[nodiscard]] Result<std::vector<EventAddress>> stream(const TenantId& tenant,
                                                           const StreamId& stream, Version from,
                                                           std::size_t limit) const override;
    [[nodiscard]] Result<std::optional<Position>> find_key(const TenantId& tenant,
                                                           std::string_view key) const override;
    [[nodiscard]] Result<std::vector<TenantId>> tenants() const override;
    /// Writes what is queued. Not from a done.
    void stop() override;

  private:
    struct Parts;
    explicit RocksLog(std::unique_ptr<Parts> parts);

    const std::unique_ptr<Parts> parts_;
};

}  // namespace bos::eventstore
