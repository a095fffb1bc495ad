#pragma once

#include "commands/modules.h"
#include "domain/decider.h"
#include "eventstore/event_log.h"
#include "schemas/base/codec.h"
#include "schemas/base/result.h"

#include <cstdint>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace bos::commands {

/// An aggregate as it stands after everything that was decided, also what is not durable yet.
template <class S>
struct Loaded {
    S state;
    Version version;         ///< 0 = does not exist
    Position changed_at;     ///< of the last commit that changed it; 0 = read from the log
    std::uint64_t used = 0;  ///< when it was last asked for, in turns of the cache
};

/// The aggregates of one tenant that were used lately, folded from the log when first asked for.
/// Runs on: tenant shard. Pointers stay good until evict() or clear().
template <class StateList>
class Aggregates;

template <class... States>
class Aggregates<types<States...>> {
  public:
    /// `durable` is how far the tenant's actor knows the log. What another owner wrote after it is
    /// not read: all aggregates stand at the same position, and an append on them meets a conflict.
    Aggregates(const eventstore::EventLog& log, TenantId tenant, const Position& durable)
        : log_(log), tenant_(std::move(tenant)), durable_(durable) {}

    template <class S>
    [[nodiscard]] Result<Loaded<S>*> load(const Uuid& id) {
        auto& cache = std::get<std::unordered_map<Uuid, Loaded<S>>>(caches_);
        auto found = cache.find(id);
        if (found == cache.end()) {
            BOS_TRY(auto folded, fold<S>(id));
            found = cache.emplace(id, std::move(folded)).first;
        }
        found->second.used = ++turn_;
        return &found->second;
    }

    /// One whose id was drawn just now: the log has nothing of it, and is not asked.
    template <class S>
    void begin(const Uuid& id) {
        std::get<std::unordered_map<Uuid, Loaded<S>>>(caches_).try_emplace(id);
    }

    /// Drops the least recently used down to half of `count_max`, but nothing that the log does not
    /// hold yet.
    void evict(std::size_t count_max) {
        if ((std::get<std::unordered_map<Uuid, Loaded<States>>>(caches_).size() + ...) <= count_max)
            return;
        const std::uint64_t oldest_kept = turn_ > count_max / 2 ? turn_ - count_max / 2 : 0;
        const auto drop = [&](auto& cache) {
            std::erase_if(cache, [&](const auto& entry) {
                return entry.second.used < oldest_kept && entry.second.changed_at <= durable_;
            });
        };
        (drop(std::get<std::unordered_map<Uuid, Loaded<States>>>(caches_)), ...);
    }

    void clear() { (std::get<std::unordered_map<Uuid, Loaded<States>>>(caches_).clear(), ...); }

  private:
    static constexpr std::size_t page_events = 1024;

    template <class S>
    Result<Loaded<S>> fold(const Uuid& id) {
        using Event = typename module_of_state<S>::type::Event;
        Loaded<S> loaded;
        const StreamId stream{S::aggregate, id};
        if constexpr (requires { S::newest_event_is_state; }) {
            // May be past durable_: it stands for itself, and no command but a doomed one sees it.
            BOS_TRY(const auto newest, eventstore::newest_event(log_, tenant_, stream));
            if (newest) BOS_CHECK(apply<S, Event>(loaded, *newest));
            return loaded;
        }
        while (true) {
            BOS_TRY(const auto addresses,
                    log_.stream(tenant_, stream, loaded.version.next(), page_events));
            for (const auto& address : addresses) {
                if (address.position > durable_) return loaded;
                BOS_CHECK(apply<S, Event>(loaded, address));
            }
            if (addresses.size() < page_events) return loaded;
        }
    }

    template <class S, class Event>
    Result<void> apply(Loaded<S>& loaded, const eventstore::EventAddress& address) {
        BOS_TRY(const std::string record, log_.read(tenant_, address.position));
        BOS_TRY(const eventstore::Commit commit, eventstore::decode(record));
        if (address.index >= commit.events.size())
            return fail(Code::corrupt, "the stream index points past a record's events");
        const eventstore::RecordedEvent& recorded = commit.events[address.index];
        BOS_TRY(const Event event, decode_numbered<Event>(recorded.number, recorded.payload));
        loaded.state = domain::evolve_any(std::move(loaded.state), event);
        loaded.version = address.version;
        return {};
    }

    template <class S, class List = Modules>
    struct module_of_state;
    template <class S, class First, class... Rest>
    struct module_of_state<S, types<First, Rest...>> {
        using type = typename std::conditional_t<contains_type<S, typename First::States>::value,
                                                 std::type_identity<First>,
                                                 module_of_state<S, types<Rest...>>>::type;
    };

    // Constant after construction.
    const eventstore::EventLog& log_;
    const TenantId tenant_;
    const Position& durable_;

    std::tuple<std::unordered_map<Uuid, Loaded<States>>...> caches_;
    std::uint64_t turn_ = 0;
};

}  // namespace bos::commands
