// schema-gen MODULE.bfbs OUT_DIR: writes <module>.gen.h, <module>.gen.cc, <module>.openapi.json and
// <module>.asyncapi.json.
#include "schemas/generator/model.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

bool write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    return out.good();
}

/// A function that returns a document: one raw string literal per 8,000 bytes, since compilers
/// bound the length of one.
std::string emit_document(std::string_view function, const std::string& text) {
    std::string out = fmt::format("std::string_view {}() {{\n    return", function);
    for (std::size_t at = 0; at < text.size(); at += 8000) {
        out += fmt::format("\n        R\"json({})json\"", text.substr(at, 8000));
    }
    return out + ";\n}\n";
}

std::string emit_source(const bos::generator::Module& module, const std::string& openapi,
                        const std::string& asyncapi) {
    std::string out = fmt::format(
        "// Generated from schemas/{0}.fbs.\n#include \"{0}.gen.h\"\n\n"
        "#include \"schemas/base/codec.h\"\n#include \"schemas/base/json_write.h\"\n\n",
        module.name);
    out += fmt::format("namespace bos::{} {{\n\n", module.name);
    out += emit_document("openapi_fragment", openapi);
    out += emit_document("asyncapi_fragment", asyncapi);
    out += bos::generator::emit_instances(module, "");
    out += fmt::format("\n}}  // namespace bos::{}\n", module.name);
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: schema-gen MODULE.bfbs OUT_DIR\n");
        return 2;
    }
    std::ifstream in(argv[1], std::ios::binary);
    const std::string bfbs{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const auto module = bos::generator::read_module(bfbs);
    if (!module) {
        fmt::print(stderr, "{}: {}\n", argv[1], module.error().detail);
        return 1;
    }
    const std::filesystem::path folder = argv[2];
    const std::string openapi = emit_openapi(*module);
    const std::string asyncapi = emit_asyncapi(*module);
    const bool written =
        write_file(folder / (module->name + ".gen.h"), emit_header(*module)) &&
        write_file(folder / (module->name + ".openapi.json"), openapi) &&
        write_file(folder / (module->name + ".asyncapi.json"), asyncapi) &&
        write_file(folder / (module->name + ".gen.cc"), emit_source(*module, openapi, asyncapi));
    if (!written) {
        fmt::print(stderr, "{}: cannot write the generated files\n", folder.string());
        return 1;
    }
    return 0;
}
