#include "eventstore/kafka_chain.h"

#include "schemas/base/assert.h"

#include <algorithm>

namespace bos::eventstore {

KafkaChain::KafkaChain(const Head& head, std::optional<Offset> head_offset, Offset next)
    : head_(head), end_(head), head_offset_(head_offset), next_(next) {}

void KafkaChain::sent(const ChainLink& link) {
    BOS_ASSERT(link.continues(end_));
    open_.emplace_back(link);
    end_ = link.head();
    ++outstanding_;
}

void KafkaChain::refused(Steps& steps) {
    open_.emplace_back(std::nullopt);
    answer_refused(steps);
}

bool KafkaChain::delivered(Offset offset, const ChainLink& link, Steps& steps) {
    BOS_ASSERT(outstanding_ > 0);
    --outstanding_;
    // Read already. Had it been valid there, it would be answered; an open one that stands below
    // what is folded is either a record that came before the one it is chained on, or stands in
    // another topic of the same name. The two look alike from here, so both are settled by reading
    // all again.
    if (offset < next_) return !is_open(link);
    if (offset > next_) return parked_.emplace(offset, link).second;
    fold(offset, link, steps);
    fold_parked(steps);
    return true;
}

void KafkaChain::lost() {
    BOS_ASSERT(outstanding_ > 0);
    --outstanding_;
    unsettled_ = !open_.empty();
}

bool KafkaChain::read(Offset offset, const std::optional<ChainLink>& link, Steps& steps) {
    if (offset < next_) return true;
    // The reader saw nothing where the broker says that ours stands.
    if (!parked_.empty() && parked_.begin()->first < offset) return false;
    if (const auto ours = parked_.find(offset); ours != parked_.end()) {
        if (!link || link->hash != ours->second.hash) return false;
        parked_.erase(ours);
    }
    fold(offset, link, steps);
    fold_parked(steps);
    return true;
}

bool KafkaChain::read_to(Offset end, Steps& steps) {
    if (end <= next_) return true;
    if (!parked_.empty() && parked_.begin()->first < end) return false;
    next_ = end;
    fold_parked(steps);
    return true;
}

std::optional<Offset> KafkaChain::gap() const {
    if (parked_.empty()) return std::nullopt;
    return parked_.begin()->first;
}

bool KafkaChain::in_doubt() const { return !open_.empty() && outstanding_ == 0 && parked_.empty(); }

void KafkaChain::fold(Offset offset, const std::optional<ChainLink>& link, Steps& steps) {
    next_ = offset.next();
    if (!link || !link->continues(head_)) {
        ++ignored_;
        if (link && is_open(*link)) unsettled_ = true;  // came before the one it is chained on
        return;
    }
    head_ = link->head();
    head_offset_ = offset;
    if (!open_.empty() && open_.front()->hash == link->hash) {
        open_.pop_front();
        steps.push_back(Step::own_valid);
        answer_refused(steps);
    } else {
        steps.push_back(Step::read_valid);
        answer_dead(steps);
        end_ = head_;
    }
    if (open_.empty()) unsettled_ = false;
}

void KafkaChain::fold_parked(Steps& steps) {
    while (!parked_.empty() && parked_.begin()->first == next_) {
        const ChainLink link = parked_.begin()->second;
        parked_.erase(parked_.begin());
        fold(next_, link, steps);
    }
}

void KafkaChain::answer_refused(Steps& steps) {
    while (!open_.empty() && !open_.front()) {
        open_.pop_front();
        steps.push_back(Step::own_refused);
    }
}

/// All of them: those after the first are chained on it.
void KafkaChain::answer_dead(Steps& steps) {
    for (; !open_.empty(); open_.pop_front()) {
        steps.push_back(open_.front() ? Step::own_dead : Step::own_refused);
    }
}

bool KafkaChain::is_open(const ChainLink& link) const {
    return std::ranges::any_of(open_, [&](const std::optional<ChainLink>& each) {
        return each && each->hash == link.hash;
    });
}

}  // namespace bos::eventstore
