#pragma once

#include "eventstore/end_process.h"
#include "eventstore/index_tail.h"
#include "eventstore/step.h"

#include <functional>
#include <thread>

namespace bos::eventstore {

/// A thread that moves what is full in the tail to the tables. While the disk is full it tries
/// again and again; any other error is the end. With a `post` it has no thread, and each segment is
/// a step.
class LogIndexer {
  public:
    /// Moves the oldest full segment of the tail, if there is one. Errors: full = it is still
    /// there.
    using Move = std::function<Result<void>()>;

    enum class Priority {
        low,   ///< behind those who append: nobody waits for the index unless the tail is full
        same,  ///< a replica that is filled does wait for it
    };

    /// `tail` outlives it.
    LogIndexer(IndexTail& tail, Move move, Fatal fatal, Priority priority, Post post = {});
    /// Ends after the segment under way.
    ~LogIndexer();
    LogIndexer(const LogIndexer&) = delete;
    LogIndexer& operator=(const LogIndexer&) = delete;

    /// Without a thread: moves until the tail has room, or is stuck. Before the writer waits for
    /// it.
    void make_room();
    /// Without a thread: posts a step if a segment is full. After each write.
    void look();

  private:
    void run();
    /// One segment. False: it is still there.
    bool move_one();

    IndexTail& tail_;
    const Move move_;
    const Fatal fatal_;
    const Priority priority_;
    const Post post_;
    std::thread thread_;
};

}  // namespace bos::eventstore
