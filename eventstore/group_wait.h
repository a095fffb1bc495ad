#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace bos::eventstore {

/// How long the next group waits for those who were answered with the last one.
///
/// Who was answered often appends again at once, only a little later than the next group could
/// begin. Without them it costs one sync more, and they wait for all of it. So a group waits until
/// as many are there as were under way before, but no longer than half of what the last write
/// took. Where those answered do not come back soon, the next groups begin with what is there: in
/// vain is one wait of many, some 3 % of the time.
///
/// Not thread-safe.
class GroupWait {
  public:
    struct Wait {
        std::size_t appends = 0;  ///< until so many are there
        std::chrono::nanoseconds at_most{};
    };

    /// A group of `answered` was written in `took` and is answered now, while `queued` wait.
    void written(std::size_t answered, std::size_t queued, std::chrono::nanoseconds took);
    /// For the next group, with `queued` there. None: it begins when there is one.
    [[nodiscard]] std::optional<Wait> next(std::size_t queued);
    /// The wait of next() is over, with `queued` there.
    void waited(std::size_t queued);

  private:
    std::size_t answered_ = 0;
    std::size_t queued_ = 0;
    std::chrono::nanoseconds took_{};
    std::size_t without_wait_ = 0;  ///< groups to come
};

}  // namespace bos::eventstore
