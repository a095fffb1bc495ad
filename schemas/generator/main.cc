// schema-gen MODULE.bfbs OUT_DIR: writes <module>.gen.h, <module>.gen.cc and <module>.openapi.json.
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

/// The document is one raw string literal per 8,000 bytes: compilers bound the length of one.
std::string emit_source(const bos::generator::Module& module, const std::string& openapi) {
    std::string out = fmt::format(
        "// Generated from schemas/{0}.fbs.\n#include \"{0}.gen.h\"\n\n"
        "#include \"schemas/base/codec.h\"\n#include \"schemas/base/json_write.h\"\n\n",
        module.name);
    out += fmt::format("namespace bos::{} {{\n\nstd::string_view openapi_fragment() {{\n    return",
                       module.name);
    for (std::size_t at = 0; at < openapi.size(); at += 8000) {
        out += fmt::format("\n        R\"json({})json\"", openapi.substr(at, 8000));
    }
    out += ";\n}\n";
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
    const bool written =
        write_file(folder / (module->name + ".gen.h"), emit_header(*module)) &&
        write_file(folder / (module->name + ".openapi.json"), openapi) &&
        write_file(folder / (module->name + ".gen.cc"), emit_source(*module, openapi));
    if (!written) {
        fmt::print(stderr, "{}: cannot write the generated files\n", folder.string());
        return 1;
    }
    return 0;
}
