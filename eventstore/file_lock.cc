#include "eventstore/file_lock.h"

#include "eventstore/rocks_status.h"

namespace bos::eventstore {

Result<std::unique_ptr<FileLock>> FileLock::acquire(rocksdb::Env& env, std::string path) {
    rocksdb::FileLock* lock = nullptr;
    BOS_ROCKS(env.LockFile(path, &lock),
              path + " cannot be locked; is another process running on this data?");
    return std::unique_ptr<FileLock>(new FileLock(env, lock));
}

FileLock::~FileLock() { env_.UnlockFile(lock_).PermitUncheckedError(); }

}  // namespace bos::eventstore
