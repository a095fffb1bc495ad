#include "eventstore/high_water_mark.h"

#include "eventstore/durable_file.h"
#include "eventstore/rocks_status.h"
#include "schemas/base/digest.h"
#include "schemas/base/keys.h"

#include <cstring>
#include <string_view>
namespace bos::eventstore {

namespace {

constexpr std::string_view magic = "BOSMARK1";
constexpr std::size_t slot_distance = 4096;  // a sector or page that tears is never two slots
constexpr std::size_t checked_bytes = 8 + 8 + 8 + 32;
constexpr std::size_t slot_bytes = checked_bytes + 32;

struct Slot {
    std::uint64_t generation = 0;
    Mark mark;
};

std::uint64_t offset_of(std::uint64_t generation) { return generation % 2 * slot_distance; }

std::string write_slot(const Slot& slot) {
    std::string bytes = KeyWriter()
                            .raw(magic)
                            .u64(slot.generation)
                            .u64(slot.mark.sequence)
                            .hash(slot.mark.hash)
                            .take();
    return KeyWriter().raw(bytes).hash(sha256(bytes)).take();
}

Hash hash_at(std::string_view bytes) {
    Hash hash;
    std::memcpy(hash.bytes.data(), bytes.data(), hash.bytes.size());
    return hash;
}

std::optional<Slot> read_slot(std::string_view file, std::size_t offset) {
    if (file.size() < offset + slot_bytes) return std::nullopt;
    const std::string_view bytes = file.substr(offset, slot_bytes);
    if (!bytes.starts_with(magic)) return std::nullopt;
    if (hash_at(bytes.substr(checked_bytes)) != sha256(bytes.substr(0, checked_bytes))) {
        return std::nullopt;
    }
    Slot slot;
    KeyReader reader(bytes.substr(magic.size()));
    if (!reader.u64(slot.generation) || !reader.u64(slot.mark.sequence)) return std::nullopt;
    slot.mark.hash = hash_at(reader.rest());
    return slot;
}

std::optional<Slot> newest_slot(std::string_view file) {
    const std::optional<Slot> first = read_slot(file, 0);
    const std::optional<Slot> second = read_slot(file, slot_distance);
    if (!first || !second) return first ? first : second;
    return first->generation > second->generation ? first : second;
}

std::string whole_file(const Slot& slot) {
    std::string file(slot_distance + slot_bytes, '\0');
    const std::string bytes = write_slot(slot);
    return file.replace(offset_of(slot.generation), bytes.size(), bytes);
}

Result<std::unique_ptr<rocksdb::RandomRWFile>> open_file(rocksdb::Env& env,
                                                         const std::string& path) {
    std::unique_ptr<rocksdb::RandomRWFile> file;
    BOS_ROCKS(env.NewRandomRWFile(path, &file, rocksdb::EnvOptions()), "open " + path);
    return file;
}

}  // namespace

Result<std::optional<HighWaterMark>> HighWaterMark::open(rocksdb::Env& env,
                                                         const std::string& path) {
    const rocksdb::Status exists = env.FileExists(path);
    if (exists.IsNotFound()) return std::nullopt;
    BOS_ROCKS(exists, "look for " + path);
    std::string content;
    BOS_ROCKS(rocksdb::ReadFileToString(&env, path, &content), "read " + path);
    const std::optional<Slot> slot = newest_slot(content);
    if (!slot) {
        return fail(Code::corrupt, path + ": neither of its two slots holds a whole mark");
    }
    BOS_TRY(auto file, open_file(env, path));
    return HighWaterMark(path, std::move(file), slot->generation, slot->mark);
}

Result<HighWaterMark> HighWaterMark::create(rocksdb::Env& env, const std::string& path,
                                            const Mark& mark) {
    constexpr std::uint64_t first_generation = 1;
    BOS_CHECK(replace_file(env, path, whole_file({first_generation, mark})));
    BOS_TRY(auto file, open_file(env, path));
    return HighWaterMark(path, std::move(file), first_generation, mark);
}

Result<void> HighWaterMark::advance(const Mark& mark) {
    const std::uint64_t generation = generation_ + 1;
    BOS_ROCKS(file_->Write(offset_of(generation), write_slot({generation, mark})),
              "write " + path_);
    BOS_ROCKS(file_->Sync(), "sync " + path_);
    generation_ = generation;
    last_ = mark;
    return {};
}

}  // namespace bos::eventstore
