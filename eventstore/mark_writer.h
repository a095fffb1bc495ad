#pragma once

#include "eventstore/end_process.h"
#include "eventstore/high_water_mark.h"
#include "eventstore/step.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace bos::eventstore {

/// Moves the mark behind the log on a thread of its own, so that its sync runs beside the next
/// group's and no commit waits for two syncs in a row.
///
/// The mark must never say more than the log holds (a crash would then refuse a sound log), so it
/// cannot be synced before its group. Written beside the *next* group it costs nothing; what
/// remains is a window: a loss of exactly the last acknowledged group is not noticed if it happens
/// before the mark's sync ended, some hundred microseconds after the acknowledgement. Every older
/// group is witnessed, for the committer waits for a group's mark before it acknowledges the group
/// after it.
///
/// Thread-safe.
class MarkWriter {
  public:
    /// `fatal` is called when the mark cannot be written.
    MarkWriter(HighWaterMark file, Fatal fatal, Post post = {});
    /// Writes what was published last, then ends the thread.
    ~MarkWriter();
    MarkWriter(const MarkWriter&) = delete;
    MarkWriter& operator=(const MarkWriter&) = delete;

    /// The log is durable up to `mark`.
    void publish(const Mark& mark);

    /// Blocks until the file holds `sequence` or a later one. False: the mark cannot be written.
    [[nodiscard]] bool wait_for(std::uint64_t sequence);

  private:
    void run();
    void step();
    /// Writes what was published last, with mutex_ released meanwhile. False: it cannot be written.
    bool write_newest(std::unique_lock<std::mutex>& lock);

    const Fatal fatal_;
    const Post post_;

    std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_.
    Mark published_;
    std::uint64_t written_;
    bool failed_ = false;
    bool stopping_ = false;

    // Touched only on thread_ once it runs, or in steps.
    HighWaterMark file_;

    std::thread thread_;
};

}  // namespace bos::eventstore
