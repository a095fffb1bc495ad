#include "eventstore/mark_writer.h"

#include "eventstore/this_thread.h"

#include <utility>

namespace bos::eventstore {

MarkWriter::MarkWriter(HighWaterMark file, Fatal fatal, Post post)
    : fatal_(std::move(fatal)),
      post_(std::move(post)),
      published_(file.last()),
      written_(file.last().sequence),
      file_(std::move(file)) {
    if (!post_) thread_ = std::thread([this] { run(); });
}

MarkWriter::~MarkWriter() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (post_) {
        step();
    } else {
        thread_.join();
    }
}

void MarkWriter::publish(const Mark& mark) {
    {
        const std::lock_guard lock(mutex_);
        published_ = mark;
    }
    if (post_) return post_([this] { step(); });
    changed_.notify_all();
}

bool MarkWriter::wait_for(std::uint64_t sequence) {
    std::unique_lock lock(mutex_);
    if (post_ && written_ < sequence) return !failed_ && write_newest(lock);
    changed_.wait(lock, [&] { return failed_ || written_ >= sequence; });
    return !failed_;
}

void MarkWriter::run() {
    this_thread_is("mark writer");
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return stopping_ || published_.sequence > written_; });
        if (published_.sequence == written_) return;
        if (!write_newest(lock)) return;
    }
}

void MarkWriter::step() {
    std::unique_lock lock(mutex_);
    if (!failed_ && published_.sequence > written_) write_newest(lock);
}

bool MarkWriter::write_newest(std::unique_lock<std::mutex>& lock) {
    const Mark mark = published_;
    lock.unlock();
    const Result<void> advanced = file_.advance(mark);
    if (!advanced) {
        fatal_("the log's high-water mark cannot be written: " + advanced.error().detail);
    }
    lock.lock();
    if (advanced) {
        written_ = mark.sequence;
    } else {
        failed_ = true;
    }
    changed_.notify_all();
    return advanced.has_value();
}

}  // namespace bos::eventstore
