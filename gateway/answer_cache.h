#pragma once

#include "gateway/http.h"
#include "schemas/base/recent_map.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace bos::gateway {

/// What an answer from the views rests on. While it is the same, so is the answer.
struct AnswerBasis {
    std::uint64_t view_changes = 0;  ///< of the tenant: ViewStore::settled
    std::uint64_t erasures = 0;      ///< KeyStore::erasures: a key that is gone changes no view

    friend bool operator==(const AnswerBasis&, const AnswerBasis&) = default;
};

/// All that an answer depends on beside its basis.
class AnswerName {
  public:
    explicit AnswerName(std::string text)
        : text_(std::move(text)), hash_(std::hash<std::string>{}(text_)) {}

    [[nodiscard]] std::size_t size() const { return text_.size(); }
    [[nodiscard]] std::size_t hash() const { return hash_; }
    friend bool operator==(const AnswerName& left, const AnswerName& right) {
        return left.hash_ == right.hash_ && left.text_ == right.text_;
    }

  private:
    std::string text_;
    std::size_t hash_;
};

}  // namespace bos::gateway

template <>
struct std::hash<bos::gateway::AnswerName> {
    std::size_t operator()(const bos::gateway::AnswerName& name) const noexcept {
        return name.hash();
    }
};

namespace bos::gateway {

/// Answers that were given lately, for who asks the same before anything of the tenant has changed:
/// boards and lists that many people look at and few change. They hold opened personal fields; an
/// erasure makes all of them unreachable at once, and the next question takes them out of memory.
/// Thread-safe.
class AnswerCache {
  public:
    explicit AnswerCache(std::size_t bytes_max = std::size_t{32} << 20) : answers_(bytes_max) {}

    /// What it gives is ready.
    [[nodiscard]] std::optional<Response> find(const AnswerName& asked, const AnswerBasis& now);
    /// `basis` was the same before and after the answer was made.
    void put(const AnswerName& asked, const AnswerBasis& basis, const Response& answer);

  private:
    struct Kept {
        AnswerBasis basis;
        int status = 0;
        std::shared_ptr<const ReadyAnswer> answer;
    };

    std::mutex mutex_;
    std::uint64_t erasures_ = 0;           ///< of the newest basis; guarded by mutex_
    RecentMap<AnswerName, Kept> answers_;  ///< guarded by mutex_
};

}  // namespace bos::gateway
