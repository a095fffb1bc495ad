#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace bos {

/// What a client is told about one kind of rejection.
struct RejectionInfo {
    std::string_view code;  ///< stable
    int status;             ///< of HTTP
    std::string_view title;
};

/// The business said no: nothing was written.
struct Rejected {
    RejectionInfo info;
    std::string pointer;  ///< JSON Pointer to the field of the command that is at fault; "" = none
    std::string detail;   ///< for people; never personal data

    friend bool operator==(const Rejected& a, const Rejected& b) {
        return a.info.code == b.info.code && a.pointer == b.pointer;
    }
};

}  // namespace bos
