#include "tests/sim/disk.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace bos::sim {

namespace {

Disk::FilePtr file_with(Disk& disk, const std::string& path, const std::string& content) {
    Disk::Verdict verdict{};
    Disk::FilePtr file = disk.create(path, verdict);
    REQUIRE(file);
    REQUIRE(disk.append(*file, content) == Disk::Verdict::ok);
    return file;
}

std::string content(const Disk& disk, const std::string& path) {
    const Disk::FilePtr file = disk.find(path);
    return file ? disk.read(*file, 0, 1 << 20) : "(none)";
}

/// What may be found at `path` after a power loss.
std::set<std::string> outcomes(const Disk& disk, const std::string& path) {
    Draws draws(1);
    std::set<std::string> found;
    for (int i = 0; i < 500; ++i) found.insert(content(*disk.after_power_loss(draws), path));
    return found;
}

const std::string sector(512, 'a');
const std::string other(512, 'b');

}  // namespace

TEST_CASE("a synced file with a synced name outlives a power loss") {
    Disk disk;
    const auto file = file_with(disk, "/file", "kept");
    disk.sync(*file);
    disk.sync_folder("/");
    CHECK(outcomes(disk, "/file") == std::set<std::string>{"kept"});
}

TEST_CASE("a synced file whose name is not may be gone") {
    Disk disk;
    const auto file = file_with(disk, "/file", "kept");
    disk.sync(*file);
    CHECK(outcomes(disk, "/file") == std::set<std::string>{"kept", "(none)"});
}

TEST_CASE("appended bytes are lost from the end, whole or at a sector") {
    Disk disk;
    const auto file = file_with(disk, "/file", "kept");
    disk.sync(*file);
    disk.sync_folder("/");
    disk.append(*file, sector + sector);
    const std::string all = "kept" + sector + sector;
    const auto found = outcomes(disk, "/file");
    const std::set<std::string> possible{"kept", all.substr(0, 512), all.substr(0, 1024), all};
    CHECK(found == possible);
    for (const std::string& each : found) CHECK_MESSAGE(possible.contains(each), each.size());
}

TEST_CASE("overwritten sectors are old or new, each by itself") {
    Disk disk;
    const auto file = file_with(disk, "/file", sector + sector);
    disk.sync(*file);
    disk.sync_folder("/");
    disk.write(*file, 0, other + other);
    CHECK(outcomes(disk, "/file") ==
          std::set<std::string>{sector + sector, sector + other, other + sector, other + other});
}

TEST_CASE("a rename that is not synced leaves the file under one of its names") {
    Disk disk;
    disk.sync(*file_with(disk, "/old", "content"));
    disk.sync_folder("/");
    disk.rename("/old", "/new");
    Draws draws(1);
    std::set<std::string> names;
    for (int i = 0; i < 100; ++i) {
        const auto left = disk.after_power_loss(draws);
        REQUIRE(left->children("/").size() == 1);
        names.insert(left->children("/")[0]);
    }
    CHECK(names == std::set<std::string>{"old", "new"});
}

TEST_CASE("a folder whose name is not synced is lost with what is in it") {
    Disk disk;
    disk.make_folder("/folder");
    disk.sync(*file_with(disk, "/folder/file", "content"));
    disk.sync_folder("/folder");
    CHECK(outcomes(disk, "/folder/file") == std::set<std::string>{"content", "(none)"});
    disk.sync_folder("/");
    CHECK(outcomes(disk, "/folder/file") == std::set<std::string>{"content"});
}

TEST_CASE("a kill takes nothing that was written, and leaves unsure what was unsure") {
    Disk disk;
    file_with(disk, "/file", "written");
    const auto left = disk.after_kill();
    CHECK(content(*left, "/file") == "written");
    CHECK(outcomes(*left, "/file") == std::set<std::string>{"written", "", "(none)"});
}

TEST_CASE("a full disk takes half of an append, an error none") {
    Disk disk;
    const auto file = file_with(disk, "/file", "");
    disk.watch(
        [](Disk::Operation, const std::string&, std::size_t) { return Disk::Verdict::no_space; });
    CHECK(disk.append(*file, "12345678") == Disk::Verdict::no_space);
    CHECK(content(disk, "/file") == "1234");
    disk.watch(
        [](Disk::Operation, const std::string&, std::size_t) { return Disk::Verdict::io_error; });
    CHECK(disk.append(*file, "56") == Disk::Verdict::io_error);
    CHECK(content(disk, "/file") == "1234");
}

}  // namespace bos::sim
