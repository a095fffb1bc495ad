#include "gateway/answer_cache.h"

namespace bos::gateway {

namespace {

/// Of the maps, and of an answer's headers.
constexpr std::size_t entry_bytes = 512;

}  // namespace

std::optional<Response> AnswerCache::find(const std::string& asked, const AnswerBasis& now) {
    std::shared_ptr<const Response> answer;
    {
        const std::lock_guard lock(mutex_);
        if (now.erasures > erasures_) {
            answers_.clear();  // what was erased does not stay in memory
            erasures_ = now.erasures;
        }
        const Kept* const kept = answers_.find(asked);
        if (kept == nullptr || kept->basis != now) return std::nullopt;
        answer = kept->answer;
    }
    return *answer;
}

void AnswerCache::put(const std::string& asked, const AnswerBasis& basis, const Response& answer) {
    auto copy = std::make_shared<const Response>(answer);
    const std::size_t bytes = entry_bytes + asked.size() + copy->body.size();
    const std::lock_guard lock(mutex_);
    if (basis.erasures == erasures_) answers_.put(asked, Kept{basis, std::move(copy)}, bytes);
}

}  // namespace bos::gateway
