#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace bos {

/// Names a tenant for ever: 1 to 63 of a-z, 0-9 and '-', starting with a letter or digit (a DNS
/// label, so that it fits a topic name). The first parameter of everything that touches data.
class TenantId {
  public:
    /// Empty when `text` breaks the rule above.
    [[nodiscard]] static std::optional<TenantId> parse(std::string_view text);

    [[nodiscard]] const std::string& value() const { return value_; }
    friend auto operator<=>(const TenantId&, const TenantId&) = default;

  private:
    explicit TenantId(std::string value) : value_(std::move(value)) {}
    std::string value_;
};

}  // namespace bos

template <>
struct std::hash<bos::TenantId> {
    std::size_t operator()(const bos::TenantId& id) const noexcept {
        return std::hash<std::string>{}(id.value());
    }
};
