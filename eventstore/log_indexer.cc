#include "eventstore/log_indexer.h"

#include "eventstore/this_thread.h"

#include <chrono>
#include <sys/resource.h>
#include <tuple>
#include <utility>

namespace bos::eventstore {

namespace {

constexpr int behind_appends = 10;  // nice
constexpr auto between_tries = std::chrono::milliseconds(200);

}  // namespace

LogIndexer::LogIndexer(IndexTail& tail, Move move, Fatal fatal, Priority priority, Post post)
    : tail_(tail),
      move_(std::move(move)),
      fatal_(std::move(fatal)),
      priority_(priority),
      post_(std::move(post)) {
    if (!post_) thread_ = std::thread([this] { run(); });
}

LogIndexer::~LogIndexer() {
    tail_.stop();
    if (thread_.joinable()) thread_.join();
}

void LogIndexer::make_room() {
    if (!post_) return;
    while (!tail_.has_room()) {
        if (!move_one()) return;
    }
}

void LogIndexer::look() {
    if (!post_ || !tail_.oldest_full()) return;
    post_([this] {
        if (move_one()) look();
    });
}

void LogIndexer::run() {
    this_thread_is("log indexer");
    if (priority_ == Priority::low) {
        std::ignore = ::setpriority(PRIO_PROCESS, 0, behind_appends);  // on Linux, of this thread
    }
    while (tail_.wait_for_full()) {
        if (!move_one()) tail_.pause(between_tries);
    }
}

bool LogIndexer::move_one() {
    const Result<void> moved = move_();
    if (moved) return true;
    tail_.stuck(moved.error());
    if (moved.error().code != Code::full) {
        fatal_("the log's index cannot be written: " + moved.error().detail);
        tail_.stop();
    }
    return false;
}

}  // namespace bos::eventstore
