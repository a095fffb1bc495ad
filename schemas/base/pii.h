#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bos {

/// Personal data after sealing: the bytes that stand in the record (format: docs/formats.md).
struct Sealed {
    std::string bytes;

    friend bool operator==(const Sealed&, const Sealed&) = default;
};

/// Personal data whose subject's key was destroyed.
struct Erased {
    friend bool operator==(const Erased&, const Erased&) = default;
};

/// Personal data: plain on its way in and out, sealed in records and in view rows, erased when the
/// subject's key is gone. Does not print: a log line shows dots. `T` is std::string or a vector of
/// them.
template <class T>
class Pii {
  public:
    using value_type = T;

    Pii() = default;
    explicit Pii(T plain) : content_(std::move(plain)) {}
    explicit Pii(Sealed sealed) : content_(std::move(sealed)) {}
    explicit Pii(Erased erased) : content_(erased) {}

    [[nodiscard]] const T* plain() const { return std::get_if<T>(&content_); }
    [[nodiscard]] const Sealed* sealed() const { return std::get_if<Sealed>(&content_); }
    [[nodiscard]] bool erased() const { return std::holds_alternative<Erased>(content_); }

    friend bool operator==(const Pii&, const Pii&) = default;

  private:
    std::variant<T, Sealed, Erased> content_;
};

}  // namespace bos
