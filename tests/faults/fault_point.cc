#include "tests/faults/fault_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace bos::faults {

namespace {

using Operation = sim::Disk::Operation;
using Verdict = sim::Disk::Verdict;

constexpr auto operations = std::to_array<Operation>(
    {Operation::create, Operation::append, Operation::write, Operation::truncate, Operation::sync,
     Operation::rename, Operation::link, Operation::remove, Operation::make_folder,
     Operation::sync_folder, Operation::open, Operation::read, Operation::list, Operation::look,
     Operation::lock, Operation::close});
constexpr auto kinds = std::to_array<std::pair<Kind, std::string_view>>({
    {Kind::io_error, "io-error"},
    {Kind::torn, "torn"},
    {Kind::no_space, "no-space"},
    {Kind::full_disk, "full-disk"},
});

std::string_view store_of(std::string_view path) {
    for (const std::string_view store : {"log", "keys", "views"}) {
        if (path.substr(1).starts_with(store)) return store;
    }
    return "data";
}

std::string_view file_of(std::string_view path) {
    constexpr auto endings = std::to_array<std::pair<std::string_view, std::string_view>>({
        {".log", "wal"},
        {".sst", "table"},
        {".bulk", "bulk"},
        {".rows", "rows"},
        {".dbtmp", "draft"},
        {"/CURRENT", "current"},
        {"/IDENTITY", "identity"},
        {"/MARK", "mark"},
        {".mark", "mark"},
        {".new", "mark-draft"},
        {"/LOCK", "lock"},
        {".lock", "lock"},
    });
    for (const auto& [ending, file] : endings) {
        if (path.ends_with(ending)) return file;
    }
    if (path.find("/MANIFEST-") != std::string_view::npos) return "manifest";
    if (path.find("/OPTIONS-") != std::string_view::npos) return "options";
    return path.rfind('/') == 0 ? "folder" : "other";
}

bool takes_space(Operation operation) {
    return operation == Operation::append || operation == Operation::create ||
           operation == Operation::write || operation == Operation::make_folder;
}

}  // namespace

std::string text_of(const Fault& fault) {
    const auto* const kind =
        std::ranges::find(kinds, fault.kind, &std::pair<Kind, std::string_view>::first);
    return fmt::format("{}/{}/{}/{}/{}", fault.site.store, fault.site.file,
                       sim::name_of(fault.site.operation), fault.ordinal, kind->second);
}

std::optional<Fault> fault_of(const std::string& text) {
    std::array<std::string, 5> parts;
    std::size_t part = 0;
    for (const char c : text) {
        if (c != '/') {
            parts.at(part) += c;
        } else if (++part == parts.size()) {
            return std::nullopt;
        }
    }
    const auto* const operation = std::ranges::find(operations, parts[2], sim::name_of);
    const auto* const kind =
        std::ranges::find(kinds, parts[4], &std::pair<Kind, std::string_view>::second);
    if (operation == operations.end() || kind == kinds.end()) return std::nullopt;
    Fault fault{.site = {.store = parts[0], .file = parts[1], .operation = *operation},
                .kind = kind->first};
    const std::string& number = parts[3];
    const auto read = std::from_chars(number.data(), number.data() + number.size(), fault.ordinal);
    return read.ec == std::errc{} ? std::optional(fault) : std::nullopt;
}

std::vector<Kind> kinds_of(Operation operation) {
    switch (operation) {
        case Operation::append:
            return {Kind::io_error, Kind::torn, Kind::no_space, Kind::full_disk};
        case Operation::write:
            return {Kind::io_error, Kind::torn};
        case Operation::create:
        case Operation::make_folder:
            return {Kind::io_error, Kind::full_disk};
        default:
            return {Kind::io_error};
    }
}

void FaultPoint::watch(sim::Disk& disk) {
    const auto asked = [this](Operation operation, const std::string& path, std::size_t) {
        return ask(operation, path);
    };
    disk.watch(asked);
    disk.watch_reads(asked);
}

void FaultPoint::heal() {
    const std::lock_guard lock(mutex_);
    full_ = false;
}

bool FaultPoint::struck() const {
    const std::lock_guard lock(mutex_);
    return struck_;
}

std::map<Site, std::uint64_t> FaultPoint::counted() const {
    const std::lock_guard lock(mutex_);
    return counted_;
}

Verdict FaultPoint::ask(Operation operation, const std::string& path) {
    const Site site{.store = std::string(store_of(path)),
                    .file = std::string(file_of(path)),
                    .operation = operation};
    const std::lock_guard lock(mutex_);
    const std::uint64_t count = ++counted_[site];
    if (full_ && takes_space(operation)) return Verdict::no_space;
    if (struck_ || !fault_ || site != fault_->site || count != fault_->ordinal) return Verdict::ok;
    struck_ = true;
    full_ = fault_->kind == Kind::full_disk;
    switch (fault_->kind) {
        case Kind::io_error:
            return Verdict::io_error;
        case Kind::torn:
            return Verdict::torn;
        case Kind::no_space:
        case Kind::full_disk:
            return Verdict::no_space;
    }
    return Verdict::ok;
}

}  // namespace bos::faults
