#pragma once

#include "eventstore/end_process.h"
#include "eventstore/event_log.h"
#include "eventstore/group_wait.h"
#include "eventstore/log_tables.h"
#include "eventstore/mark_writer.h"
#include "eventstore/step.h"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace bos::eventstore {

struct CommitterOptions {
    std::size_t queue_records_max = 16'384;
    std::size_t queue_bytes_max = 64 * 1024 * 1024;
    /// Bounds what waits behind one write; larger groups gain nothing.
    std::size_t group_bytes_max = 4 * 1024 * 1024;
    /// Below this much free disk appends get `full` before anything is written, and the database
    /// keeps room to flush.
    std::uint64_t free_bytes_min = 128 * 1024 * 1024;
    /// Runs before each write; its error refuses the group. Keys must be durable before the first
    /// record that names them: KeyStore::sync goes here.
    std::function<Result<void>()> before_write = [] { return Result<void>(); };
    Fatal fatal = end_process;
    Post post = {};  ///< none = a thread of its own
};

/// One thread that writes what waits, across tenants, in one synced write, and answers it. With a
/// `post` it has no thread, and each group is a step.
///
/// Thread-safe.
class Committer {
  public:
    /// `tables` and `marks` outlive the committer; `end` is the log's end.
    Committer(LogTables& tables, MarkWriter& marks, const Mark& end, CommitterOptions options);
    ~Committer();
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    /// Verifies and hashes on the caller's thread, then queues. `done` runs on the committer's
    /// thread or in a step, except after stop(), when it runs here.
    void push(std::string record, AppendDone done);

    /// Writes and answers what is queued (here, without a thread), then ends. Not from a done.
    void stop();

  private:
    struct Waiting {
        std::optional<IndexedRecord> record;  ///< none: refused; waits only to be answered in order
        AppendDone done;
        Result<Head> outcome;
    };
    using Group = std::vector<Waiting>;

    void admit_or_refuse(Waiting& waiting);
    /// With mutex_ held.
    void wake();
    void step();
    void run();
    void wait_for_group(std::unique_lock<std::mutex>& lock);
    /// What waits, in place of what `group` had. False: there is nothing, and with a thread there
    /// never will be.
    [[nodiscard]] bool take_group(Group& group);
    void commit(Group& group);
    [[nodiscard]] Result<void> become_writable();
    [[nodiscard]] Result<Head> chain(const RecordIndex& index);
    [[nodiscard]] Result<void> write(std::span<const RecordView> records);
    [[nodiscard]] Result<void> check_space(std::uint64_t record_bytes) const;
    [[nodiscard]] std::unexpected<Error> lost(std::string message);

    // Constant after construction.
    LogTables& tables_;
    MarkWriter& marks_;
    const CommitterOptions options_;

    std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_.
    Group queue_;
    std::size_t queue_records_ = 0;  ///< without the refused ones, which hold no bytes
    std::size_t queue_bytes_ = 0;
    std::size_t wakes_at_ = 1;  ///< so many in the queue wake the thread
    bool stopping_ = false;
    bool ended_ = false;  ///< nothing is taken any more

    // Touched only on thread_ once it runs, or in steps.
    Mark end_;
    std::unordered_map<TenantId, Head> heads_;  ///< of the log and of the group being built
    GroupWait group_wait_;
    bool full_ = false;  ///< the database met a full disk and wants to be reopened
    bool lost_ = false;  ///< `fatal` was called and came back (tests)

    std::mutex stop_mutex_;  ///< held while joining
    std::thread thread_;
};

}  // namespace bos::eventstore
