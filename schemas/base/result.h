#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace bos {

/// Why the world (not the business) said no. A code exists only because some caller acts on it.
enum class Code {
    not_found,    ///< the thing asked for is not there
    conflict,     ///< another writer was first
    unavailable,  ///< try again later; nothing was written
    unknown,      ///< the outcome is not known: none or once
    full,         ///< the disk is full; nothing was written
    corrupt,      ///< stored bytes are not what was written
    invalid,      ///< the input breaks a rule; `detail` says which
    denied,       ///< not allowed
};

[[nodiscard]] std::string_view name_of(Code code);

struct Error {
    Code code = Code::unavailable;
    std::string detail;  ///< for people; never personal data

    friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Code code, std::string detail) {
    return std::unexpected(Error{code, std::move(detail)});
}

}  // namespace bos

#define BOS_CONCAT_INNER(a, b) a##b
#define BOS_CONCAT(a, b) BOS_CONCAT_INNER(a, b)

/// BOS_TRY(auto head, log.head(tenant)); declares `head`, or returns the error to the caller.
#define BOS_TRY(declaration, ...)                                              \
    auto BOS_CONCAT(try_, __LINE__) = (__VA_ARGS__);                           \
    if (!BOS_CONCAT(try_, __LINE__))                                           \
        return std::unexpected(std::move(BOS_CONCAT(try_, __LINE__)).error()); \
    declaration = *std::move(BOS_CONCAT(try_, __LINE__))

/// BOS_CHECK(write(batch)); for a Result<void>: returns its error to the caller.
#define BOS_CHECK(...)                                             \
    do {                                                           \
        if (auto try_result = (__VA_ARGS__); !try_result)          \
            return std::unexpected(std::move(try_result).error()); \
    } while (false)
