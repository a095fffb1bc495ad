#include "eventstore/durable_file.h"

#include "eventstore/rocks_status.h"

#include <filesystem>
#include <memory>

namespace bos::eventstore {

Result<void> sync_parent_folder(rocksdb::Env& env, const std::string& path) {
    std::string folder = std::filesystem::path(path).parent_path().string();
    if (folder.empty()) folder = ".";
    std::unique_ptr<rocksdb::Directory> directory;
    BOS_ROCKS(env.NewDirectory(folder, &directory), "open " + folder);
    BOS_ROCKS(directory->Fsync(), "sync " + folder);
    return {};
}

Result<void> replace_file(rocksdb::Env& env, const std::string& path, std::string_view content) {
    const std::string draft = path + ".new";
    std::unique_ptr<rocksdb::WritableFile> file;
    BOS_ROCKS(env.NewWritableFile(draft, &file, rocksdb::EnvOptions()), "create " + draft);
    BOS_ROCKS(file->Append(content), "write " + draft);
    BOS_ROCKS(file->Sync(), "sync " + draft);
    BOS_ROCKS(file->Close(), "close " + draft);
    BOS_ROCKS(env.RenameFile(draft, path), "rename " + draft);
    return sync_parent_folder(env, path);
}

}  // namespace bos::eventstore
