#pragma once

#include "schemas/base/result.h"

#include <rocksdb/env.h>

#include <memory>
#include <string>

namespace bos::eventstore {

/// Holds a file locked against every other process (and against this one) until it goes.
class FileLock {
  public:
    /// Errors: unavailable = someone else holds it.
    [[nodiscard]] static Result<std::unique_ptr<FileLock>> acquire(rocksdb::Env& env,
                                                                   std::string path);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

  private:
    FileLock(rocksdb::Env& env, rocksdb::FileLock* lock) : env_(env), lock_(lock) {}

    rocksdb::Env& env_;
    rocksdb::FileLock* lock_;
};

}  // namespace bos::eventstore
