#pragma once

#include "schemas/base/result.h"

#include <stdexcept>
#include <utility>

namespace bos::bench {

/// A benchmark that meets an error has nothing to report: it ends with the error's text.
template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().detail);
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace bos::bench
