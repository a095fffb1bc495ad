#include "eventstore/database_mark.h"

#include "eventstore/durable_file.h"
#include "eventstore/rocks_status.h"
#include "schemas/base/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

namespace bos::eventstore {

namespace {

constexpr std::string_view title = "bos database mark 1";
constexpr std::string_view manifest_name = "MANIFEST-";

std::string path_of(const std::string& folder) { return folder + "/MARK"; }

std::string text_of(const DatabaseMark& mark) {
    return fmt::format("{}\n{} {} {} {}\n", title, mark.manifest, mark.manifest_bytes,
                       mark.sequence, to_hex(mark.manifest_hash));
}

std::string bytes_of(const DatabaseMark& mark) {
    const std::string text = text_of(mark);
    return text + to_hex(sha256(text)) + "\n";
}

/// The number at the beginning of `text`, which is then without it and the byte behind it.
std::uint64_t take_number(std::string_view& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::size_t used = static_cast<std::size_t>(end - text.data());
    text.remove_prefix(std::min(used + 1, text.size()));
    return number;
}

/// Of the MANIFEST whose name follows `manifest_name` in `text`; 0 when none does.
std::uint64_t manifest_number(std::string_view text) {
    const std::size_t at = text.find(manifest_name);
    if (at == std::string_view::npos) return 0;
    text.remove_prefix(at + manifest_name.size());
    return take_number(text);
}

Result<std::string> manifest_bytes(rocksdb::Env& env, const std::string& folder,
                                   std::uint64_t number) {
    const std::string name = fmt::format("{}/{}{:06}", folder, manifest_name, number);
    std::string bytes;
    BOS_ROCKS(rocksdb::ReadFileToString(&env, name, &bytes), "read " + name);
    return bytes;
}

std::unexpected<Error> lost(const std::string& folder, std::string_view what) {
    return fail(Code::corrupt,
                fmt::format("{} has lost what it held: {}. To do: restore the folder from its "
                            "backup",
                            folder, what));
}

}  // namespace

Result<std::optional<DatabaseMark>> read_mark(rocksdb::Env& env, const std::string& folder) {
    std::string bytes;
    const rocksdb::Status read = rocksdb::ReadFileToString(&env, path_of(folder), &bytes);
    if (read.IsNotFound() || read.IsPathNotFound()) return std::nullopt;
    BOS_ROCKS(read, "read " + path_of(folder));
    std::string_view numbers = bytes;
    numbers.remove_prefix(std::min(title.size() + 1, numbers.size()));
    DatabaseMark mark;
    mark.manifest = take_number(numbers);
    mark.manifest_bytes = take_number(numbers);
    mark.sequence = take_number(numbers);
    const std::string hash = from_hex(numbers.substr(0, 2 * mark.manifest_hash.bytes.size()));
    std::ranges::copy(hash.substr(0, mark.manifest_hash.bytes.size()),
                      mark.manifest_hash.bytes.begin());
    if (bytes == bytes_of(mark)) return mark;
    return fail(
        Code::corrupt,
        fmt::format("{} is damaged. To do: restore the folder from its backup. If it was the "
                    "only file that was touched: remove it",
                    path_of(folder)));
}

Result<void> write_mark(rocksdb::Env& env, const std::string& folder, const DatabaseMark& mark) {
    return replace_file(env, path_of(folder), bytes_of(mark));
}

Result<void> check_manifest(rocksdb::Env& env, const std::string& folder,
                            const DatabaseMark& mark) {
    std::string current;
    BOS_ROCKS(rocksdb::ReadFileToString(&env, folder + "/CURRENT", &current),
              "read " + folder + "/CURRENT");
    const std::uint64_t number = manifest_number(current);
    if (number > mark.manifest) return {};
    if (number < mark.manifest) return lost(folder, "CURRENT names an older MANIFEST");
    BOS_TRY(std::string bytes, manifest_bytes(env, folder, number));
    if (bytes.size() < mark.manifest_bytes) {
        return lost(folder, fmt::format("MANIFEST-{:06} has {} bytes and had {}", number,
                                        bytes.size(), mark.manifest_bytes));
    }
    bytes.resize(mark.manifest_bytes);
    if (sha256(bytes) == mark.manifest_hash) return {};
    return lost(folder, fmt::format("MANIFEST-{:06} is not what was written", number));
}

Result<DatabaseMark> mark_of(rocksdb::DB& db, std::uint64_t sequence) {
    std::vector<std::string> files;
    DatabaseMark mark;
    mark.sequence = sequence;
    BOS_ROCKS(db.GetLiveFiles(files, &mark.manifest_bytes, false), "list the files of a database");
    for (const std::string& file : files)
        mark.manifest = std::max(mark.manifest, manifest_number(file));
    BOS_TRY(std::string bytes, manifest_bytes(*db.GetEnv(), db.GetName(), mark.manifest));
    bytes.resize(mark.manifest_bytes);
    mark.manifest_hash = sha256(bytes);
    return mark;
}

}  // namespace bos::eventstore
