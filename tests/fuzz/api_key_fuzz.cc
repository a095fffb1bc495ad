// API keys: each key has one text.
#include "gateway/api_key.h"
#include "tests/fuzz/check.h"

using bos::fuzz::always;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = bos::fuzz::text_of(data, size);
    if (const auto key = bos::gateway::parse_api_key(text)) {
        always(bos::gateway::to_text(*key) == text, "a key that is read is written as it came");
        always(key->id.size() == 16 && key->secret.size() == 32, "a key has its size");
    }
    return 0;
}
