// Cursors: none is accepted that was not made for this tenant, and those that were come back.
#include "projections/cursor.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <string>

using namespace bos::projections;
using bos::fuzz::always;

namespace {

const std::string secret(32, 's');

Cursor cursor_of(std::string_view bytes) {
    Cursor cursor;
    const auto at = [&](std::size_t i) {
        return i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : std::uint8_t{0};
    };
    cursor.view = static_cast<std::uint16_t>(at(0) << 8 | at(1));
    cursor.index = at(2);
    cursor.sort = at(3);
    cursor.direction = (at(4) & 1) != 0 ? Direction::backward : Direction::forward;
    cursor.is_as_of = (at(4) & 2) != 0;
    cursor.position = bos::Position{at(5)};
    cursor.list.fill(at(6));
    cursor.index_key = bytes.size() > 7 ? bytes.substr(7) : "";
    return cursor;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = bos::fuzz::text_of(data, size);
    const bos::TenantId acme = *bos::TenantId::parse("acme");
    always(!read_cursor(bytes, acme, secret), "nobody can make a cursor without the secret");

    const Cursor cursor = cursor_of(bytes.substr(0, 512));
    std::string text = to_text(cursor, acme, secret);
    const auto read = read_cursor(text, acme, secret);
    always(read && *read == cursor, "a cursor comes back as it was");
    always(!read_cursor(text, *bos::TenantId::parse("globex"), secret),
           "a cursor is good for its tenant only");
    if (size < 2) return 0;
    char& byte = text[data[0] % text.size()];
    const char other = static_cast<char>(data[1]);
    if (byte == other) return 0;
    byte = other;
    always(!read_cursor(text, acme, secret), "a cursor that was altered is none");
    return 0;
}
