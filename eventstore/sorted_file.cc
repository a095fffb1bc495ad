#include "eventstore/sorted_file.h"

#include "eventstore/fail_stop_fs.h"
#include "eventstore/rocks_status.h"

#include <fmt/format.h>
#include <rocksdb/options.h>

#include <vector>

namespace bos::eventstore {

namespace {

constexpr bool leave_the_page_cache = false;

Result<void> remove(rocksdb::Env& env, const std::string& path) {
    const rocksdb::Status removed = env.DeleteFile(path);
    const bool gone = removed.IsNotFound() || removed.IsPathNotFound();
    if (!gone) BOS_ROCKS(removed, "remove an unfinished part of the log");
    return {};
}

}  // namespace

SortedFile::SortedFile(const LogDatabase& database, rocksdb::ColumnFamilyHandle* family,
                       std::string_view name)
    : database_(database),
      family_(family),
      // One name for each: a file that became a table, and whose first name a crash left, is never
      // written over.
      path_(fmt::format("{}/{}{}", database.db().GetName(), name, bulk_suffix)),
      writer_(rocksdb::EnvOptions(database.db().GetDBOptions()), database.db().GetOptions(family),
              family, leave_the_page_cache) {}

Result<void> SortedFile::begin() {
    BOS_CHECK(remove(*database_.db().GetEnv(), path_));  // of an earlier try
    BOS_ROCKS(writer_.Open(path_), "begin a part of the log");
    return {};
}

Result<void> SortedFile::put(std::string_view key, std::string_view value) {
    BOS_ROCKS(writer_.Put(key, value), "write a part of the log");
    return {};
}

Result<void> SortedFile::ingest() {
    BOS_ROCKS(writer_.Finish(), "end a part of the log");
    // What was written before it without a sync must not be lost without it.
    if (database_.families().notes) BOS_CHECK(database_.sync());
    rocksdb::IngestExternalFileOptions ingestion;
    ingestion.move_files = true;
    ingestion.write_global_seqno = false;
    // Its keys are looked for without a look at errors (see fail_stop_env).
    ingestion.verify_checksums_before_ingest = true;
    BOS_ROCKS(database_.db().IngestExternalFile(family_, {path_}, ingestion),
              "add a part to the log");
    return {};
}

Result<void> remove_unfinished_files(rocksdb::Env& env, const std::string& path) {
    std::vector<std::string> names;
    const rocksdb::Status listed = env.GetChildren(path, &names);
    if (listed.IsNotFound() || listed.IsPathNotFound()) return {};  // no log yet
    BOS_ROCKS(listed, "look for unfinished parts of the log");
    for (const std::string& name : names) {
        if (name.ends_with(bulk_suffix)) BOS_CHECK(remove(env, path + "/" + name));
    }
    return {};
}

}  // namespace bos::eventstore
