#pragma once

#include "eventstore/key_rows.h"
#include "eventstore/key_store.h"
#include "eventstore/master_key.h"
#include "schemas/base/random.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"
#include "schemas/base/uuid.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace bos::eventstore {

/// Of a subject's key: nonce, secret, tag.
inline constexpr std::size_t wrapped_key_bytes = 32 + wrap_overhead_bytes;

/// A subject_bytes() of the tenant.
[[nodiscard]] bool is_of(const TenantId& tenant, std::string_view owner);

/// Makes secrets and opens them: what stands between rows and the master key. Each wrapped secret
/// is bound to its place, so that one that was copied to another row does not open.
///
/// Thread-safe.
class KeyWrapping {
  public:
    explicit KeyWrapping(const MasterKey& master) : master_(master) {}

    [[nodiscard]] Uuid new_id();
    [[nodiscard]] SubjectKey new_key();
    /// The row that makes the key its owner's; without an owner it is nobody's yet.
    [[nodiscard]] KeyRow row_of(const SubjectKey& key, std::string_view owner);
    /// Errors: not_found = destroyed, or of another tenant; corrupt.
    [[nodiscard]] Result<SubjectKey> open(const TenantId& tenant, const Uuid& id,
                                          const KeyRow& row) const;

    [[nodiscard]] std::string new_tenant_secret(const TenantId& tenant);
    [[nodiscard]] Result<std::string> open_tenant_secret(const TenantId& tenant,
                                                         std::string_view wrapped) const;

    [[nodiscard]] std::string new_master_mark();
    [[nodiscard]] bool is_master_of(std::string_view mark) const;

  private:
    const MasterKey master_;
    SystemRandom random_;
};

}  // namespace bos::eventstore
