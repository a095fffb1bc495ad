#include "eventstore/key_store.h"

#include <openssl/crypto.h>

namespace bos::eventstore {

SubjectKey::~SubjectKey() { ::OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace bos::eventstore
