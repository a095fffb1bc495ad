#include "eventstore/tail_mover.h"

#include "eventstore/index_tail.h"
#include "eventstore/record_tail.h"
#include "eventstore/this_thread.h"

#include <fmt/format.h>

#include <chrono>
#include <sys/resource.h>
#include <tuple>
#include <utility>

namespace bos::eventstore {

namespace {

constexpr int behind_appends = 10;  // nice
constexpr auto between_tries = std::chrono::milliseconds(200);

}  // namespace

template <class Tail>
TailMover<Tail>::TailMover(Tail& tail, Move move, Fatal fatal, const char* name, Priority priority,
                           Post post)
    : tail_(tail),
      move_(std::move(move)),
      fatal_(std::move(fatal)),
      name_(name),
      priority_(priority),
      post_(std::move(post)) {
    if (!post_) thread_ = std::thread([this] { run(); });
}

template <class Tail>
TailMover<Tail>::~TailMover() {
    tail_.stop();
    if (thread_.joinable()) thread_.join();
}

template <class Tail>
void TailMover<Tail>::make_room() {
    if (!post_) return;
    while (!tail_.has_room()) {
        if (!move_one()) return;
    }
}

template <class Tail>
void TailMover<Tail>::look() {
    if (!post_ || !tail_.oldest_full()) return;
    post_([this] {
        if (move_one()) look();
    });
}

template <class Tail>
void TailMover<Tail>::run() {
    this_thread_is(name_);
    if (priority_ == Priority::low) {
        std::ignore = ::setpriority(PRIO_PROCESS, 0, behind_appends);  // on Linux, of this thread
    }
    while (tail_.wait_for_full()) {
        if (!move_one()) tail_.pause(between_tries);
    }
}

template <class Tail>
bool TailMover<Tail>::move_one() {
    const Result<void> moved = move_();
    if (moved) return true;
    tail_.stuck(moved.error());
    if (moved.error().code != Code::full) {
        fatal_(
            fmt::format("{}: the log's tables cannot be written: {}", name_, moved.error().detail));
        tail_.stop();
    }
    return false;
}

template class TailMover<IndexTail>;
template class TailMover<RecordTail>;

}  // namespace bos::eventstore
