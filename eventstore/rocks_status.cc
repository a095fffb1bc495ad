#include "eventstore/rocks_status.h"

#include <fmt/format.h>

namespace bos::eventstore {

namespace {

Code code_of(const rocksdb::Status& status) {
    if (status.IsNotFound()) return Code::not_found;
    if (status.IsNoSpace()) return Code::full;
    if (status.IsCorruption()) return Code::corrupt;
    if (status.IsInvalidArgument() || status.IsNotSupported()) return Code::invalid;
    return Code::unavailable;
}

}  // namespace

std::unexpected<Error> failed(const rocksdb::Status& status, std::string_view doing) {
    return fail(code_of(status), fmt::format("{}: {}", doing, status.ToString()));
}

}  // namespace bos::eventstore
