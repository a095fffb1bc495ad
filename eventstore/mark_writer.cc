#include "eventstore/mark_writer.h"

#include <utility>

namespace bos::eventstore {

MarkWriter::MarkWriter(HighWaterMark file, Fatal fatal)
    : fatal_(std::move(fatal)),
      published_(file.last()),
      written_(file.last().sequence),
      file_(std::move(file)),
      thread_([this] { run(); }) {}

MarkWriter::~MarkWriter() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void MarkWriter::publish(const Mark& mark) {
    {
        const std::lock_guard lock(mutex_);
        published_ = mark;
    }
    changed_.notify_all();
}

bool MarkWriter::wait_for(std::uint64_t sequence) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failed_ || written_ >= sequence; });
    return !failed_;
}

void MarkWriter::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return stopping_ || published_.sequence > written_; });
        if (published_.sequence == written_) return;
        const Mark mark = published_;
        lock.unlock();
        const Result<void> advanced = file_.advance(mark);
        if (!advanced) {
            fatal_("the log's high-water mark cannot be written: " + advanced.error().detail);
        }
        lock.lock();
        if (!advanced) {
            failed_ = true;
            changed_.notify_all();
            return;
        }
        written_ = mark.sequence;
        changed_.notify_all();
    }
}

}  // namespace bos::eventstore
