#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace bos {

/// 128 bits in network byte order (RFC 9562). All zero is "no id" and never a valid one.
struct Uuid {
    std::array<std::uint8_t, 16> bytes{};

    friend auto operator<=>(const Uuid&, const Uuid&) = default;
    [[nodiscard]] bool is_nil() const { return *this == Uuid{}; }
};

/// Lower-case 8-4-4-4-12.
[[nodiscard]] std::string to_string(const Uuid& uuid);
/// Accepts exactly the form that to_string writes, in either case.
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text);

/// An id of one kind of thing; converts to and from Uuid only where that is spelled out.
template <class Tag>
class Id {
  public:
    Id() = default;
    explicit Id(const Uuid& uuid) : uuid_(uuid) {}

    [[nodiscard]] const Uuid& value() const { return uuid_; }
    [[nodiscard]] bool is_nil() const { return uuid_.is_nil(); }
    friend auto operator<=>(const Id&, const Id&) = default;

  private:
    Uuid uuid_;
};

template <class Tag>
[[nodiscard]] std::string to_string(const Id<Tag>& id) {
    return to_string(id.value());
}

struct UserTag;
using UserId = Id<UserTag>;

}  // namespace bos

template <>
struct std::hash<bos::Uuid> {
    std::size_t operator()(const bos::Uuid& uuid) const noexcept {
        std::uint64_t halves[2];
        std::memcpy(halves, uuid.bytes.data(), sizeof halves);
        return halves[0] ^ (halves[1] * 0x9e3779b97f4a7c15ULL);
    }
};

template <class Tag>
struct std::hash<bos::Id<Tag>> {
    std::size_t operator()(const bos::Id<Tag>& id) const noexcept {
        return std::hash<bos::Uuid>{}(id.value());
    }
};
