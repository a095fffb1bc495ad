#include "gateway/answer_cache.h"

#include "gateway/response_writer.h"

#include <utility>

namespace bos::gateway {

namespace {

/// Of the maps.
constexpr std::size_t entry_bytes = 256;

}  // namespace

std::optional<Response> AnswerCache::find(const AnswerName& asked, const AnswerBasis& now) {
    const std::lock_guard lock(mutex_);
    if (now.erasures > erasures_) {
        answers_.clear();  // what was erased does not stay in memory
        erasures_ = now.erasures;
    }
    const Kept* const kept = answers_.find(asked);
    if (kept == nullptr || kept->basis != now) return std::nullopt;
    Response response;
    response.status = kept->status;
    response.ready = kept->answer;
    return response;
}

void AnswerCache::put(const AnswerName& asked, const AnswerBasis& basis, const Response& answer) {
    auto fields = response_fields(answer);
    if (!fields) return;  // the one who asked gets the error
    ReadyAnswer ready{.bytes = *std::move(fields), .body_at = 0};
    ready.body_at = ready.bytes.size();
    ready.bytes.append(answer.body).shrink_to_fit();
    const std::size_t weight = entry_bytes + asked.size() + ready.bytes.size();
    Kept kept{basis, answer.status, std::make_shared<const ReadyAnswer>(std::move(ready))};
    const std::lock_guard lock(mutex_);
    if (basis.erasures == erasures_) answers_.put(asked, std::move(kept), weight);
}

}  // namespace bos::gateway
