#pragma once

#include "eventstore/end_process.h"
#include "eventstore/step.h"
#include "schemas/base/result.h"

#include <functional>
#include <thread>

namespace bos::eventstore {

/// A thread that moves what is full in a tail to the tables. While the disk is full it tries again
/// and again; any other error is the end. With a `post` it has no thread, and each part is a step.
/// `Tail`: IndexTail or RecordTail.
template <class Tail>
class TailMover {
  public:
    /// Moves the oldest full part of the tail, if there is one. Errors: full = it is still there.
    using Move = std::function<Result<void>()>;

    enum class Priority {
        low,   ///< behind those who append: nobody waits for it unless the tail is full
        same,  ///< a replica that is filled does wait for it
    };

    /// `tail` outlives it. `name`: as this_thread_is() takes it; static.
    TailMover(Tail& tail, Move move, Fatal fatal, const char* name, Priority priority,
              Post post = {});
    /// Ends after the part under way.
    ~TailMover();
    TailMover(const TailMover&) = delete;
    TailMover& operator=(const TailMover&) = delete;

    /// Without a thread: moves until the tail has room, or is stuck. Before the writer waits for
    /// it.
    void make_room();
    /// Without a thread: posts a step if a part is full. After each write.
    void look();

  private:
    void run();
    /// One part. False: it is still there.
    bool move_one();

    Tail& tail_;
    const Move move_;
    const Fatal fatal_;
    const char* const name_;
    const Priority priority_;
    const Post post_;
    std::thread thread_;
};

}  // namespace bos::eventstore
