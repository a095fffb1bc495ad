#include "eventstore/rocks_log.h"

#include "eventstore/durable_file.h"
#include "eventstore/fail_stop_fs.h"
#include "eventstore/file_lock.h"
#include "eventstore/log_tables.h"
#include "eventstore/mark_writer.h"
#include "eventstore/rocks_status.h"
#include "schemas/base/digest.h"

#include <fmt/format.h>

#include <utility>

namespace bos::eventstore {

namespace {

/// Compares the log on disk with its mark when it is opened.
class WitnessedOpen {
  public:
    WitnessedOpen(const RocksLogOptions& options, rocksdb::Env& env)
        : options_(options), env_(env), mark_path_(options.path + ".mark") {}

    struct Opened {
        std::unique_ptr<LogTables> tables;
        HighWaterMark mark;
    };

    [[nodiscard]] Result<Opened> open() {
        BOS_TRY(std::optional<HighWaterMark> mark, open_mark());
        BOS_TRY(const bool exists, database_exists());
        if (!exists) {
            if (mark && mark->last().sequence > 0 && !options_.accept_end) {
                return refuse("no log at all", expected(mark->last()));
            }
            // The mark first: a log without one is refused, an empty mark without a log is not.
            if (!mark) {
                BOS_TRY(mark, HighWaterMark::create(env_, mark_path_, Mark{}));
            }
        }
        BOS_TRY(auto tables, LogTables::open({.path = options_.path,
                                              .env = &env_,
                                              .fatal = options_.fatal,
                                              .cache_bytes = options_.cache_bytes,
                                              .memtable_bytes = options_.memtable_bytes,
                                              .bulk_entries = options_.bulk_entries,
                                              .post = options_.post}));
        // Each time: a process that made the folder may have ended before this line.
        BOS_CHECK(sync_parent_folder(env_, options_.path));
        BOS_TRY(const Mark end, tables->end());
        BOS_TRY(HighWaterMark checked, check(*tables, end, std::move(mark)));
        return Opened{.tables = std::move(tables), .mark = std::move(checked)};
    }

  private:
    [[nodiscard]] Result<std::optional<HighWaterMark>> open_mark() const {
        Result<std::optional<HighWaterMark>> mark = HighWaterMark::open(env_, mark_path_);
        if (mark || mark.error().code != Code::corrupt) return mark;
        if (options_.accept_end) return std::nullopt;
        return refuse("a damaged mark (" + mark.error().detail + ")", "a whole mark");
    }

    [[nodiscard]] Result<bool> database_exists() const {
        const rocksdb::Status status = env_.FileExists(options_.path + "/CURRENT");
        if (status.IsNotFound()) return false;
        BOS_ROCKS(status, "look for a log in " + options_.path);
        return true;
    }

    [[nodiscard]] Result<HighWaterMark> check(LogTables& tables, const Mark& end,
                                              std::optional<HighWaterMark> mark) const {
        const Result<void> sound_index = tables.check_index();
        if (options_.accept_end) {
            if (!sound_index) BOS_CHECK(tables.reindex());
            return HighWaterMark::create(env_, mark_path_, end);
        }
        if (!mark) {
            if (end.sequence > 0) return refuse(found(end) + " and no mark", mark_path_);
            return HighWaterMark::create(env_, mark_path_, end);
        }
        const Mark witnessed = mark->last();
        if (end.sequence < witnessed.sequence) return refuse(found(end), expected(witnessed));
        if (witnessed.sequence > 0) {
            BOS_TRY(const std::string record, tables.record(witnessed.sequence));
            if (hash_of(record) != witnessed.hash) {
                return refuse(fmt::format("another record {}, with hash {}", witnessed.sequence,
                                          to_hex(hash_of(record))),
                              expected(witnessed));
            }
        }
        if (!sound_index)
            return refuse(sound_index.error().detail, "records as far as their index");
        // A crash came between a group and its mark.
        if (end != witnessed) BOS_CHECK(mark->advance(end));
        return *std::move(mark);
    }

    static std::string found(const Mark& end) {
        return fmt::format("a log that ends at record {}", end.sequence);
    }

    [[nodiscard]] std::string expected(const Mark& mark) const {
        return fmt::format("record {} with hash {}, which {} witnesses as acknowledged",
                           mark.sequence, to_hex(mark.hash), mark_path_);
    }

    [[nodiscard]] std::unexpected<Error> refuse(std::string_view found,
                                                std::string_view expected) const {
        return fail(
            Code::corrupt,
            fmt::format("the log in {} is refused. Found: {}. Expected: {}. To do: restore {} "
                        "and {} from the same backup, or copy them from a replica. If the rest "
                        "is known to be lost for good, run `bos log accept-end`: it takes the "
                        "log as it is and writes the mark anew",
                        options_.path, found, expected, options_.path, mark_path_));
    }

    const RocksLogOptions& options_;
    rocksdb::Env& env_;
    const std::string mark_path_;
};

}  // namespace

/// In the order in which they come up; they go down in the reverse one.
struct RocksLog::Parts {
    std::unique_ptr<rocksdb::Env> env;
    std::unique_ptr<FileLock> lock;
    std::unique_ptr<LogTables> tables;
    std::unique_ptr<MarkWriter> marks;
    std::unique_ptr<Committer> committer;
};

Result<std::unique_ptr<RocksLog>> RocksLog::open(RocksLogOptions options) {
    auto parts = std::make_unique<Parts>();
    parts->env =
        fail_stop_env(options.env ? *options.env : *rocksdb::Env::Default(), options.fatal);
    BOS_TRY(parts->lock, FileLock::acquire(*parts->env, options.path + ".lock"));
    BOS_TRY(WitnessedOpen::Opened opened, WitnessedOpen(options, *parts->env).open());
    const Mark end = opened.mark.last();
    parts->tables = std::move(opened.tables);
    parts->marks =
        std::make_unique<MarkWriter>(std::move(opened.mark), options.fatal, options.post);
    parts->committer = std::make_unique<Committer>(
        *parts->tables, *parts->marks, end,
        CommitterOptions{.queue_records_max = options.queue_records_max,
                         .queue_bytes_max = options.queue_bytes_max,
                         .free_bytes_min = options.free_bytes_min,
                         .before_write = std::move(options.before_write),
                         .fatal = options.fatal,
                         .post = options.post});
    return std::unique_ptr<RocksLog>(new RocksLog(std::move(parts)));
}

RocksLog::RocksLog(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RocksLog::~RocksLog() { stop(); }

void RocksLog::append(std::string record, AppendDone done) {
    parts_->committer->push(std::move(record), std::move(done));
}

Result<Head> RocksLog::head(const TenantId& tenant) const { return parts_->tables->head(tenant); }

Result<std::string> RocksLog::read(const TenantId& tenant, Position position) const {
    return parts_->tables->read(tenant, position);
}

Result<void> RocksLog::scan(const TenantId& tenant, Position from, Position to,
                            const Visit& visit) const {
    return parts_->tables->scan(tenant, from, to, visit);
}

Result<void> RocksLog::scan_links(const TenantId& tenant, Position from, Position to,
                                  const VisitLink& visit) const {
    return parts_->tables->scan_links(tenant, from, to, visit);
}

Result<std::vector<EventAddress>> RocksLog::stream(const TenantId& tenant, const StreamId& stream,
                                                   Version from, std::size_t limit) const {
    return parts_->tables->stream(tenant, stream, from, limit);
}

Result<std::optional<Position>> RocksLog::find_key(const TenantId& tenant,
                                                   std::string_view key) const {
    return parts_->tables->find_key(tenant, key);
}

Result<std::vector<TenantId>> RocksLog::tenants() const { return parts_->tables->tenants(); }

void RocksLog::stop() { parts_->committer->stop(); }

}  // namespace bos::eventstore
