#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <functional>
#include <utility>

namespace bos {

/// A map for what can be had again, of entries that together weigh at most `weight_max`. It has two
/// generations: what is put or found is in the younger one, and when that has half of the weight,
/// the older one goes. So each entry that goes was not found while others of half the weight were.
/// Not thread-safe.
template <class Key, class Value>
class RecentMap {
  public:
    explicit RecentMap(std::size_t weight_max) : generation_weight_max_(weight_max / 2) {}

    /// Null: it is not there. Valid until the next call.
    [[nodiscard]] Value* find(const Key& key) {
        if (const auto young = young_.entries.find(key); young != young_.entries.end())
            return &young->second.value;
        const auto old = old_.entries.find(key);
        if (old == old_.entries.end()) return nullptr;
        Entry entry = std::move(old->second);
        old_.weight -= entry.weight;
        old_.entries.erase(old);
        make_room(entry.weight);
        young_.weight += entry.weight;
        return &young_.entries.emplace(key, std::move(entry)).first->second.value;
    }

    /// Takes the place of what is there. What weighs more than a generation may is not taken.
    void put(const Key& key, Value value, std::size_t weight = 1) {
        erase(key);
        if (weight > generation_weight_max_) return;
        make_room(weight);
        young_.weight += weight;
        young_.entries.emplace(key, Entry{std::move(value), weight});
    }

    void erase(const Key& key) {
        for (Generation* generation : {&young_, &old_}) {
            const auto found = generation->entries.find(key);
            if (found == generation->entries.end()) continue;
            generation->weight -= found->second.weight;
            generation->entries.erase(found);
        }
    }

    void clear() {
        young_ = Generation{};
        old_ = Generation{};
    }

    [[nodiscard]] std::size_t weight() const { return young_.weight + old_.weight; }

  private:
    struct Entry {
        Value value;
        std::size_t weight;
    };
    struct Generation {
        boost::unordered_flat_map<Key, Entry, std::hash<Key>> entries;
        std::size_t weight = 0;
    };

    void make_room(std::size_t weight) {
        if (young_.weight + weight > generation_weight_max_)
            old_ = std::exchange(young_, Generation{});
    }

    const std::size_t generation_weight_max_;
    Generation young_;
    Generation old_;
};

}  // namespace bos
