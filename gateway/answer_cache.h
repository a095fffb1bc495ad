#pragma once

#include "gateway/http.h"
#include "schemas/base/recent_map.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace bos::gateway {

/// What an answer from the views rests on. While it is the same, so is the answer.
struct AnswerBasis {
    std::uint64_t view_changes = 0;  ///< of the tenant: ViewStore::settled
    std::uint64_t erasures = 0;      ///< KeyStore::erasures: a key that is gone changes no view

    friend bool operator==(const AnswerBasis&, const AnswerBasis&) = default;
};

/// Answers that were given lately, for who asks the same before anything of the tenant has changed:
/// boards and lists that many people look at and few change. They hold opened personal fields; an
/// erasure makes all of them unreachable at once, and the next question takes them out of memory.
/// Thread-safe.
class AnswerCache {
  public:
    explicit AnswerCache(std::size_t bytes_max = std::size_t{32} << 20) : answers_(bytes_max) {}

    /// `asked` is all that the answer depends on beside `now`. What it gives is ready.
    [[nodiscard]] std::optional<Response> find(const std::string& asked, const AnswerBasis& now);
    /// `basis` was the same before and after the answer was made.
    void put(const std::string& asked, const AnswerBasis& basis, const Response& answer);

  private:
    struct Kept {
        AnswerBasis basis;
        int status = 0;
        std::shared_ptr<const ReadyAnswer> answer;
    };

    std::mutex mutex_;
    std::uint64_t erasures_ = 0;            ///< of the newest basis; guarded by mutex_
    RecentMap<std::string, Kept> answers_;  ///< guarded by mutex_
};

}  // namespace bos::gateway
