#include "gateway/schema_export.h"

#include "gateway/asyncapi.h"
#include "gateway/openapi.h"
#include "gateway/schema_files.h"

#include <fmt/format.h>

#include <fstream>
#include <regex>

namespace bos::gateway {

namespace {

Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    if (!out) return fail(Code::unavailable, fmt::format("cannot write {}", path.string()));
    return {};
}

}  // namespace

std::string with_arrays_written_out(std::string_view schema) {
    static const std::regex array(R"((\w+):\[ubyte:(\d+)\];)");
    std::string text(schema);
    std::string out;
    auto rest = text.cbegin();
    for (std::sregex_iterator found(text.cbegin(), text.cend(), array), end; found != end;
         ++found) {
        out.append(rest, (*found)[0].first);
        for (int i = 0, count = std::stoi((*found)[2]); i < count; ++i) {
            out += fmt::format("{}{}{}:ubyte;", i == 0 ? "" : " ", (*found)[1].str(), i);
        }
        rest = (*found)[0].second;
    }
    return out.append(rest, text.cend());
}

Result<void> export_schemas(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
        return fail(Code::unavailable,
                    fmt::format("cannot create {}: {}", folder.string(), error.message()));
    }
    for (const auto& [name, schema] : schema_files::all) {
        BOS_CHECK(write_file(folder / name, with_arrays_written_out(schema)));
    }
    BOS_CHECK(write_file(folder / "events.json", events_index()));
    BOS_CHECK(write_file(folder / "asyncapi.json", asyncapi_document()));
    return write_file(folder / "openapi.json", openapi_document());
}

}  // namespace bos::gateway
