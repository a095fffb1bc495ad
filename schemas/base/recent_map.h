#pragma once

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <utility>

namespace bos {

/// A map of at most `entries_max` entries, for what can be had again. It has two generations: what
/// is put or found is in the younger one, and when that has half of them, the older one goes. So
/// each entry that goes was not found since as many others were. Not thread-safe.
template <class Key, class Value>
class RecentMap {
  public:
    explicit RecentMap(std::size_t entries_max)
        : of_generation_max_(std::max<std::size_t>(entries_max / 2, 1)) {}

    /// Null: it is not there. Valid until the next call.
    [[nodiscard]] Value* find(const Key& key) {
        if (const auto young = young_.find(key); young != young_.end()) return &young->second;
        auto old = old_.extract(key);
        if (old.empty()) return nullptr;
        age();
        return &young_.insert(std::move(old)).position->second;
    }

    /// Takes the place of what is there.
    void put(const Key& key, Value value) {
        old_.erase(key);
        age();
        young_.insert_or_assign(key, std::move(value));
    }

    void clear() {
        young_.clear();
        old_.clear();
    }

    [[nodiscard]] std::size_t size() const { return young_.size() + old_.size(); }

  private:
    void age() {
        if (young_.size() < of_generation_max_) return;
        old_ = std::move(young_);
        young_.clear();
    }

    const std::size_t of_generation_max_;
    std::unordered_map<Key, Value> young_;
    std::unordered_map<Key, Value> old_;
};

}  // namespace bos
