#pragma once

#include "eventstore/commit.h"

#include <bit>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace bos::eventstore {

namespace fb {
struct Commit;
}

/// A record's bytes after every check that makes it safe to read them in place. Internal to the
/// event store: others use decode() and link_of().
class VerifiedRecord {
  public:
    /// Room for a copy of bytes that came unaligned; to be used again.
    using Room = std::vector<std::uint64_t>;

    /// Keeps a view of `record`, or of its copy in `room`. Errors: corrupt, with what is wrong.
    [[nodiscard]] static Result<VerifiedRecord> of(std::string_view record, Room& room);

    VerifiedRecord(VerifiedRecord&&) = default;
    VerifiedRecord& operator=(VerifiedRecord&&) = default;

    [[nodiscard]] const fb::Commit& commit() const { return *commit_; }
    [[nodiscard]] const TenantId& tenant() const { return tenant_; }

    [[nodiscard]] Link link() const;

  private:
    VerifiedRecord(const fb::Commit* commit, TenantId tenant)
        : commit_(commit), tenant_(std::move(tenant)) {}

    const fb::Commit* commit_;
    TenantId tenant_;
};

/// The ids and hashes of the schema and of the base library have the same bytes.
template <class To, class From>
[[nodiscard]] To same_bytes(const From& from) {
    static_assert(sizeof(To) == sizeof(From));
    return std::bit_cast<To>(from);
}

}  // namespace bos::eventstore
