#include "eventstore/log_indexer.h"

#include <chrono>
#include <sys/resource.h>
#include <tuple>
#include <utility>

namespace bos::eventstore {

namespace {

constexpr int behind_appends = 10;  // nice
constexpr auto between_tries = std::chrono::milliseconds(200);

}  // namespace

LogIndexer::LogIndexer(IndexTail& tail, Move move, Fatal fatal, Priority priority)
    : tail_(tail),
      move_(std::move(move)),
      fatal_(std::move(fatal)),
      priority_(priority),
      thread_([this] { run(); }) {}

LogIndexer::~LogIndexer() {
    tail_.stop();
    thread_.join();
}

void LogIndexer::run() {
    if (priority_ == Priority::low) {
        std::ignore = ::setpriority(PRIO_PROCESS, 0, behind_appends);  // on Linux, of this thread
    }
    while (tail_.wait_for_full()) {
        const Result<void> moved = move_();
        if (moved) continue;
        tail_.stuck(moved.error());
        if (moved.error().code != Code::full) {
            fatal_("the log's index cannot be written: " + moved.error().detail);
            return;
        }
        tail_.pause(between_tries);
    }
}

}  // namespace bos::eventstore
