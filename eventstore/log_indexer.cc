#include "eventstore/log_indexer.h"

#include <chrono>
#include <utility>

namespace bos::eventstore {

namespace {

constexpr auto between_tries = std::chrono::milliseconds(200);

}  // namespace

LogIndexer::LogIndexer(IndexTail& tail, Move move, Fatal fatal)
    : tail_(tail), move_(std::move(move)), fatal_(std::move(fatal)), thread_([this] { run(); }) {}

LogIndexer::~LogIndexer() {
    tail_.stop();
    thread_.join();
}

void LogIndexer::run() {
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
