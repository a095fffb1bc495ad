#include "eventstore/kafka_opener.h"

#include "eventstore/this_thread.h"

#include <utility>

namespace bos::eventstore {

KafkaOpener::KafkaOpener(KafkaInbox& inbox, Look look)
    : inbox_(inbox), look_(std::move(look)), thread_([this] { run(); }) {}

KafkaOpener::~KafkaOpener() { stop(); }

void KafkaOpener::request(KafkaTenant& tenant, KafkaTenant::Mode mode) {
    const std::lock_guard lock(mutex_);
    requests_.push_back({&tenant, mode});
    changed_.notify_one();
}

void KafkaOpener::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        requests_.clear();
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void KafkaOpener::run() {
    this_thread_is("kafka opener");
    while (true) {
        Request request{};
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
            if (stopping_) return;
            request = requests_.front();
            requests_.pop_front();
        }
        inbox_.opened({request.tenant, look_(*request.tenant, request.mode)});
    }
}

}  // namespace bos::eventstore
