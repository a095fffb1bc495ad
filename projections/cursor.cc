#include "projections/cursor.h"

#include "schemas/base/digest.h"
#include "schemas/base/keys.h"

#include <algorithm>

namespace bos::projections {

namespace {

constexpr std::uint8_t format_version = 1;
constexpr std::size_t signature_bytes = 16;
/// Longer than any index key that a module would make.
constexpr std::size_t text_bytes_max = 4096;

std::string signature_of(std::string_view payload, const TenantId& tenant,
                         std::string_view secret) {
    const std::string signed_bytes =
        KeyWriter().text("bos.cursor").text(tenant.value()).raw(payload).take();
    const Hash hash = hmac_sha256(secret, signed_bytes);
    return {reinterpret_cast<const char*>(hash.bytes.data()), signature_bytes};
}

/// In a time that does not tell where the first difference is.
bool same_bytes(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^
                                            static_cast<unsigned char>(b[i]));
    }
    return difference == 0;
}

std::unexpected<Error> not_a_cursor() {
    return fail(Code::invalid, "cursor: not one that this server gave out for this tenant");
}

}  // namespace

std::string to_text(const Cursor& cursor, const TenantId& tenant, std::string_view secret) {
    std::string payload =
        KeyWriter()
            .u8(format_version)
            .u16(cursor.view)
            .u8(cursor.index)
            .u8(cursor.sort)
            .u8(static_cast<std::uint8_t>(cursor.direction))
            .raw({reinterpret_cast<const char*>(cursor.list.data()), cursor.list.size()})
            .u8(cursor.is_as_of ? 1 : 0)
            .u64(cursor.position.value)
            .raw(cursor.index_key)
            .take();
    payload += signature_of(payload, tenant, secret);
    return to_base64url(payload);
}

Result<Cursor> read_cursor(std::string_view text, const TenantId& tenant, std::string_view secret) {
    std::string bytes;
    if (text.size() > text_bytes_max || !from_base64url(text, bytes) ||
        bytes.size() < signature_bytes) {
        return not_a_cursor();
    }
    const std::string_view payload =
        std::string_view(bytes).substr(0, bytes.size() - signature_bytes);
    const std::string_view signature = std::string_view(bytes).substr(payload.size());
    if (!same_bytes(signature, signature_of(payload, tenant, secret))) return not_a_cursor();

    KeyReader reader(payload);
    Cursor cursor;
    std::uint8_t format = 0;
    std::uint8_t direction = 0;
    std::uint8_t is_as_of = 0;
    Uuid digest;
    if (!reader.u8(format) || format != format_version || !reader.u16(cursor.view) ||
        !reader.u8(cursor.index) || !reader.u8(cursor.sort) || !reader.u8(direction) ||
        !reader.uuid(digest) || !reader.u8(is_as_of) || !reader.u64(cursor.position.value)) {
        return not_a_cursor();
    }
    cursor.direction = direction == 0 ? Direction::forward : Direction::backward;
    cursor.list = digest.bytes;
    cursor.is_as_of = is_as_of != 0;
    cursor.index_key = reader.rest();
    return cursor;
}

}  // namespace bos::projections
