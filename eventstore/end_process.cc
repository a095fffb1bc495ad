#include "eventstore/end_process.h"

#include <cstdio>
#include <cstdlib>

namespace bos::eventstore {

namespace {
constexpr int input_output_error = 74;  // EX_IOERR of sysexits.h
}

void end_process(std::string_view message) {
    std::fprintf(stderr, "bos: fatal: %.*s\n", static_cast<int>(message.size()), message.data());
    std::fflush(stderr);
    std::_Exit(input_output_error);
}

}  // namespace bos::eventstore
