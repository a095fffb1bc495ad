#include "eventstore/kafka_ends.h"

#include "eventstore/kafka_handle.h"
#include "eventstore/this_thread.h"

#include <utility>

namespace bos::eventstore {

namespace {

using std::chrono::milliseconds;

// A leader that is gone does not answer; the others are not kept waiting for longer than this.
constexpr auto together_takes_at_most = milliseconds(1'000);
// Time to ask one leader, to look for another, and to ask that one.
constexpr auto alone_takes_at_most = milliseconds(2'000);
constexpr auto again_after = milliseconds(50);

}  // namespace

KafkaEnds::KafkaEnds(KafkaInbox& inbox, rd_kafka_t* handle)
    : inbox_(inbox), handle_(handle), thread_([this] { run(); }) {}

KafkaEnds::~KafkaEnds() { stop(); }

void KafkaEnds::request(KafkaTenant& tenant) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(&tenant);
    changed_.notify_one();
}

void KafkaEnds::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        requests_.clear();
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void KafkaEnds::run() {
    this_thread_is("kafka ends");
    while (true) {
        std::deque<KafkaTenant*> tenants;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
            if (stopping_) return;
            tenants.swap(requests_);
        }
        if (tenants.size() > 1 && ask_together(tenants)) continue;
        for (KafkaTenant* tenant : tenants) ask_alone(*tenant);
    }
}

/// False when nothing was told, because one of them kept the rest from being answered.
bool KafkaEnds::ask_together(const std::deque<KafkaTenant*>& tenants) {
    std::vector<std::string> topics;
    for (const KafkaTenant* tenant : tenants) topics.push_back(tenant->topic());
    const Result<std::vector<Result<std::int64_t>>> ends =
        kafka::ask_for_ends(handle_, topics, together_takes_at_most);
    if (!ends) return false;
    for (std::size_t i = 0; i < tenants.size(); ++i) tell(*tenants[i], (*ends)[i]);
    return true;
}

void KafkaEnds::ask_alone(KafkaTenant& tenant) {
    const Result<std::int64_t> end =
        kafka::ask_for_offset(handle_, tenant.topic(), RD_KAFKA_OFFSET_END, alone_takes_at_most);
    if (!end) {
        // Errors may come at once, and whoever gets one asks again.
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, again_after, [this] { return stopping_; });
    }
    tell(tenant, end);
}

void KafkaEnds::tell(KafkaTenant& tenant, const Result<std::int64_t>& end) {
    if (end) return inbox_.ended({&tenant, Offset{*end}});
    inbox_.ended({&tenant, std::unexpected(end.error())});
}

}  // namespace bos::eventstore
