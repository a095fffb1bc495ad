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
/// event store: others use decode() and link_of(). Keeps a view of the bytes that it was made from.
class VerifiedRecord {
  public:
    /// Errors: corrupt, with what is wrong.
    [[nodiscard]] static Result<VerifiedRecord> of(std::string_view record);

    VerifiedRecord(VerifiedRecord&&) = default;
    VerifiedRecord& operator=(VerifiedRecord&&) = default;

    [[nodiscard]] const fb::Commit& commit() const { return *commit_; }
    [[nodiscard]] const TenantId& tenant() const { return tenant_; }

    [[nodiscard]] Link link() const;

  private:
    VerifiedRecord(std::vector<std::uint64_t> aligned, const fb::Commit* commit, TenantId tenant)
        : aligned_(std::move(aligned)), commit_(commit), tenant_(std::move(tenant)) {}

    std::vector<std::uint64_t> aligned_;  ///< the copy, when the bytes came unaligned
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
