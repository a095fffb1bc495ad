#pragma once

#include "eventstore/record_index.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace bos::eventstore {

/// The index of some records that follow each other in append order, in memory, with the look-ups
/// of the index in the tables.
///
/// Not thread-safe; from many threads once nothing is added any more.
class IndexSegment {
  public:
    /// Of the records after `before`, in append order.
    explicit IndexSegment(std::uint64_t before) : last_(before) {}

    /// The next record. False: it does not follow its tenant's last one here, and was not added.
    [[nodiscard]] bool add(const RecordIndex& index);

    /// The last record that was added.
    [[nodiscard]] std::uint64_t last() const { return last_; }
    /// A record has two, and one for each of its events.
    [[nodiscard]] std::size_t entries() const { return entries_; }

    /// What is here of one tenant.
    struct Tenant {
        TenantId id;
        Position first;
        std::vector<std::uint64_t> sequences;  ///< of position first, first + 1, …
        Hash hash;                             ///< of the last record

        [[nodiscard]] Head head() const {
            return Head{.position = Position{first.value + sequences.size() - 1}, .hash = hash};
        }
    };
    /// Null: no record of this tenant.
    [[nodiscard]] const Tenant* tenant(const TenantId& id) const;
    [[nodiscard]] const std::vector<Tenant>& tenants() const { return tenants_; }

    [[nodiscard]] std::optional<Position> find_key(const TenantId& tenant,
                                                   const Hash& key_digest) const;
    /// Events of a stream from version `from` on, in order.
    [[nodiscard]] std::span<const EventAddress> stream(const TenantId& tenant,
                                                       const StreamId& stream, Version from) const;

    /// `tenant`: its place in tenants().
    struct Key {
        std::uint32_t tenant = 0;
        Hash digest;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct Stream {
        std::uint32_t tenant = 0;
        StreamId id;
        friend bool operator==(const Stream&, const Stream&) = default;
    };

  private:
    // Digests and ids are spread well; their tenant is mixed in.
    struct HashOfKey {
        std::size_t operator()(const Key& key) const noexcept {
            std::size_t bits = 0;
            std::memcpy(&bits, key.digest.bytes.data(), sizeof(bits));
            return bits ^ (key.tenant * std::size_t{0x9E3779B97F4A7C15});
        }
    };
    struct HashOfStream {
        std::size_t operator()(const Stream& stream) const noexcept {
            return std::hash<StreamId>{}(stream.id) ^
                   (stream.tenant * std::size_t{0x9E3779B97F4A7C15});
        }
    };

  public:
    using Keys = boost::unordered_flat_map<Key, Position, HashOfKey>;
    using Streams = boost::unordered_flat_map<Stream, std::vector<EventAddress>, HashOfStream>;
    [[nodiscard]] const Keys& keys() const { return keys_; }
    [[nodiscard]] const Streams& streams() const { return streams_; }

  private:
    [[nodiscard]] std::uint32_t number_of(const Link& link);

    std::uint64_t last_;
    std::size_t entries_ = 0;
    boost::unordered_flat_map<TenantId, std::uint32_t, std::hash<TenantId>> numbers_;
    std::vector<Tenant> tenants_;
    Keys keys_;
    Streams streams_;
};

}  // namespace bos::eventstore
