#pragma once

#include <cstdint>

namespace bos::sim {

/// Seeds that found a bug, with what it was. They stay; what a seed stands for changes with the
/// simulation, so each bug has a test of its own beside the code as well.
inline constexpr std::uint64_t found_seeds[] = {
    6,  // a log whose database could not be reopened on a full disk could not be read any more, so
        // nobody appended, and so it was never reopened
    498,   // CURRENT named a manifest whose own name was not durable yet
    604,   // a log whose first process ended before it had made the folder's name durable: no later
           // one did
    1269,  // an append without a certain outcome, then a full queue: the command was refused, and
           // then its first record came
    51258,  // … and whoever asked again was told of it, while views and decisions did not know it
};

}  // namespace bos::sim
